// A Helix packaging machine as one component of Bedplate: settings, addresses, values. Knows no gRPC.
// A frame of HLX is: length u16, function u8, body; big endian. The address of a tag is the number of a register.
"use strict";
const { once } = require("events");
const net = require("net");

const BAD = 0x80000000; // OPC UA StatusCodes: Bad, and by status of HLX Good, BadOutOfService, BadNotFound
const QUALITY = { 0: 0, 1: 0x808d0000, 2: 0x803e0000 };
const STATUS = { 1: "machine busy", 2: "no such register in this firmware", 3: "register is read-only" };
const LARGEST = 65537; // bytes of a frame with its length
const MOST_TAGS = 7281; // whose values fit into one frame
const PATIENCE = 2000; // ms that a machine may take

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
    if (!host) problems.push({ pointer: "/host", text: "must name the machine" });
    if (!(port > 0 && port < 65536)) problems.push({ pointer: "/port", text: "must be from 1 to 65535" });
    for (const { handle: tag, address } of tags) {
      const legal = /^\d{1,5}$/.test(address) && Number(address) < 65536 && tag <= MOST_TAGS;
      if (!legal) problems.push({ tag, text: `${address} must be a register, from 0 to 65535, and one of at most ${MOST_TAGS}` });
    }
    if (problems.length) throw new Failure("CODE_INVALID", problems[0].text, problems);
    this.where = { host, port, noDelay: true };
    this.registers = new Map(tags.map((tag) => [tag.handle, Number(tag.address)]));
    this.received = Buffer.alloc(0);
    this.turn = Promise.resolve();
  }

  register(handle) {
    if (!this.registers.has(handle)) throw new Error(`no tag has the handle ${handle}`);
    return this.registers.get(handle);
  }

  open(until) {
    return this.inTurn(until, () => {
      this.socket = net.connect(this.where).on("error", (error) => this.end(error.message));
      this.socket.on("end", () => this.end("the machine hung up")).on("data", (bytes) => this.take(bytes));
      return once(this.socket, "connect");
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
      const timer = setTimeout(() => this.end("no answer in time"), left);
      try {
        return await work();
      } catch (error) {
        this.end(error.message);
        throw new Failure("CODE_UNREACHABLE", this.ended);
      } finally {
        clearTimeout(timer);
      }
    });
    this.turn = turn.catch(() => {});
    return turn;
  }

  // Asks one question; size: of the answer's body.
  exchange(code, body, size, until) {
    return this.inTurn(until, async () => {
      if (this.received.length) throw new Error("the machine said what nobody asked for");
      this.socket.write(Buffer.from([(1 + body.length) >> 8, (1 + body.length) & 255, code, ...body]));
      const head = await this.exactly(3);
      const told = head.readUInt16BE() - 1;
      if (head[2] !== code || told !== size) throw new Error(`asked function ${code}, was answered ${head[2]} with ${told} bytes`);
      return this.exactly(size);
    });
  }

  take(bytes) {
    this.received = Buffer.concat([this.received, bytes]);
    if (this.received.length > LARGEST) this.end("the machine said more than a frame");
    else this.socket.emit("more");
  }

  async exactly(size) {
    while (this.received.length < size) {
      if (this.ended) throw new Error(this.ended);
      await once(this.socket, "more"); // throws when the session ends
    }
    const bytes = this.received.subarray(0, size);
    this.received = this.received.subarray(size);
    return bytes;
  }

  async read(handles, until) {
    const asked = Buffer.alloc(2 * handles.length);
    handles.forEach((handle, i) => asked.writeUInt16BE(this.register(handle), 2 * i));
    const told = await this.exchange(1, asked, 9 * handles.length, until);
    const batch = { count: handles.length, tag: handles, quality: [], dataType: "DATA_TYPE_FLOAT64", float64: [] };
    const problems = [];
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
    const [status] = await this.exchange(2, body, 1, until);
    if (status) throw new Failure("CODE_REFUSED", STATUS[status]);
  }
}

module.exports = { Failure, Machine };
