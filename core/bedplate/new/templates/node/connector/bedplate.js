// Speaks bedplate.connector.v1 with the kernel, for a class with open, close, read and write (plugin.js has one).
// Made from protos/ alone; protos/README.md says what each rule here is for. You need not change it.
"use strict";
const { readFileSync } = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");

const PATIENCE = 5000; // ms that one call may take
const LIKE = { includeDirs: [path.join(__dirname, "protos")], longs: String, enums: String, defaults: true, oneofs: true };

// In place of a value: there is none, and why.
class Bad {
  constructor(why, code = 0x808b0000) { // BadDeviceFailure of OPC UA
    Object.assign(this, { why, code });
  }
}

// How a call ends that is neither done nor a lost connection.
class Failure extends Error {
  constructor(code, text, problem) {
    super(text);
    Object.assign(this, { code, problems: problem ? [{ text, ...problem }] : [] });
  }
}
// Settings or an address can't be right: never tried again. where: {pointer: "/host"} or {tag: handle}
class Invalid extends Failure {
  constructor(text, where) { super("CODE_INVALID", text, where ?? {}); }
}
// The machine said no to this tag or command alone.
class Refused extends Failure {
  constructor(text) { super("CODE_REFUSED", text); }
}

// One component, from Open to Close. Asks take turns; after one that failed nothing is asked of its object again.
class Session {
  constructor(object, tags) {
    Object.assign(this, { object, tags: new Map(tags.map((tag) => [tag.handle, tag])), turn: Promise.resolve(), ended: null });
  }

  end(why) {
    this.ended ??= why;
    this.object.close();
  }

  tag(handle) {
    if (!this.tags.has(handle)) throw new Failure("CODE_FAULT", `no tag has the handle ${handle}`);
    return this.tags.get(handle);
  }

  inTurn(until, work) {
    const turn = this.turn.then(async () => {
      const left = Math.min(until - performance.now(), PATIENCE);
      if (left <= 0) throw new Failure("CODE_EXPIRED", "too late, nothing was done");
      if (this.ended) throw new Failure("CODE_UNREACHABLE", this.ended);
      try {
        return await work(AbortSignal.timeout(Math.ceil(left)));
      } catch (error) {
        if (error instanceof Failure) throw error;
        this.end(error.name === "AbortError" ? "no answer in time" : error.message);
        const bug = error instanceof TypeError || error instanceof ReferenceError;
        throw Object.assign(new Failure(bug ? "CODE_FAULT" : "CODE_UNREACHABLE", this.ended), { trace: bug ? error.stack : "" });
      }
    });
    this.turn = turn.catch(() => {});
    return turn;
  }

  read(handles, until) {
    return this.inTurn(until, async (signal) => {
      const values = await this.object.read(handles.map((handle) => this.tag(handle)), signal);
      return { read: readReply(handles, values) };
    });
  }

  write({ tag, value }, until) {
    const kept = value?.of ? value[value.of] : undefined;
    const plain = ["int64", "uint64"].includes(value?.of) ? Number(kept) : kept;
    return this.inTurn(until, async (signal) => {
      await this.object.write(this.tag(tag), plain, signal);
      return {};
    });
  }
}

// Columns without time: the kernel stamps.
function readReply(handles, values) {
  if (values.length !== handles.length) throw new TypeError(`${handles.length} tags, and ${values.length} values`);
  const problems = [], quality = [], float64 = [];
  values.forEach((value, i) => {
    const bad = value instanceof Bad ? value : typeof value === "number" ? null : new Bad(`${typeof value} is no number`);
    float64.push(bad ? NaN : value);
    quality.push(bad ? bad.code : 0);
    if (bad) problems.push({ tag: handles[i], text: bad.why });
  });
  return { batches: [{ count: handles.length, tag: handles, quality, dataType: "DATA_TYPE_FLOAT64", float64 }], problems };
}

// Answers asks for a class, whatever is asked and however it ends.
class Plugin {
  constructor(made) {
    Object.assign(this, { made, sessions: new Map() });
  }

  close(component, why) {
    this.sessions.get(component)?.end(why);
    this.sessions.delete(component);
  }

  async do(ask) {
    const until = performance.now() + (ask.withinMs || Infinity);
    if (ask.what === "ping") return {};
    if (ask.what === "close") return this.close(ask.component, "closed") ?? {};
    if (ask.what === "shutdown") return [...this.sessions.keys()].forEach((one) => this.close(one, "shut down")) ?? {};
    if (ask.what === "open") {
      this.close(ask.component, "opened again");
      const settings = JSON.parse(ask.open.configJson.toString() || "{}");
      const session = new Session(new this.made(settings, ask.open.tags), ask.open.tags);
      this.sessions.set(ask.component, session);
      await session.inTurn(until, (signal) => session.object.open(signal));
      return { open: {} };
    }
    const session = this.sessions.get(ask.component);
    if (!["read", "write"].includes(ask.what)) throw new Failure("CODE_UNSUPPORTED", "it reads and writes"); // or a later minor
    if (!session) throw new Failure("CODE_UNREACHABLE", "not open");
    return ask.what === "read" ? session.read(ask.read.tags, until) : session.write(ask.write, until);
  }

  async reply(ask) {
    try {
      return { ...(await this.do(ask)), answer: { id: ask.id, code: "CODE_OK" } };
    } catch (error) {
      const { code, message: text, problems, trace } = error;
      if (error instanceof Failure) return { answer: { id: ask.id, code, text, problems, trace } };
      return { answer: { id: ask.id, code: "CODE_FAULT", text, trace: error.stack } };
    }
  }
}

function contract() {
  return grpc.loadPackageDefinition(loadSync("bedplate/connector/v1/connector.proto", LIKE)).bedplate.connector.v1;
}

// Here a token says who we are; elsewhere, with placement: remote, a certificate does.
function credentials(tls) {
  if (!tls) return grpc.credentials.createInsecure();
  return grpc.credentials.createSsl(...[tls.ca, tls.key, tls.cert].map((file) => readFileSync(file)));
}

function attach(made, { name, version }, { host, token, tls }) {
  const plugin = new Plugin(made);
  const kernel = new (contract().ConnectorHost)(host, credentials(tls)).attach();
  kernel.on("data", ({ asks }) => asks.forEach(async (ask) => {
    const reply = await plugin.reply(ask);
    if (!kernel.writableEnded) kernel.write({ replies: [reply] });
    if (ask.what === "shutdown") kernel.end(); // what was written still leaves, then the stream ends
  }));
  kernel.on("end", () => process.exit(0));
  kernel.on("error", (error) => {
    console.error(error.message);
    process.exit(error.code === grpc.status.UNAUTHENTICATED && !tls ? 78 : 1); // 78: another try is of no use
  });
  kernel.write({ hello: { token, plugin: name, version, runtime: `node ${process.versions.node}` } });
}

// The kernel says on stdin where it is, and keeps stdin open as long as it lives.
function serve(made, about) {
  const stdin = readline.createInterface({ input: process.stdin });
  stdin.once("line", (line) => attach(made, about, JSON.parse(line)));
  stdin.on("close", () => process.exit(0));
}

module.exports = { Bad, Invalid, Refused, contract, serve };
