// What the kernel asks a security module, for a class with decide (plugin.js has one). You need not change it.
"use strict";
const { Invalid, serve } = require("./bedplate.js");

const ABSTAIN = { verdict: "VERDICT_ABSTAIN" }; // none of its business
const ALLOW = { verdict: "VERDICT_ALLOW" }; // it has nothing against it; another module may
const deny = (reason) => ({ verdict: "VERDICT_DENY", reason }); // wins over every ALLOW; the audit log says why

// One component, from Open to Close. Nothing in it waits, so nothing expires.
class Session {
  constructor(object) {
    this.object = object;
  }

  open() {}

  end() {}

  authorize({ subject, checks }) {
    return { decisions: checks.map((check) => this.object.decide(subject, check)) };
  }
}

module.exports = {
  ABSTAIN,
  ALLOW,
  deny,
  Invalid,
  serve: (made) => serve("security", (settings) => new Session(new made(settings)), ["authorize"]),
};
