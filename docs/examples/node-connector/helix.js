// A Helix packaging machine as one component of Bedplate: settings, addresses, values. Knows no gRPC.
// A frame of HLX is: length u16, function u8, body; big endian. The address of a tag is the number of a register.
"use strict";
const { once } = require("events");
const net = require("net");

const STATUS = ["good", "machine busy", "no such register in this firmware", "register is read-only"];
const QUALITY = [0, 0x808d0000, 0x803e0000, 0x803b0000]; // the same in OPC UA: Good, BadOutOfService, BadNotFound, BadNotWritable
const MOST_TAGS = 7281; // whose values fit into one frame

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
    this.turn = Promise.resolve();
  }

  open(until) {
    return this.inTurn(until, async () => {
      this.socket = net.connect(this.where).on("error", (error) => this.end(error.message));
      this.socket.on("end", () => this.end("the machine hung up")).on("readable", () => this.socket.emit("more"));
      await once(this.socket, "connect"); // throws when the session ends; so does every once
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
      const left = until - performance.now();
      if (left <= 0) throw new Failure("CODE_EXPIRED", "too late, nothing was done");
      const timer = setTimeout(() => this.end("no answer in time"), left);
      try {
        if (!this.ended) return await work();
      } catch (error) {
        this.end(error.message);
      } finally {
        clearTimeout(timer);
      }
      throw new Failure("CODE_UNREACHABLE", this.ended);
    });
    this.turn = turn.catch(() => {});
    return turn;
  }

  // Asks one question and returns the body of the answer, which is of this size.
  exchange(code, question, size, until) {
    return this.inTurn(until, async () => {
      if (this.socket.readableLength) throw new Error("the machine said what nobody asked for");
      this.socket.write(Buffer.from([(1 + question.length) >> 8, (1 + question.length) & 255, code, ...question]));
      let answer;
      while ((answer = this.socket.read(3 + size))?.length !== 3 + size) await once(this.socket, "more");
      if (answer[2] !== code || answer.readUInt16BE() !== 1 + size) throw new Error("the machine answered something else");
      return answer.subarray(3);
    });
  }

  // The register of a tag, as HLX writes it.
  register(tag) {
    if (!this.registers.has(tag)) throw new Error(`no tag has the handle ${tag}`);
    return [this.registers.get(tag) >> 8, this.registers.get(tag) & 255];
  }

  async read(tags, until) {
    const told = await this.exchange(1, tags.flatMap((tag) => this.register(tag)), 9 * tags.length, until);
    const status = tags.map((_, i) => told[9 * i]);
    const float64 = status.map((one, i) => (one ? NaN : told.readDoubleBE(9 * i + 1)));
    const quality = status.map((one) => QUALITY[one] ?? 0x80000000); // or just Bad
    const batch = { count: tags.length, tag: tags, quality, dataType: "DATA_TYPE_FLOAT64", float64 };
    const problems = tags.flatMap((tag, i) => (status[i] ? { tag, text: STATUS[status[i]] } : []));
    return { read: { batches: [batch], problems } }; // without time: the kernel stamps
  }

  async write({ tag, value }, until) {
    if (!["float64", "int64", "uint64"].includes(value?.of)) throw new Failure("CODE_REFUSED", "a register holds a number");
    const number = Buffer.alloc(8);
    number.writeDoubleBE(Number(value[value.of]));
    const [status] = await this.exchange(2, [...this.register(tag), ...number], 1, until);
    if (status) throw new Failure("CODE_REFUSED", STATUS[status]);
  }
}

module.exports = { Failure, Machine };
