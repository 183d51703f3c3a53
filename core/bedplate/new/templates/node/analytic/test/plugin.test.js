// What it counts, and that neither splits nor crashes change it; then the same over the contract.
"use strict";
const assert = require("node:assert");
const { test } = require("node:test");
const { MyThing } = require("../plugin.js");
const { Kernel } = require("../testing/kernel.js");

const START = 1_700_000_000;
const ns = (second) => BigInt(START + second) * 1_000_000_000n;
const settings = { tag: "level", limit: 50 };
const tank = "plant/line1/tank";

// Takes samples, one a second; returns the results.
function take(one, from, values, good = true) {
  const results = values.map((value, i) => one.take({ time: ns(from + i), received: ns(from + i), value, good }));
  return results.filter((result) => result).map(({ values }) => values);
}

test("time above the limit is counted, and so are the crossings", () => {
  const results = take(new MyThing(settings, null), 0, [40, 60, 70, 50, 80, 20]);
  assert.deepStrictEqual(results, [[0, 0], [0, 1], [1, 1], [2, 1], [2, 2], [3, 2]]);
});

test("time of which nothing is known does not count", () => {
  const one = new MyThing(settings, null);
  take(one, 0, [60, 60]);
  take(one, 2, [0], false);
  assert.deepStrictEqual(take(one, 9, [60, 60]).at(-1), [3, 2]);
});

test("what comes late says nothing about now", () => {
  const one = new MyThing(settings, null);
  take(one, 0, [60, 60]);
  assert.strictEqual(one.take({ time: ns(0), received: ns(2), value: 10, good: true }), null);
  assert.ok(one.above);
});

test("any split and any crash give the same", () => {
  const values = [40, 60, 60, 30, 90, 51, 50, 49, 70, 70, 10, 60];
  const whole = take(new MyThing(settings, null), 0, values);
  for (let cut = 1; cut < values.length; cut++) {
    const before = new MyThing(settings, null);
    const first = take(before, 0, values.slice(0, cut));
    const after = new MyThing(settings, JSON.parse(JSON.stringify(before.state())));
    assert.deepStrictEqual([...first, ...take(after, cut, values.slice(cut))], whole);
  }
});

test("a state of another time is refused in words", () => {
  assert.throws(() => new MyThing(settings, { version: 2 }), /the state is of version 2/);
});

test("a kernel that sends columns gets columns and states", async () => {
  const kernel = await Kernel.start("analytic", "full");
  try {
    const assets = [{ path: tank, inputs: [{ name: "level", path: `${tank}/level` }] }];
    const wrong = await kernel.open({ tag: "level", limit: "high" }, { assets });
    assert.deepStrictEqual([wrong.answer.code, wrong.answer.problems[0].pointer], ["CODE_INVALID", "/limit"]);
    const { open } = await kernel.open(settings, { assets });
    assert.deepStrictEqual(open.outputs.map(({ name }) => name), ["seconds_above", "times_above"]);

    const time = [0, 1, 2].map((second) => String(ns(second)));
    const int64 = [40, 60, 60];
    const batch = { count: 3, tag: [7], time, quality: [0, 0, 0x80000000], dataType: "DATA_TYPE_INT64", int64 };
    const tables = [{ epoch: 1, tags: [{ handle: 7, path: `${tank}/level` }] }];
    const { process } = await kernel.ask("process", { records: [{ received: time[2], batch }], tables, outputs: [21, 22] });
    const [seconds, times] = process.batches;
    assert.deepStrictEqual([seconds.tag, seconds.time, seconds.float64], [[21, 21, 21], time, [0, 0, 1]]);
    assert.deepStrictEqual([times.tag, times.int64], [[22, 22, 22], ["0", "1", "1"]]);
    assert.deepStrictEqual(process.states.map(({ key }) => key), [tank]);

    assert.strictEqual((await kernel.ask("ping")).answer.code, "CODE_OK");
    assert.deepStrictEqual(await kernel.shutdown(), [0, null]);
  } finally {
    await kernel.end();
  }
});
