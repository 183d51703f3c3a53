// What the kernel asks a connector, for a class with open, close, read and write (plugin.js has one). You need not change it.
"use strict";
const { Failure, Invalid, Refused, serve } = require("./bedplate.js");

const PATIENCE = 5000; // ms that one call may take

// In place of a value: there is none, and why.
class Bad {
  constructor(why, code = 0x808b0000) { // BadDeviceFailure of OPC UA
    Object.assign(this, { why, code });
  }
}

// One component, from Open to Close. Asks take turns; after one that failed nothing is asked of its object again.
class Session {
  constructor(object, tags) {
    Object.assign(this, { object, tags: new Map(tags.map((tag) => [tag.handle, tag])), turn: Promise.resolve(), ended: null });
  }

  end(why) {
    this.ended ??= why;
    this.object.close();
  }

  tag(handle) {
    if (!this.tags.has(handle)) throw new Failure("CODE_FAULT", `no tag has the handle ${handle}`);
    return this.tags.get(handle);
  }

  inTurn(until, work) {
    const turn = this.turn.then(async () => {
      const left = Math.min(until - performance.now(), PATIENCE);
      if (left <= 0) throw new Failure("CODE_EXPIRED", "too late, nothing was done");
      if (this.ended) throw new Failure("CODE_UNREACHABLE", this.ended);
      try {
        return await work(AbortSignal.timeout(Math.ceil(left)));
      } catch (error) {
        if (error instanceof Failure) throw error;
        this.end(error.name === "AbortError" ? "no answer in time" : error.message);
        const bug = error instanceof TypeError || error instanceof ReferenceError;
        throw Object.assign(new Failure(bug ? "CODE_FAULT" : "CODE_UNREACHABLE", this.ended), { trace: bug ? error.stack : "" });
      }
    });
    this.turn = turn.catch(() => {});
    return turn;
  }

  open(until) {
    return this.inTurn(until, (signal) => this.object.open(signal));
  }

  read({ tags }, until) {
    return this.inTurn(until, async (signal) => {
      const values = await this.object.read(tags.map((handle) => this.tag(handle)), signal);
      return { read: readReply(tags, values) };
    });
  }

  write({ tag, value }, until) {
    const kept = value?.of ? value[value.of] : undefined;
    const plain = ["int64", "uint64"].includes(value?.of) ? Number(kept) : kept;
    return this.inTurn(until, async (signal) => {
      await this.object.write(this.tag(tag), plain, signal);
      return {};
    });
  }
}

// Columns without time: the kernel stamps.
function readReply(handles, values) {
  if (values.length !== handles.length) throw new TypeError(`${handles.length} tags, and ${values.length} values`);
  const problems = [], quality = [], float64 = [];
  values.forEach((value, i) => {
    const bad = value instanceof Bad ? value : typeof value === "number" ? null : new Bad(`${typeof value} is no number`);
    float64.push(bad ? NaN : value);
    quality.push(bad ? bad.code : 0);
    if (bad) problems.push({ tag: handles[i], text: bad.why });
  });
  return { batches: [{ count: handles.length, tag: handles, quality, dataType: "DATA_TYPE_FLOAT64", float64 }], problems };
}

module.exports = {
  Bad,
  Invalid,
  Refused,
  serve: (made) => serve("connector", (settings, { tags }) => new Session(new made(settings, tags), tags), ["read", "write"]),
};
