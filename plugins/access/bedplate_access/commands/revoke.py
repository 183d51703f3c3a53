"""`bedplate access revoke WHO`: the one to remember when it is urgent."""

from __future__ import annotations

import re

import click

from bedplate_access.commands.frame import Desk, at_desk
from bedplate_access.commands.shown_certificate import fingerprint


@click.command()
@click.argument("who")
@at_desk
def revoke(desk: Desk, who: str) -> None:
    """WHO is a name (disabled, with all tokens and certificates), a token by its id, or a certificate by its SHA-256 or
    PEM file, whoever made it. A Bedplate that runs cuts them within seconds."""
    with desk.registry() as registry:
        roster = registry.roster()
        if who in roster.identities:
            registry.revoke(who)
            text = f"{who} is disabled; tokens and certificates are revoked"
        elif any(one.id == who for one in roster.tokens.values()):
            registry.revoke_token(who)
            text = f"token {who} is revoked"
        elif re.fullmatch("[0-9A-Fa-f:]{64,95}", who) or "." in who or "/" in who:
            found = fingerprint(who)
            registry.deny(found)
            text = f"certificate {found[:16]} is denied"
        else:
            registry.revoke(who)  # says that nobody is called so
            text = ""
    desk.say({"revoked": who}, text)
