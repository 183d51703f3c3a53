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

  // subject: {id, roles, peer, method} · check: {action, resource}; a resource is a full path or a selector
  decide({ roles }, { action, resource }) {
    if (!this.actions.includes(action) || !touches(resource, this.area)) return ABSTAIN;
    if (roles.some((role) => this.roles.includes(role))) return ALLOW;
    return deny(`${this.area} is for ${this.roles.join(" or ")}`);
  }
}

// Whether a path or a selector can mean something in the area. In doubt it can: ** means everything.
function touches(resource, area) {
  const star = resource.indexOf("*");
  const certain = star < 0 ? `${resource}/` : resource.slice(0, star);
  return certain.startsWith(`${area}/`) || `${area}/`.startsWith(certain);
}

module.exports = { MyThing };
if (require.main === module) serve(MyThing);
