// Speaks with the kernel: the line on stdin, Attach, Hello, asks and answers, exit codes. The same for every kind of plugin.
// Made from protos/ alone; protos/README.md says what each rule here is for. You need not change it.
"use strict";
const { readFileSync } = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");

const LIKE = { includeDirs: [path.join(__dirname, "protos")], longs: String, enums: String, defaults: true, oneofs: true };
const LIMIT = { "grpc.max_receive_message_length": 16 << 20 }; // of the contract
const HOSTS = { connector: "ConnectorHost", analytic: "AnalyticHost", security: "SecurityHost" };

// How a call ends that is neither done nor a bug.
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
// The other side said no to this tag or command alone.
class Refused extends Failure {
  constructor(text) { super("CODE_REFUSED", text); }
}

// Answers asks, whatever is asked and however it ends. begin: makes the session of a component from what Open says; a
// session has open(until), end(why), and a method for each ask that its kind knows.
class Plugin {
  constructor(begin, knows) {
    Object.assign(this, { begin, knows, sessions: new Map() });
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
      const session = this.begin(JSON.parse(ask.open.configJson.toString() || "{}"), ask.open);
      this.sessions.set(ask.component, session);
      return { open: (await session.open(until)) ?? {} };
    }
    if (!this.knows.includes(ask.what)) throw new Failure("CODE_UNSUPPORTED", `it knows ${this.knows.join(" and ")}`); // or a later minor
    const session = this.sessions.get(ask.component);
    if (!session) throw new Failure("CODE_UNREACHABLE", "not open");
    return session[ask.what](ask[ask.what], until);
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

// The service that the kernel has for a kind of plugin.
function contract(kind) {
  return grpc.loadPackageDefinition(loadSync(`bedplate/${kind}/v1/${kind}.proto`, LIKE)).bedplate[kind].v1[HOSTS[kind]];
}

// Here a token says who we are; elsewhere, with placement: remote, a certificate does.
function credentials(tls) {
  if (!tls) return grpc.credentials.createInsecure();
  return grpc.credentials.createSsl(...[tls.ca, tls.key, tls.cert].map((file) => readFileSync(file)));
}

function attach(kind, plugin, { host, token, tls }) {
  const { name, version } = require("./package.json");
  const kernel = new (contract(kind))(host, credentials(tls), LIMIT).attach();
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
function serve(kind, begin, knows) {
  const stdin = readline.createInterface({ input: process.stdin });
  stdin.once("line", (line) => attach(kind, new Plugin(begin, knows), JSON.parse(line)));
  stdin.on("close", () => process.exit(0));
}

module.exports = { Failure, Invalid, Refused, contract, serve };
