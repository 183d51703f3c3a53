// What the kernel asks an analytic, for a class with take and state (plugin.js has one): columns become samples, results
// become columns. You need not change it.
"use strict";
const { Invalid, serve } = require("./bedplate.js");

const COLUMNS = { DATA_TYPE_FLOAT64: "float64", DATA_TYPE_INT64: "int64", DATA_TYPE_UINT64: "uint64", DATA_TYPE_BOOL: "bool" };

// A column has an entry for each sample, or one that stands for all.
const at = (column, i, none) => (column.length > 1 ? column[i] : column[0] ?? none);

function restored(made, settings, asset, state) {
  if (!state) return new made(settings, null);
  try {
    return new made(settings, JSON.parse(state.toString()));
  } catch (error) {
    throw new Invalid(`the state of ${asset.path} can't be read: ${error.message}`);
  }
}

// One component, from Open to Close: an object for each asset. names: handle → path, within an epoch.
class Session {
  constructor(made, settings, { assets, states }) {
    made.check(settings);
    const state = new Map(states.map(({ key, value }) => [key, value]));
    Object.assign(this, { made, names: new Map(), handles: [], watched: new Map() });
    this.assets = assets.map((asset, index) => {
      const input = asset.inputs.find(({ name }) => name === made.watches(settings));
      if (!input) throw new Invalid(`${asset.path} has no tag ${made.watches(settings)}`, { pointer: "/tag" });
      const one = { index, key: asset.path, object: restored(made, settings, asset, state.get(asset.path)) };
      this.watched.set(input.path, [...(this.watched.get(input.path) ?? []), one]);
      return one;
    });
  }

  open() {
    return { outputs: this.assets.flatMap(({ index }) => this.made.outputs.map((output) => ({ asset: index, ...output }))) };
  }

  end() {}

  // The next stretch of the journal. The kernel commits results and states together.
  process({ records, tables, outputs }) {
    if (outputs.length) this.handles = outputs;
    for (const table of tables) {
      if (table.epoch !== this.epoch) this.names = new Map(); // handles mean nothing across epochs
      this.epoch = table.epoch;
      for (const tag of table.tags) this.names.set(tag.handle, tag.path);
    }
    const written = this.made.outputs.map(({ dataType }) => ({ count: 0, tag: [], time: [], dataType, [COLUMNS[dataType]]: [] }));
    const changed = new Set();
    for (const { batch, received } of records) if (batch) this.count(batch, BigInt(received), written, changed);
    const states = [...changed].map(({ key, object }) => ({ key, value: Buffer.from(JSON.stringify(object.state())) }));
    return { process: { batches: written.filter(({ count }) => count), states } };
  }

  count(batch, received, written, changed) {
    const values = batch[COLUMNS[batch.dataType]]; // text is no number
    for (let i = 0; i < batch.count; i++) {
      const value = values ? Number(values[i]) : NaN;
      const good = at(batch.quality, i, 0) < 0x40000000 && !Number.isNaN(value);
      for (const one of this.watched.get(this.names.get(at(batch.tag, i))) ?? []) {
        const result = one.object.take({ time: BigInt(at(batch.time, i)), received, value, good });
        if (result) this.add(one, result, written);
        changed.add(one);
      }
    }
  }

  add({ index }, { time, values }, written) {
    written.forEach((batch, i) => {
      batch.count += 1;
      batch.tag.push(this.handles[written.length * index + i]);
      batch.time.push(String(time));
      batch[COLUMNS[batch.dataType]].push(values[i]);
    });
  }
}

module.exports = {
  Invalid,
  serve: (made) => serve("analytic", (settings, open) => new Session(made, settings, open), ["process"]),
};
