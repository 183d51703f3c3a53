// Helix packaging machines over HLX: a connector for Bedplate, made from protos/ alone. README.md says how to run it.
// A frame of HLX is: length u16, function u8, body; big endian. The address of a tag is the number of a register.
"use strict";
const { once } = require("events");
const net = require("net");
const readline = require("readline");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");
const { name, version } = require("./package.json");

const BAD = 0x80000000, QUALITY = { 0: 0, 1: 0x808d0000, 2: 0x803e0000 }; // Good, BadOutOfService, BadNotFound of OPC UA
const STATUS = { 1: "machine busy", 2: "no such register in this firmware", 3: "register is read-only" };
const MOST_TAGS = 7281, PATIENCE = 2000; // whose values fit into one frame; ms that a machine may take

// How an ask ends that is not OK. Whatever else is thrown is a bug.
class Failure extends Error {
  constructor(code, text, problems = []) {
    super(text);
    Object.assign(this, { code, problems });
  }
}

// The session of one component, from Open to Close. A connection that is lost stays lost: the kernel opens again.
class Machine {
  constructor(configJson, tags) {
    const { host, port = 9100 } = JSON.parse(configJson.toString() || "{}");
    const problems = [];
    if (!host || !(port > 0 && port < 65536)) problems.push({ pointer: "/host", text: "host must name the machine, port be a number" });
    for (const { handle: tag, address } of tags) {
      const legal = /^\d{1,5}$/.test(address) && Number(address) < 65536 && tag <= MOST_TAGS;
      if (!legal) problems.push({ tag, text: `${address} must be a register, from 0 to 65535, and one of at most ${MOST_TAGS}` });
    }
    if (problems.length) throw new Failure("CODE_INVALID", problems[0].text, problems);
    this.where = { host, port, noDelay: true };
    this.registers = new Map(tags.map((tag) => [tag.handle, Number(tag.address)]));
    this.turn = Promise.resolve();
  }

  register(handle) {
    if (!this.registers.has(handle)) throw new Error(`no tag has the handle ${handle}`);
    return this.registers.get(handle);
  }

  open(until) {
    return this.inTurn(until, (signal) => {
      this.socket = net.connect(this.where).on("error", (error) => this.end(error.message));
      return once(this.socket, "connect", { signal });
    });
  }

  // Legal at any time and twice; whoever waits for the machine hears it.
  end(why) {
    this.ended ??= why;
    this.socket?.destroy(new Error(this.ended));
  }

  // One after the other. What goes wrong ends the session: an answer that comes late could pass for the next one.
  inTurn(until, work) {
    const turn = this.turn.then(async () => {
      const left = Math.min(until - performance.now(), PATIENCE);
      if (left <= 0) throw new Failure("CODE_EXPIRED", "too late, nothing was done");
      if (this.ended) throw new Failure("CODE_UNREACHABLE", this.ended);
      try {
        return await work(AbortSignal.timeout(Math.ceil(left)));
      } catch (error) {
        this.end(error.name === "AbortError" ? "no answer in time" : error.message);
        throw new Failure("CODE_UNREACHABLE", this.ended);
      }
    });
    this.turn = turn.catch(() => {});
    return turn;
  }

  exchange(code, body, until) {
    return this.inTurn(until, async (signal) => {
      if (this.socket.readableLength) throw new Error("the machine said what nobody asked for");
      this.socket.write(Buffer.from([(1 + body.length) >> 8, (1 + body.length) & 255, code, ...body]));
      const frame = await this.exactly((await this.exactly(2, signal)).readUInt16BE(), signal);
      if (frame[0] !== code) throw new Error(`asked for function ${code}, machine answered ${frame[0]}`);
      return frame.subarray(1);
    });
  }

  async exactly(size, signal) {
    for (;;) {
      const bytes = this.socket.read(size);
      if (bytes?.length === size) return bytes;
      if (bytes || this.socket.readableEnded || this.socket.destroyed) throw new Error(this.ended ?? "the machine hung up");
      await once(this.socket, "readable", { signal });
    }
  }

