// A Modbus TCP server on modbus-serial. Unit 1: every data type in every byte order, laid out by Node's Buffer.
// Unit 2: holding register i is i, but 30, 31 and 47 do not exist; input registers give up after 40 at a time.
// Says on stdout, one JSON object a line: its port and where the values lie, each connection, each request and write.
//
//     node modbus_serial_server.js PORT
"use strict";
const {ServerTCP} = require("modbus-serial");

const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const words = (buffer) => Array.from({length: buffer.length / 2}, (_, i) => buffer.readUInt16BE(2 * i));

// Each order from ABCD by Node's own byte swaps, not by anything that Bedplate does.
const ORDERS = {
  ABCD: (b) => Buffer.from(b),
  BADC: (b) => Buffer.from(b).swap16(),
  DCBA: (b) => Buffer.from(b).reverse(),
  CDAB: (b) => Buffer.from(b).reverse().swap16(),
};
const fill = (size, write) => { const b = Buffer.alloc(size); write(b); return b; };
const VALUES = {
  int16: [-12345, fill(2, (b) => b.writeInt16BE(-12345))],
  uint16: [54321, fill(2, (b) => b.writeUInt16BE(54321))],
  int32: [-123456789, fill(4, (b) => b.writeInt32BE(-123456789))],
  uint32: [3123456789, fill(4, (b) => b.writeUInt32BE(3123456789))],
  int64: ["-1234567890123456789", fill(8, (b) => b.writeBigInt64BE(-1234567890123456789n))],
  uint64: ["12345678901234567890", fill(8, (b) => b.writeBigUInt64BE(12345678901234567890n))],
  float16: [-1.5, Buffer.from([0xbe, 0x00])], // sign 1, exponent 15, fraction 1/2 (IEEE 754 binary16)
  float32: [12418.5, fill(4, (b) => b.writeFloatBE(12418.5))],
  float64: [-6.02214076e23, fill(8, (b) => b.writeDoubleBE(-6.02214076e23))],
  int8_high: [-100, Buffer.from([0x9c, 0x07])],
  int8_low: [-99, Buffer.from([0x07, 0x9d])],
  uint8_high: [200, Buffer.from([200, 1])],
  uint8_low: [201, Buffer.from([1, 201])],
  bool: [true, Buffer.from([0, 1])],
};
const TEXT = "Abfüller 7";

const holding = new Map();
const where = [];
let next = 100;
const put = (entry, registers) => {
  where.push({...entry, address: next});
  registers.forEach((word, i) => holding.set(next + i, word));
  next += registers.length;
};
for (const [dataType, [value, abcd]] of Object.entries(VALUES))
  for (const [order, arrange] of Object.entries(ORDERS))
    put({data_type: dataType, byte_order: order, value}, words(arrange(abcd)));
const padded = fill(16, (b) => b.write(TEXT, "utf8"));
put({data_type: "string", byte_order: "ABCD", length: 8, value: TEXT}, words(padded));
put({data_type: "string", byte_order: "BADC", length: 8, value: TEXT}, words(Buffer.from(padded).swap16()));
for (const bit of [0, 7, 8, 15]) {
  put({data_type: "bit", byte_order: "ABCD", bit, value: true}, [1 << bit]);
  put({data_type: "bit", byte_order: "DCBA", bit, value: true}, words(ORDERS.DCBA(fill(2, (b) => b.writeUInt16BE(1 << bit)))));
  put({data_type: "bit", byte_order: "ABCD", bit, value: false}, [0xffff & ~(1 << bit)]);
}

const MISSING = new Set([30, 31, 47]);
const refuse = (code) => { throw Object.assign(new Error("refused"), {modbusErrorCode: code}); };
const request = (what, address, length, unit) => say({request: what, unit, address, length});
const readHolding = (address, length, unit) => {
  request("holding_register", address, length, unit);
  return Array.from({length}, (_, i) => {
    if (unit === 2 && MISSING.has(address + i)) refuse(2);
    return unit === 2 ? address + i : holding.get(address + i) ?? 0;
  });
};
const readInput = (address, length, unit) => {
  request("input_register", address, length, unit);
  if (length > 40) refuse(3);
  return Array.from({length}, (_, i) => address + i);
};
const server = new ServerTCP({
  getCoil: (address, unit) => address % 5 === 0,
  getDiscreteInput: (address, unit) => address % 7 === 0,
  getHoldingRegister: (address, unit) => readHolding(address, 1, unit)[0],
  getMultipleHoldingRegisters: (address, length, unit) => readHolding(address, length, unit),
  getInputRegister: (address, unit) => readInput(address, 1, unit)[0],
  getMultipleInputRegisters: (address, length, unit) => readInput(address, length, unit),
  setRegister: (address, value, unit) => { holding.set(address, value); say({write: address, value, unit}); },
  setCoil: (address, value, unit) => say({coil: address, value, unit}),
}, {host: "127.0.0.1", port: String(process.argv[2] || 0), unitID: 255}); // text: it takes the number 0 for 502

server._server.on("connection", () => say({connection: true}));
server.on("initialized", () => say({port: server._server.address().port, where}));
server.on("serverError", (error) => { console.error(String(error)); process.exit(1); });
