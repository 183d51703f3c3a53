// my-thing: keeps what is below one path to those who have a role.
"use strict";
const { ABSTAIN, ALLOW, deny, Invalid, serve } = require("./security.js");

const READING = ["live.current", "live.subscribe", "history.query"];

// One area. Everything outside it is none of its business: ABSTAIN.
class MyThing {
  // settings: of config.schema.json, already checked by `bedplate check`
  constructor({ area, roles, actions = READING }) {
    if (!area || area.includes("*")) throw new Invalid(`${area} must be a full path, without *`, { pointer: "/area" });
    if (!Array.isArray(roles)) throw new Invalid("roles must be a list", { pointer: "/roles" });
    Object.assign(this, { area, roles, actions });
  }

  // subject: {id, roles, peer, method} · check: {action, resource}; a resource is one full path, or "": the call as such
  decide({ roles }, { action, resource }) {
    if (!this.actions.includes(action) || !within(resource, this.area)) return ABSTAIN;
    if (roles.some((role) => this.roles.includes(role))) return ALLOW;
    return deny(`${this.area} is for ${this.roles.join(" or ")}`);
  }
}

// Whether it is the area or lies below it. The kernel asks about full paths, one by one, never about selectors.
const within = (path, area) => `${path}/`.startsWith(`${area}/`);

module.exports = { MyThing };
if (require.main === module) serve(MyThing);
