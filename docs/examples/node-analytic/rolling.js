// Mean, minimum and maximum over a rolling window. Samples are counted into panes of `every`, a window is the last so many
// panes. A result is written once the first sample after its window has come, so results depend on nothing but samples and
// states, and a crash changes none. Knows no gRPC.
"use strict";

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

const invalid = (pointer, text) => new Failure("CODE_INVALID", text, [{ pointer, text }]);

function nanoseconds(setting, text) {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|min|h|d)$/.exec(text) ?? [];
  if (!(number > 0)) throw invalid(`/${setting}`, `${text} is no duration such as 500ms, 10s or 5min`);
  return Math.round(number * UNITS[unit]);
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
    if (whole % pane || whole / pane > MOST_PANES) throw invalid("/window", `must be 1 to ${MOST_PANES} times every`);
    const state = new Map(states.map(({ key, value }) => [key, value]));
    this.assets = assets.map((asset) => new Rolling(asset, of, pane, whole / pane, state.get(asset.path)));
    this.names = new Map();
  }

  outputs() {
    const each = ({ unit = "" }, asset) => OUTPUTS.map((output) => ({ asset, name: output, dataType: "DATA_TYPE_FLOAT64", unit }));
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

module.exports = { Failure, Session };
