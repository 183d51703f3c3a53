"""`bedplate access token`: what programs and scripts show."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from bedplate import BedplateError
from bedplate.settings import parse_duration
from bedplate_access.commands.frame import Desk, at_desk, iso, shown
from bedplate_access.commands.shown_certificate import fingerprint
from bedplate_access.folder import write_private
from bedplate_access.roster import Token
from bedplate_access.settings import ROLES


@click.group()
def token() -> None:
    """256 random bits, shown once; kept is their SHA-256 alone."""


@token.command()
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLES),
    help="Of its owner's; by default all.",
)
@click.option(
    "--path", "paths", multiple=True, metavar="SELECTOR", help="Good for these paths alone."
)
@click.option("--expires", default="90d", show_default=True, help="How long it lasts: 8h, 30d.")
@click.option(
    "--bound",
    metavar="CERT",
    help="Counts with this client certificate alone: a PEM file, or its SHA-256.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Into this file (0600) instead of the screen."
)
@at_desk
def create(desk: Desk, name: str, out: Path | None, **options: Any) -> None:
    """For NAME, who is known; a program is made known by `user add NAME --no-password --role …`."""
    lasts, bound = _length(options["expires"]), options["bound"]
    with desk.registry() as registry:
        owner = registry.roster().identities.get(name)
        roles = options["roles"] or (owner.roles if owner else ())
        bound = fingerprint(bound) if bound else ""
        found, secret = registry.create_token(name, roles, lasts, options["paths"], bound)
    fact = {"id": found.id, "name": name, "expires": iso(found.expires)}
    if out:
        write_private(out.absolute(), f"{secret}\n".encode())
        desk.say(
            {**fact, "file": str(out)},
            f"token {found.id} of {name} is in {out}, until {shown(found.expires)}",
        )
        return
    note = f"token {found.id} of {name}, until {shown(found.expires)}; it is not shown again"
    desk.say({**fact, "token": secret}, secret)
    if not desk.json:
        click.echo(note, err=True)


@token.command(name="list")
@at_desk
def list_(desk: Desk) -> None:
    """All of them, those that have ended too; never what they are."""
    with desk.store() as store:
        found = sorted(store.roster().tokens.values(), key=lambda one: (one.name, one.created))
    now = time.time_ns()
    rows = [
        (
            one.id,
            one.name,
            ", ".join(one.roles) or "-",
            ", ".join(one.paths) or "everything",
            shown(one.expires),
            shown(one.last_used),
            _state(one, now),
        )
        for one in found
    ]
    facts = [
        {
            "id": one.id,
            "name": one.name,
            "roles": one.roles,
            "paths": one.paths,
            "bound": one.bound,
            "expires": iso(one.expires),
            "last_used": iso(one.last_used),
            "state": _state(one, now),
        }
        for one in found
    ]
    desk.table(("ID", "OF", "ROLES", "GOOD FOR", "UNTIL", "LAST USED", "STATE"), rows, facts)


@token.command()
@click.argument("id")
@at_desk
def revoke(desk: Desk, id: str) -> None:
    """It counts no more; a Bedplate that runs cuts whoever uses it within seconds."""
    with desk.registry() as registry:
        registry.revoke_token(id)
    desk.say({"id": id, "state": "revoked"}, f"token {id} is revoked")


def _state(one: Token, now: int) -> str:
    if one.revoked:
        return "revoked"
    return "over" if one.ended(now) else "bound" if one.bound else "good"


def _length(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise BedplateError(f"--expires {text}: {error}") from None
