// Mean, minimum and maximum over a rolling window: an analytic for Bedplate, made from protos/ alone. README.md says how to
// run it. Samples are counted into panes of `every`, a window is the last so many panes. A result is written once the first
// sample after its window has come, so results depend on nothing but samples and states, and a crash changes none.
"use strict";
const readline = require("readline");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");
const { name, version } = require("./package.json");

const OUTPUTS = ["mean", "minimum", "maximum"];
const UNITS = { ms: 1e6, s: 1e9, min: 60e9, h: 3600e9, d: 86400e9 }; // in ns
const COLUMNS = { DATA_TYPE_FLOAT64: "float64", DATA_TYPE_INT64: "int64", DATA_TYPE_UINT64: "uint64" };
const BAD = 0x80000000; // bit of an OPC UA StatusCode
const MOST_PANES = 1000;

// How an ask ends that is not OK. Whatever else is thrown is a bug.
class Failure extends Error {
  constructor(code, text, problems = []) {
    super(text);
    Object.assign(this, { code, problems });
  }
}

function nanoseconds(setting, text) {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|min|h|d)$/.exec(text) ?? [];
  if (Number(number) > 0) return Math.round(number * UNITS[unit]);
  const problem = { pointer: `/${setting}`, text: `${text} is no duration such as 500ms, 10s or 5min` };
  throw new Failure("CODE_INVALID", problem.text, [problem]);
}

// What was counted before, unless that was with other panes.
function counted(state, every) {
  try {
    const before = JSON.parse(state?.toString() || "{}");
    return before.every === every ? before.panes : [];
  } catch (error) {
    throw new Failure("CODE_INVALID", `the state is of another version: ${error.message}`);
  }
}

// What is counted for one asset. panes: [index since 1970, count, sum, minimum, maximum], by index; the last is still open.
class Rolling {
  constructor(asset, of, every, inWindow, state) {
    const input = asset.inputs.find((one) => one.name === of);
    Object.assign(this, { key: asset.path, path: input?.path, unit: input?.tag?.unit, every, inWindow });
    this.panes = counted(state, every);
  }

  // Counts a sample; returns the result of a window that ends with it, or nothing.
  take(time, value) {
    const index = Number(BigInt(time) / BigInt(this.every));
    const open = this.panes.at(-1);
    if (open && index < open[0]) return null; // late: its window has been written
    if (open?.[0] === index) {
      open.splice(1, 4, open[1] + 1, open[2] + value, Math.min(open[3], value), Math.max(open[4], value));
      return null;
    }
    const result = open && this.result(open[0] + 1);
    this.panes = [...this.panes.filter((pane) => pane[0] > index - this.inWindow), [index, 1, value, value, value]];
    return result;
  }

  // Of the window that ends before this pane, stamped with its end.
  result(end) {
    const panes = this.panes.filter((pane) => pane[0] >= end - this.inWindow);
    const sum = (column) => panes.reduce((total, pane) => total + pane[column], 0);
    const values = [sum(2) / sum(1), Math.min(...panes.map((pane) => pane[3])), Math.max(...panes.map((pane) => pane[4]))];
    return { time: String(BigInt(end) * BigInt(this.every)), values };
  }
}

// One component: an object for each asset. names: handle → path.
class Session {
  constructor({ configJson, assets, states }) {
    const { of, window = "1min", every = "10s" } = JSON.parse(configJson.toString());
    const [whole, pane] = [nanoseconds("window", window), nanoseconds("every", every)];
    const problem = { pointer: "/window", text: `must be a multiple of every, at most ${MOST_PANES} times` };
    if (whole % pane || whole / pane > MOST_PANES) throw new Failure("CODE_INVALID", problem.text, [problem]);
    const state = new Map(states.map(({ key, value }) => [key, value]));
    this.assets = assets.map((asset) => new Rolling(asset, of, pane, whole / pane, state.get(asset.path)));
    this.names = new Map();
  }

  outputs() {
    const each = ({ unit = "" }, asset) =>
      OUTPUTS.map((output) => ({ asset, name: output, dataType: "DATA_TYPE_FLOAT64", unit }));
    return { open: { outputs: this.assets.flatMap(each) } };
  }

  process({ records, tables, outputs }) {
    if (outputs.length) this.handles = outputs;
    for (const table of tables) {
      if (table.epoch !== this.epoch) this.names = new Map(); // handles mean nothing across epochs
      this.epoch = table.epoch;
      for (const tag of table.tags) this.names.set(tag.handle, tag.path);
    }
    const written = { count: 0, tag: [], time: [], dataType: "DATA_TYPE_FLOAT64", float64: [] };
    const changed = new Set();
    for (const { batch } of records) if (batch) this.count(batch, written, changed);
    const states = [...changed].map(({ key, every, panes }) => ({ key, value: Buffer.from(JSON.stringify({ every, panes })) }));
    return { process: { batches: written.count ? [written] : [], states } };
  }

  // A column has an entry for each sample, or one that stands for all; no quality means Good.
  count(batch, written, changed) {
    const at = (column, i, none) => (column.length > 1 ? column[i] : column[0] ?? none);
    const values = batch[COLUMNS[batch.dataType]] ?? [];
    values.forEach((value, i) => {
      const number = Number(value);
      if (Number.isNaN(number) || at(batch.quality, i, 0) >= BAD) return;
      const path = this.names.get(at(batch.tag, i));
      this.assets.forEach((asset, index) => {
        if (asset.path !== path) return;
        changed.add(asset);
        const result = asset.take(at(batch.time, i), number);
        if (!result) return;
        written.count += OUTPUTS.length;
        written.tag.push(...this.handles.slice(OUTPUTS.length * index, OUTPUTS.length * (index + 1)));
        written.time.push(...OUTPUTS.map(() => result.time));
        written.float64.push(...result.values);
      });
    });
  }
}

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

function attach(start) {
  const file = { includeDirs: [`${__dirname}/protos`], longs: String, enums: String, defaults: true, oneofs: true };
  const { bedplate } = grpc.loadPackageDefinition(loadSync("bedplate/analytic/v1/analytic.proto", file));
  const limit = { "grpc.max_receive_message_length": 16 << 20 };
  const kernel = new bedplate.analytic.v1.AnalyticHost(start.host, grpc.credentials.createInsecure(), limit).attach();
  kernel.on("data", ({ asks }) => {
    if (!kernel.writableEnded) kernel.write({ replies: asks.map(answer) });
    if (asks.some((ask) => ask.what === "shutdown")) kernel.end(); // what was written still leaves, then the stream ends
  });
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
