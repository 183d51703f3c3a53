// The plugin as a process, asked by a kernel of the test over the contract, on the simulated machine.
"use strict";
const assert = require("node:assert");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { after, afterEach, before, beforeEach, test } = require("node:test");
const grpc = require("@grpc/grpc-js");
const { contract } = require("../bedplate.js");
const { Machine } = require("../sim.js");

let folder, server, kernel, plugin, machine, port;
const arrivals = [];

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "bp-"));
  server = new grpc.Server();
  server.addService(contract().ConnectorHost.service, { attach: (stream) => arrivals.shift()(stream) });
  await new Promise((resolve, reject) => server.bindAsync(`unix:${folder}/p.sock`, grpc.ServerCredentials.createInsecure(), (e) => (e ? reject(e) : resolve())));
});
after(() => {
  server.forceShutdown();
  fs.rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  machine = new Machine();
  port = await machine.listen();
  const attached = new Promise((resolve) => arrivals.push(resolve));
  plugin = spawn(process.execPath, [path.join(__dirname, "..", "plugin.js")], { stdio: ["pipe", "inherit", "inherit"] });
  plugin.stdin.write(`${JSON.stringify({ host: `unix:${folder}/p.sock`, token: "t" })}\n`);
  const stream = await attached;
  kernel = new Kernel(stream);
  assert.strictEqual((await kernel.hello).token, "t");
});
afterEach(async () => {
  machine.close();
  plugin.stdin.end(); // as when the kernel is gone
  if (plugin.exitCode === null) await once(plugin, "exit");
});

// Asks, and gets the answers, in any order.
class Kernel {
  constructor(stream) {
    Object.assign(this, { stream, waiting: new Map(), last: 0 });
    this.hello = new Promise((resolve) => stream.on("data", ({ hello, replies }) => {
      if (hello) resolve(hello);
      for (const reply of replies) this.waiting.get(reply.answer.id)?.(reply);
    }));
    stream.on("error", () => {});
  }

  ask(what, body = {}, withinMs = 10000) {
    const id = String(++this.last);
    this.stream.write({ asks: [{ id, component: "machine", withinMs, [what]: body }] });
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  open(...addresses) {
    const tags = addresses.map((address, i) => ({ handle: i + 1, name: address, address }));
    return this.ask("open", { use: "my-thing", configJson: Buffer.from(JSON.stringify({ host: "127.0.0.1", port })), tags });
  }
}

test("values are read in the order of the tags, and one that is not there is bad alone", async () => {
  assert.strictEqual((await kernel.open("setpoint", "colour", "temperature")).answer.code, "CODE_OK");
  const { answer, read } = await kernel.ask("read", { tags: [3, 2, 1] });
  assert.strictEqual(answer.code, "CODE_OK");
  assert.deepStrictEqual(read.batches[0].tag, [3, 2, 1]);
  assert.deepStrictEqual(read.batches[0].float64, [20, NaN, 25]);
  assert.deepStrictEqual(read.problems.map(({ tag, text }) => [tag, text]), [[2, "no such value"]]);
});

test("a written value arrives and a refusal says why", async () => {
  await kernel.open("setpoint", "temperature");
  assert.strictEqual((await kernel.ask("write", { tag: 1, value: { float64: 40 } })).answer.code, "CODE_OK");
  const { answer } = await kernel.ask("write", { tag: 2, value: { float64: 1 } });
  assert.deepStrictEqual([machine.values.setpoint, answer.code, answer.text], [40, "CODE_REFUSED", "read only"]);
});

test("a machine that freezes or hangs up is unreachable, and no bug of ours", async () => {
  await kernel.open("setpoint");
  machine.frozen = true;
  assert.strictEqual((await kernel.ask("read", { tags: [1] }, 300)).answer.code, "CODE_UNREACHABLE");
  machine.frozen = false;
  assert.strictEqual((await kernel.open("setpoint")).answer.code, "CODE_OK");
  assert.strictEqual((await kernel.ask("read", { tags: [1] })).answer.code, "CODE_OK"); // by now the machine knows of it
  machine.cut();
  assert.strictEqual((await kernel.ask("read", { tags: [1] })).answer.code, "CODE_UNREACHABLE");
});

test("an address that can't be right is invalid, with its tag", async () => {
  const { answer } = await kernel.open("setpoint", "No Value");
  assert.deepStrictEqual([answer.code, answer.problems[0].tag], ["CODE_INVALID", 2]);
});

test("pings are answered, unknown asks are unsupported, a shutdown ends it well", async () => {
  assert.strictEqual((await kernel.ask("ping")).answer.code, "CODE_OK");
  assert.strictEqual((await kernel.ask("browse")).answer.code, "CODE_UNSUPPORTED");
  assert.strictEqual((await kernel.ask("shutdown", { graceMs: 1000 })).answer.code, "CODE_OK");
  kernel.stream.end();
  assert.deepStrictEqual(await once(plugin, "exit"), [0, null]);
});
