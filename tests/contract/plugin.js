// A connector without a line of Bedplate: grpc-js and protobufjs, made from protos/ and protos/README.md alone.
// node plugin.js PROTOS NODE_MODULES. The address of a tag is its value; "missing" has none.
"use strict";
const path = require("path");
const readline = require("readline");
const [protos, modules] = process.argv.slice(2);
const grpc = require(path.join(modules, "@grpc/grpc-js"));
const protobuf = require(path.join(modules, "protobufjs"));

const root = new protobuf.Root();
root.resolvePath = (_, target) => path.join(protos, target);
root.loadSync("bedplate/connector/v1/connector.proto", { keepCase: true });
const From = root.lookupType("bedplate.connector.v1.FromConnector");
const To = root.lookupType("bedplate.connector.v1.ToConnector");
const { CODE_OK, CODE_INVALID, CODE_UNREACHABLE, CODE_UNSUPPORTED } = root.lookupEnum("bedplate.plugin.v1.Code").values;
const FLOAT64 = root.lookupEnum("bedplate.record.v1.DataType").values.DATA_TYPE_FLOAT64;
const BAD_NOT_FOUND = 0x803e0000; // OPC 10000-6 Annex A.2
const DO_NOT_RETRY = 78;

const open = new Map(); // id of a component → its settings and tags

function opened(ask, reply) {
  const config = JSON.parse(Buffer.from(ask.open.config_json).toString() || "{}");
  for (const pointer of Object.keys(ask.open.secrets)) config[pointer.slice(1)] = "kept";
  if (config.how === "wrong") {
    reply.answer.code = CODE_INVALID;
    reply.answer.problems = [{ pointer: "/how", text: "must not be wrong" }];
    return;
  }
  open.set(ask.component, { config, tags: new Map(ask.open.tags.map((tag) => [tag.handle, tag])) });
  reply.open = {};
}

function read(ask, reply) {
  const tags = ask.read.tags.map((handle) => open.get(ask.component).tags.get(handle));
  const missing = tags.filter((tag) => tag.address === "missing");
  const batch = {
    count: tags.length,
    tag: tags.map((tag) => tag.handle),
    data_type: FLOAT64,
    float64: tags.map((tag) => (missing.includes(tag) ? NaN : Number(tag.address))),
  };
  if (missing.length) batch.quality = tags.map((tag) => (missing.includes(tag) ? BAD_NOT_FOUND : 0));
  reply.read = { batches: [batch], problems: missing.map((tag) => ({ tag: tag.handle, text: "no such register" })) };
}

function answer(ask, stream) {
  const reply = { answer: { id: ask.id, code: CODE_OK } };
  switch (ask.what) {
    case "ping":
      break;
    case "shutdown":
      open.clear();
      setTimeout(() => stream.end(), 20);
      break;
    case "open":
      opened(ask, reply);
      break;
    case "close":
      open.delete(ask.component);
      break;
    case "read":
      if (open.has(ask.component)) read(ask, reply);
      else reply.answer = { id: ask.id, code: CODE_UNREACHABLE, text: "not open" };
      break;
    default: // also what a later minor asks
      reply.answer.code = CODE_UNSUPPORTED;
  }
  return reply;
}

// What the kernel must not stand for; only when a test asks for it.
function misbehave(ask, message) {
  const how = ask.what === "read" && open.has(ask.component) && open.get(ask.component).config.how;
  if (how === "answers twice") message.replies.push(...message.replies);
  if (how === "publishes for another") {
    const batch = { count: 1, tag: [1], data_type: FLOAT64, float64: [1] };
    message.publications = [{ component: "somebody", producer_seq: 1, batch }];
  }
  if (how === "sends no batch") message.replies[0].read.batches[0].count += 1;
}

function serve(start) {
  const client = new grpc.Client(start.host, grpc.credentials.createInsecure());
  const stream = client.makeBidiStreamRequest(
    "/bedplate.connector.v1.ConnectorHost/Attach",
    (message) => Buffer.from(From.encode(From.fromObject(message)).finish()),
    (bytes) => To.decode(bytes)
  );
  stream.on("data", (message) => {
    for (const ask of message.asks) {
      const reply = { replies: [answer(ask, stream)] };
      misbehave(ask, reply);
      stream.write(reply);
    }
  });
  stream.on("error", (error) => {
    console.error(error.message);
    process.exit(error.code === grpc.status.UNAUTHENTICATED ? DO_NOT_RETRY : 1);
  });
  stream.on("end", () => process.exit(0));
  const runtime = `node ${process.versions.node}`;
  stream.write({ hello: { token: start.token, plugin: "stranger", version: "1", runtime } });
}

const lines = readline.createInterface({ input: process.stdin });
lines.once("line", (line) => serve(JSON.parse(line)));
lines.on("close", () => process.exit(0)); // the kernel is gone
