"""What this plugin brings to `bedplate access`: the table alone, so that naming them imports none."""

from __future__ import annotations

HERE = "bedplate_access.commands"
COMMANDS = {
    "init": (f"{HERE}.init:init", "Begin: a store, and a token for the first admin"),
    "user": (f"{HERE}.user:user", "People and programs: add, list, disable, password, roles"),
    "token": (f"{HERE}.token:token", "Tokens: create, list, revoke"),
    "cert": (f"{HERE}.cert:cert", "Certificates of the built-in CA: issue, renew, rotate, revoke"),
    "revoke": (f"{HERE}.revoke:revoke", "Take all away: of somebody, a token, a certificate"),
    "test": (f"{HERE}.test:test", "Try examples on policies, without a running Bedplate"),
    "changes": (f"{HERE}.changes:changes", "Who changed what in the store, and when"),
}
