// Another client, in JavaScript: node nodes7_read.js PORT ADDRESS… prints what it reads.
const NodeS7 = require('nodes7');

const [port, ...addresses] = process.argv.slice(2);
const client = new NodeS7({ silent: true });
client.initiateConnection({ host: '127.0.0.1', port: Number(port), rack: 0, slot: 1, timeout: 5000 }, (error) => {
  if (error) {
    console.error(error);
    process.exit(1);
  }
  client.addItems(addresses);
  client.readAllItems((_, values) => {
    console.log(JSON.stringify(values));
    process.exit(0);
  });
});
