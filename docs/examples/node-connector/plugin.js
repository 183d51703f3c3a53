// helix-js: Helix packaging machines, a connector for Bedplate made from protos/ alone.
// This file speaks with the kernel, helix.js with the machine. README.md says how to run it.
"use strict";
const { readFileSync } = require("fs");
const readline = require("readline");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");
const { Failure, Machine } = require("./helix.js");
const { name, version } = require("./package.json");

const DO_NOT_RETRY = 78; // exit code

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
    process.exit(error.code === grpc.status.UNAUTHENTICATED ? DO_NOT_RETRY : 1);
  });
  kernel.write({ hello: { token: start.token, plugin: name, version, runtime: `node ${process.versions.node}` } });
}

const stdin = readline.createInterface({ input: process.stdin });
stdin.once("line", (line) => attach(JSON.parse(line)));
stdin.on("close", () => process.exit(0)); // the kernel is gone
