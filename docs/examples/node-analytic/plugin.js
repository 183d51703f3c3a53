// rolling-js: mean, minimum and maximum over a rolling window, an analytic for Bedplate made from protos/ alone.
// This file speaks with the kernel, rolling.js counts. README.md says how to run it.
"use strict";
const { readFileSync } = require("fs");
const readline = require("readline");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");
const { name, version } = require("./package.json");
const { Failure, Session } = require("./rolling.js");

const LIMIT = { "grpc.max_receive_message_length": 16 << 20 }; // of the contract
const DO_NOT_RETRY = 78; // exit code

const sessions = new Map(); // by component

// Serves one ask; returns what the reply has beside the answer. Nothing here waits, so nothing expires.
function serve({ what, component, ...ask }) {
  switch (what) {
    case "ping":
      return {};
    case "close":
      return void sessions.delete(component);
    case "shutdown":
      return sessions.clear();
    case "open":
      sessions.delete(component);
      sessions.set(component, new Session(ask.open));
      return sessions.get(component).outputs();
    case "process":
      if (!sessions.has(component)) throw new Failure("CODE_UNREACHABLE", "not open");
      return sessions.get(component).process(ask.process);
    default: // what a later minor asks
      throw new Failure("CODE_UNSUPPORTED", "this analytic does not know that ask");
  }
}

function answer(ask) {
  try {
    return { ...serve(ask), answer: { id: ask.id, code: "CODE_OK" } };
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
  const { bedplate } = grpc.loadPackageDefinition(loadSync("bedplate/analytic/v1/analytic.proto", file));
  const kernel = new bedplate.analytic.v1.AnalyticHost(start.host, credentials(start), LIMIT).attach();
  kernel.on("data", ({ asks }) => {
    if (!kernel.writableEnded) kernel.write({ replies: asks.map(answer) });
    if (asks.some((ask) => ask.what === "shutdown")) kernel.end(); // what was written still leaves, then the stream ends
  });
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
