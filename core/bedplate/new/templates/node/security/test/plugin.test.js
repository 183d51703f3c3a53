// What it denies and what it lets pass; then the same over the contract.
"use strict";
const assert = require("node:assert");
const { test } = require("node:test");
const { MyThing } = require("../plugin.js");
const { Kernel } = require("../testing/kernel.js");

const area = "plant/line1/oven";
const settings = { area, roles: ["engineer"] };

function verdict(resource, roles, action = "live.current") {
  return new MyThing(settings).decide({ id: "somebody", roles }, { action, resource }).verdict;
}

test("what lies in the area is for those who have the role", () => {
  for (const inside of [area, `${area}/recipe`, `${area}/door/open`]) {
    assert.strictEqual(verdict(inside, ["viewer"]), "VERDICT_DENY", inside);
    assert.strictEqual(verdict(inside, ["viewer", "engineer"]), "VERDICT_ALLOW", inside);
  }
});

test("what lies elsewhere is none of its business, nor are other actions", () => {
  for (const outside of ["", "plant", "plant/line1", "plant/line1/filler/speed", "plant/line1/oven2/recipe"]) {
    assert.strictEqual(verdict(outside, ["viewer"]), "VERDICT_ABSTAIN", outside);
  }
  assert.strictEqual(verdict(area, ["viewer"], "alarms.list"), "VERDICT_ABSTAIN");
});

test("a denial says why", () => {
  const { reason } = new MyThing(settings).decide({ roles: [] }, { action: "live.current", resource: area });
  assert.strictEqual(reason, "plant/line1/oven is for engineer");
});

test("it answers a kernel, and decides nothing before it is open", async () => {
  const kernel = await Kernel.start("security", "guard");
  try {
    const checks = [area, "plant/line2"].map((resource) => ({ action: "live.current", resource }));
    const authorize = () => kernel.ask("authorize", { subject: { id: "somebody" }, checks }, 500);
    assert.strictEqual((await kernel.ask("ping")).answer.code, "CODE_OK");
    assert.strictEqual((await authorize()).answer.code, "CODE_UNREACHABLE");
    const { answer } = await kernel.open({ area: "plant/**", roles: ["engineer"] });
    assert.deepStrictEqual([answer.code, answer.problems[0].pointer], ["CODE_INVALID", "/area"]);
    assert.strictEqual((await kernel.open(settings)).answer.code, "CODE_OK");
    assert.deepStrictEqual((await authorize()).decisions.map((one) => one.verdict), ["VERDICT_DENY", "VERDICT_ABSTAIN"]);
    assert.deepStrictEqual(await kernel.shutdown(), [0, null]);
  } finally {
    await kernel.end();
  }
});
