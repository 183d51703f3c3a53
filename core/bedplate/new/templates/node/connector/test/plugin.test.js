// The plugin as a process, asked by a kernel of the test over the contract, on the simulated machine.
"use strict";
const assert = require("node:assert");
const { afterEach, beforeEach, test } = require("node:test");
const { Machine } = require("../sim.js");
const { Kernel } = require("../testing/kernel.js");

let kernel, machine, port;

beforeEach(async () => {
  machine = new Machine();
  port = await machine.listen();
  kernel = await Kernel.start("connector", "machine");
});
afterEach(async () => {
  machine.close();
  await kernel.end();
});

function open(...addresses) {
  const tags = addresses.map((address, i) => ({ handle: i + 1, name: address, address }));
  return kernel.open({ host: "127.0.0.1", port }, { tags });
}

test("values are read in the order of the tags, and one that is not there is bad alone", async () => {
  assert.strictEqual((await open("setpoint", "colour", "temperature")).answer.code, "CODE_OK");
  const { answer, read } = await kernel.ask("read", { tags: [3, 2, 1] });
  assert.strictEqual(answer.code, "CODE_OK");
  assert.deepStrictEqual(read.batches[0].tag, [3, 2, 1]);
  assert.deepStrictEqual(read.batches[0].float64, [20, NaN, 25]);
  assert.deepStrictEqual(read.problems.map(({ tag, text }) => [tag, text]), [[2, "no such value"]]);
});

test("a written value arrives and a refusal says why", async () => {
  await open("setpoint", "temperature");
  assert.strictEqual((await kernel.ask("write", { tag: 1, value: { float64: 40 } })).answer.code, "CODE_OK");
  const { answer } = await kernel.ask("write", { tag: 2, value: { float64: 1 } });
  assert.deepStrictEqual([machine.values.setpoint, answer.code, answer.text], [40, "CODE_REFUSED", "read only"]);
});

test("a machine that freezes or hangs up is unreachable, and no bug of ours", async () => {
  await open("setpoint");
  machine.frozen = true;
  assert.strictEqual((await kernel.ask("read", { tags: [1] }, 300)).answer.code, "CODE_UNREACHABLE");
  machine.frozen = false;
  assert.strictEqual((await open("setpoint")).answer.code, "CODE_OK");
  assert.strictEqual((await kernel.ask("read", { tags: [1] })).answer.code, "CODE_OK"); // by now the machine knows of it
  machine.cut();
  assert.strictEqual((await kernel.ask("read", { tags: [1] })).answer.code, "CODE_UNREACHABLE");
});

test("an address that can't be right is invalid, with its tag", async () => {
  const { answer } = await open("setpoint", "No Value");
  assert.deepStrictEqual([answer.code, answer.problems[0].tag], ["CODE_INVALID", 2]);
});

test("pings are answered, unknown asks are unsupported, a shutdown ends it well", async () => {
  assert.strictEqual((await kernel.ask("ping")).answer.code, "CODE_OK");
  assert.strictEqual((await kernel.ask("browse")).answer.code, "CODE_UNSUPPORTED");
  assert.deepStrictEqual(await kernel.shutdown(), [0, null]);
});
