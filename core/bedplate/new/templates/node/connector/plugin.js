// my-thing machines: one line asks, one line answers, over TCP. The address of a tag is the name of a value.
//
//   GET temperature    ->  21.437    or  ERR no such value
//   SET setpoint 25    ->  OK        or  ERR read only
"use strict";
const { once } = require("node:events");
const net = require("node:net");
const { Bad, Invalid, Refused, serve } = require("./connector.js");

const LONGEST = 1000; // characters of a line

// One session with one machine. It fails in plain words; the kernel keeps the pace, tries again, scales and stamps.
// Calls never overlap, and after one that failed this object is never used again.
class MyThing {
  // settings: of config.schema.json, already checked by `bedplate check` · tags: [{handle, name, address}]
  constructor({ host, port = 9100 }, tags) {
    if (!host) throw new Invalid("name the machine", { pointer: "/host" });
    if (!(port > 0 && port < 65536)) throw new Invalid(`${port} is no port`, { pointer: "/port" });
    for (const { handle, address } of tags) {
      if (!/^[a-z][a-z0-9_]*$/.test(address)) throw new Invalid(`${address} is no name of a value`, { tag: handle });
    }
    this.where = { host, port, noDelay: true };
    this.heard = "";
  }

  // Connects. signal: aborts when the time is over; hand it to whatever waits.
  async open(signal) {
    this.socket = net.connect(this.where).on("error", () => {}); // who waits hears it
    await once(this.socket, "connect", { signal });
    this.socket.setEncoding("utf8");
  }

  close() {
    this.socket?.destroy();
  }

  // One value a tag, in order: a number, or Bad for that one alone.
  async read(tags, signal) {
    const values = [];
    for (const { address } of tags) values.push(await this.value(address, signal));
    return values;
  }

  async write({ address }, value, signal) {
    if (typeof value !== "number") throw new Refused(`${value} is no number`);
    const answer = await this.ask(`SET ${address} ${value}`, signal);
    if (answer !== "OK") throw new Refused(answer.replace(/^ERR /, ""));
  }

  async value(name, signal) {
    const answer = await this.ask(`GET ${name}`, signal);
    if (answer.startsWith("ERR ")) return new Bad(answer.slice(4));
    const value = Number(answer);
    if (!answer || Number.isNaN(value)) throw new Error(`asked for ${name}, the machine said ${answer.slice(0, 40)}`);
    return value;
  }

  async ask(line, signal) {
    this.socket.write(`${line}\n`);
    for (;;) {
      const end = this.heard.indexOf("\n");
      if (end >= 0) {
        const answer = this.heard.slice(0, end).trim();
        this.heard = this.heard.slice(end + 1);
        return answer;
      }
      if (this.heard.length > LONGEST) throw new Error("the machine sends what is no line");
      const more = this.socket.read();
      if (more !== null) this.heard += more;
      else if (this.socket.readableEnded || this.socket.destroyed) throw new Error("the machine hung up");
      else await once(this.socket, "readable", { signal });
    }
  }
}

module.exports = { MyThing };
if (require.main === module) serve(MyThing);
