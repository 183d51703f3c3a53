// helix-js: Helix packaging machines, a connector for Bedplate made from protos/ alone.
// This file speaks with the kernel, helix.js with the machine. README.md says how to run it.
"use strict";
const { readFileSync } = require("fs");
const readline = require("readline");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");
const { Failure, Machine } = require("./helix.js");
const { name, version } = require("./package.json");

const machines = new Map(); // component → session

function session(component) {
  if (!machines.has(component)) throw new Failure("CODE_UNREACHABLE", "not open");
  return machines.get(component);
}

function close(component, why) {
  machines.get(component)?.end(why);
  machines.delete(component);
}

// What each ask does, and what its reply has beside the answer. The first three wait for nobody.
const serve = {
  ping: () => ({}),
  close: ({ component }) => close(component, "closed"),
  shutdown: () => machines.forEach((_, component) => close(component, "shut down")),
  open: ({ component, open }, until) => {
    close(component, "opened again");
    machines.set(component, new Machine(open.configJson, open.tags));
    return session(component).open(until);
  },
  read: ({ component, read }, until) => session(component).read(read.tags, until),
  write: ({ component, write }, until) => session(component).write(write, until),
};

async function answer(ask) {
  const until = performance.now() + (ask.withinMs || 1e9);
  try {
    if (!(ask.what in serve)) throw new Failure("CODE_UNSUPPORTED", "this connector reads and writes"); // a later minor asks more
    return { ...(await serve[ask.what](ask, until)), answer: { id: ask.id, code: "CODE_OK" } };
  } catch (error) {
    const wrong = error instanceof Failure ? error : { code: "CODE_FAULT", trace: error.stack };
    return { answer: { id: ask.id, text: error.message, code: wrong.code, problems: wrong.problems, trace: wrong.trace } };
  }
}

// Here a token says who we are; elsewhere, with placement: remote, a certificate does.
function credentials({ tls }) {
  if (!tls) return grpc.credentials.createInsecure();
  return grpc.credentials.createSsl(...[tls.ca, tls.key, tls.cert].map((file) => readFileSync(file)));
}

function attach(start) {
  const file = { includeDirs: [`${__dirname}/protos`], longs: String, enums: String, defaults: true, oneofs: true };
  const { bedplate } = grpc.loadPackageDefinition(loadSync("bedplate/connector/v1/connector.proto", file));
  const kernel = new bedplate.connector.v1.ConnectorHost(start.host, credentials(start)).attach();
  kernel.on("data", ({ asks }) => asks.forEach(async (ask) => {
    const reply = await answer(ask);
    if (!kernel.writableEnded) kernel.write({ replies: [reply] });
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
