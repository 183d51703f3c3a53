// A Modbus TCP server on jsmodbus: 100 holding registers, i in register i. It answers a read beyond them with as many
// registers as it has, even none, and no exception. Says on stdout, one JSON object a line: its port, each connection.
//
//     node jsmodbus_server.js PORT
"use strict";
const net = require("net");
const modbus = require("jsmodbus");

const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const holding = Buffer.alloc(200);
for (let i = 0; i < 100; i++) holding.writeUInt16BE(i, 2 * i);
const coils = Buffer.from([0b00000101, 0b10000000]);
const listening = net.createServer();
new modbus.server.TCP(listening, {holding, input: Buffer.from(holding), coils, discrete: Buffer.from(coils)});
listening.on("connection", () => say({connection: true}));
listening.listen(Number(process.argv[2] || 0), "127.0.0.1", () => say({port: listening.address().port}));
