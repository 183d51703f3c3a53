// A controller that we did not write: Snap7's own server (C++), with values put there by Node.
// node s7_server.js PORT: prints {"port"}; a line "read" on stdin answers with DB1 as hex. Ends when it is killed.
const snap7 = require('node-snap7');
const readline = require('readline');

const server = new snap7.S7Server();
const db = Buffer.alloc(1024);
db.writeFloatBE(21.5, 0);
db.writeInt16BE(-7, 4);
db[6] = 0b0000_0101;
db.writeUInt16BE(65_535, 8);
db.writeInt32BE(-70_000, 10);
db.writeUInt32BE(4_000_000_000, 14);
db.writeDoubleBE(0.1, 18);
db.writeBigInt64BE(-(2n ** 40n), 26);
db.writeInt8(-128, 34);
db.write('A', 35, 'latin1');
db[36] = 20; db[37] = 5; db.write('Grün!', 38, 'latin1');
db.writeUInt16BE(8, 60); db.writeUInt16BE(3, 62);
[...'a€Z'].forEach((c, i) => db.writeUInt16BE(c.charCodeAt(0), 64 + 2 * i));
db.writeInt32BE(90_000, 80);
db[90] = 4; db[91] = 200;  // a string that contradicts itself
const markers = Buffer.alloc(64);
markers.writeUInt16BE(4711, 20);
const inputs = Buffer.alloc(16);
inputs[0] = 0x80;

const port = Number(process.argv[2]);
server.SetParam(server.LocalPort, port);
server.RegisterArea(server.srvAreaDB, 1, db);
server.RegisterArea(server.srvAreaMK, markers);
server.RegisterArea(server.srvAreaPE, inputs);
if (!server.StartTo('127.0.0.1')) {
  console.error('no server', server.ErrorText(server.LastError()));
  process.exit(1);
}
console.log(JSON.stringify({ port }));
readline.createInterface({ input: process.stdin }).on('line', () => {
  console.log(JSON.stringify({ db: server.GetArea(server.srvAreaDB, 1).toString('hex') }));
  server.UnlockArea(server.srvAreaDB, 1);
});
setInterval(() => {}, 60_000);  // stays where stdin is /dev/null: the server's own threads do not keep Node
