// The program, against a Bedplate that runs for the time of the test.
"use strict";
const assert = require("node:assert");
const { spawn, spawnSync } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");
const { after, before, test } = require("node:test");
const { Book } = require("../app.js");

const PACKAGE = path.join(__dirname, "..");
const skip = spawnSync("bedplate", ["--version"]).status === 0 ? false : "no bedplate here to run against";
let folder, kernel, env;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "my-thing-"));
  if (skip) return;
  env = { ...process.env, BEDPLATE_HOME: folder };
  for (const file of ["my-thing-line.yaml", "sim.py"]) fs.copyFileSync(path.join(PACKAGE, file), path.join(folder, file));
  const words = ["run", "my-thing-line.yaml", "--plugin", "sim.py", "--listen", "127.0.0.1:0", "--json"];
  kernel = spawn("bedplate", words, { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of readline.createInterface({ input: kernel.stdout })) if (line.includes('"running"')) break;
  kernel.stdout.resume();
});
after(async () => {
  if (kernel?.exitCode === null) {
    kernel.kill("SIGINT");
    await once(kernel, "exit");
  }
  fs.rmSync(folder, { recursive: true });
});

function app(...words) {
  return spawnSync(process.execPath, [path.join(PACKAGE, "app.js"), ...words], { env, encoding: "utf8", timeout: 60000 });
}

test("what comes is written, and nothing twice when it goes on", { skip }, () => {
  const file = path.join(folder, "values.csv");
  for (let run = 0; run < 2; run++) {
    const { status, stderr } = app("**/level", "--file", file, "--rows", "3");
    assert.strictEqual(status, 0, stderr);
  }
  const rows = fs.readFileSync(file, "utf8").trim().split("\n").map((line) => line.split(","));
  assert.ok(rows.length >= 6);
  assert.strictEqual(new Set(rows.map(([, time]) => time)).size, rows.length);
  for (const [tag, , value, quality] of rows) {
    assert.deepStrictEqual([tag, quality], ["plant/line1/tank/level", "0"]);
    assert.ok(value >= 0 && value <= 100, value);
  }
});

test("a tag that is not there is told in a sentence", { skip }, () => {
  const { status, stderr } = app("levle", "--file", path.join(folder, "none.csv"));
  assert.deepStrictEqual([status, stderr], [2, "my-thing: no tag named levle; did you mean level?\n"]);
});

test("the file knows how far it is", () => {
  const file = path.join(folder, "book.csv");
  assert.strictEqual(new Book(file).token, undefined);
  new Book(file).add([["a", "2026-01-01T00:00:00.000Z", 'say "1,5"', 0]], Buffer.from("here"));
  assert.strictEqual(new Book(file).token.toString(), "here");
  assert.strictEqual(fs.readFileSync(file, "utf8"), 'a,2026-01-01T00:00:00.000Z,"say ""1,5""",0\n');
});
