// my-thing: how long, and how often, a value was above a limit.
//
// The result depends on state and samples alone: no clock, no randomness. So a crash changes nothing, and any split of
// the same samples into stretches gives the same outputs.
"use strict";
const { Invalid, serve } = require("./analytic.js");

const VERSION = 1; // of the state; raise it when its meaning changes
const LATENESS = 5_000_000_000n; // ns that a sample may be under way
const SET_BACK = 60_000_000_000n; // ns without a newer sample, after which an older time is a clock that was set back
const NONE = { version: VERSION, newest: "0", last: "0", since: "0", nanoseconds: "0", crossings: 0, above: false };

const most = (...times) => times.reduce((a, b) => (a > b ? a : b));

// One asset.
class MyThing {
  // What it writes: two counters that only grow.
  static outputs = [
    { name: "seconds_above", dataType: "DATA_TYPE_FLOAT64", unit: "s", description: "How long it was above the limit." },
    { name: "times_above", dataType: "DATA_TYPE_INT64", description: "How often it rose above it." },
  ];

  // settings: of config.schema.json, already checked by `bedplate check`
  static check({ tag, limit }) {
    if (!tag) throw new Invalid("name the tag that is watched", { pointer: "/tag" });
    if (typeof limit !== "number") throw new Invalid("must be a number", { pointer: "/limit" });
  }

  // The tag that is watched, by its name in the settings.
  static watches({ tag }) {
    return tag;
  }

  // state: what state() gave, as it was committed last; null: it begins anew
  constructor({ limit }, state) {
    const kept = state ?? NONE;
    if (kept.version !== VERSION) throw new Invalid(`the state is of version ${kept.version}`);
    for (const name of ["newest", "last", "since", "nanoseconds"]) this[name] = BigInt(kept[name]);
    Object.assign(this, { limit, above: kept.above, crossings: kept.crossings });
  }

  // Counts one sample, in order of arrival: {time, received: ns as BigInt, value: a number or NaN, good}. Returns
  // {time, values: one for each output}, or null for one that is late and says nothing about now.
  take({ time, received, value, good }) {
    const source = time < received ? time : received;
    if (good) {
      if (source < this.newest && received - this.newest <= SET_BACK) return null;
      this.newest = source;
    }
    const at = most(source, received - LATENESS, this.last);
    const above = good && value > this.limit; // of time of which nothing is known (Bad, Uncertain) nothing counts
    if (this.above) this.nanoseconds += at - this.since;
    else if (above) this.crossings += 1;
    Object.assign(this, { above, since: at, last: at });
    return { time: at, values: [Number(this.nanoseconds) / 1e9, this.crossings] };
  }

  state() {
    const { newest, last, since, nanoseconds, crossings, above } = this;
    const [n, l, s, ns] = [newest, last, since, nanoseconds].map(String); // 64 bits are too many for a number
    return { version: VERSION, newest: n, last: l, since: s, nanoseconds: ns, crossings, above };
  }
}

module.exports = { MyThing };
if (require.main === module) serve(MyThing);