  async read(handles, until) {
    const asked = Buffer.alloc(2 * handles.length);
    handles.forEach((handle, i) => asked.writeUInt16BE(this.register(handle), 2 * i));
    const told = await this.exchange(1, asked, until);
    if (told.length !== 9 * handles.length) this.end("the answer has another length than the question");
    if (this.ended) throw new Failure("CODE_UNREACHABLE", this.ended);
    const problems = [], batch = { count: handles.length, tag: handles, quality: [], dataType: "DATA_TYPE_FLOAT64", float64: [] };
    handles.forEach((tag, i) => {
      const status = told[9 * i];
      batch.quality.push(QUALITY[status] ?? BAD);
      batch.float64.push(status ? NaN : told.readDoubleBE(9 * i + 1));
      if (status) problems.push({ tag, text: STATUS[status] });
    });
    return { read: { batches: [batch], problems } }; // without time: the kernel stamps
  }

  async write({ tag, value }, until) {
    if (!["float64", "int64", "uint64"].includes(value?.of)) throw new Failure("CODE_REFUSED", "a register holds a number");
    const body = Buffer.alloc(10);
    body.writeUInt16BE(this.register(tag));
    body.writeDoubleBE(Number(value[value.of]), 2);
    const [status] = await this.exchange(2, body, until);
    if (status) throw new Failure("CODE_REFUSED", STATUS[status]);
  }
}

const machines = new Map(); // component → session

function close(component, why) {
  machines.get(component)?.end(why);
  machines.delete(component);
}

// Serves one ask; returns what the reply has beside the answer. Ping, Close and Shutdown wait for nobody.
async function serve(ask) {
  const until = performance.now() + (ask.withinMs || Infinity);
  const machine = machines.get(ask.component);
  switch (ask.what) {
    case "ping":
      return {};
    case "close":
      return close(ask.component, "closed");
    case "shutdown":
      return machines.forEach((_, component) => close(component, "shut down"));
    case "open":
      close(ask.component, "opened again");
      machines.set(ask.component, new Machine(ask.open.configJson, ask.open.tags));
      await machines.get(ask.component).open(until);
      return { open: {} };
    case "read":
    case "write":
      if (!machine) throw new Failure("CODE_UNREACHABLE", "not open");
      return ask.what === "read" ? machine.read(ask.read.tags, until) : machine.write(ask.write, until);
    default: // also what a later minor asks
      throw new Failure("CODE_UNSUPPORTED", "this connector reads and writes");
  }
}

async function answer(ask) {
  try {
    return { ...(await serve(ask)), answer: { id: ask.id, code: "CODE_OK" } };
  } catch (error) {
    const { code, message: text, problems, stack } = error;
    if (error instanceof Failure) return { answer: { id: ask.id, code, text, problems } };
    return { answer: { id: ask.id, code: "CODE_FAULT", text, trace: stack } };
  }
}

function attach(start) {
  const file = { includeDirs: [`${__dirname}/protos`], longs: String, enums: String, defaults: true, oneofs: true };
  const { bedplate } = grpc.loadPackageDefinition(loadSync("bedplate/connector/v1/connector.proto", file));
  const kernel = new bedplate.connector.v1.ConnectorHost(start.host, grpc.credentials.createInsecure()).attach();
  kernel.on("data", ({ asks }) => asks.forEach(async (ask) => {
    kernel.write({ replies: [await answer(ask)] });
    if (ask.what === "shutdown") kernel.end(); // what was written still leaves, then the stream ends
  }));
  kernel.on("end", () => process.exit(0));
  kernel.on("error", (error) => {
    console.error(error.message);
    process.exit(error.code === grpc.status.UNAUTHENTICATED ? 78 : 1); // 78: another try is of no use
  });
  kernel.write({ hello: { token: start.token, plugin: name, version, runtime: `node ${process.versions.node}` } });
}

const stdin = readline.createInterface({ input: process.stdin });
stdin.once("line", (line) => attach(JSON.parse(line)));
stdin.on("close", () => process.exit(0)); // the kernel is gone
