"""`bedplate access user`: people and programs of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bedplate_access.commands.frame import (
    Desk,
    at_desk,
    iso,
    password_option,
    secret,
    shown,
)
from bedplate_access.roster import Identity
from bedplate_access.settings import ROLES

role_option = click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLES),
    help="Of the kernel's; may be given again.",
)
group_option = click.option(
    "--group",
    "groups",
    multiple=True,
    help="Mapped to roles by the setting `roles`; may be given again.",
)


@click.group()
def user() -> None:
    """Who is known here: people with a password, programs with a token or a certificate."""


@user.command()
@click.argument("name")
@role_option
@group_option
@click.option("--no-password", is_flag=True, help="They come by token or certificate alone.")
@password_option
@at_desk
def add(desk: Desk, name: str, no_password: bool, password_file: Path | None, **more: Any) -> None:
    """Somebody new. A password has at least 12 characters and is none that everybody knows."""
    password = "" if no_password else secret(password_file, "password")
    with desk.registry() as registry:
        registry.add(name, more["roles"], more["groups"], password)
    desk.say({"name": name}, f"{name} is known from now on")


@user.command(name="list")
@at_desk
def list_(desk: Desk) -> None:
    """Everybody, those who are disabled too."""
    with desk.store() as store:
        found = store.roster()
    tokens = [one.name for one in found.tokens.values() if not one.revoked]
    certificates = [one.name for one in found.certificates.values() if not one.revoked]
    everybody = sorted(found.identities.values(), key=lambda one: one.name)
    rows = [
        (
            one.name,
            ", ".join(one.roles) or "-",
            ", ".join(one.groups) or "-",
            _comes_by(one, tokens.count(one.name), certificates.count(one.name)),
            shown(one.last_used),
            "disabled" if one.disabled else "",
        )
        for one in everybody
    ]
    facts = [
        {
            "name": one.name,
            "roles": one.roles,
            "groups": one.groups,
            "password": bool(one.password),
            "disabled": one.disabled,
            "tokens": tokens.count(one.name),
            "certificates": certificates.count(one.name),
            "created": iso(one.created),
            "last_used": iso(one.last_used),
        }
        for one in everybody
    ]
    desk.table(("NAME", "ROLES", "GROUPS", "COMES BY", "LAST SEEN", ""), rows, facts)


def _comes_by(one: Identity, tokens: int, certificates: int) -> str:
    ways = ["password"] * bool(one.password)
    ways += [f"{tokens} token{'s' * (tokens > 1)}"] * bool(tokens)
    ways += [f"{certificates} certificate{'s' * (certificates > 1)}"] * bool(certificates)
    return ", ".join(ways) or "-"


@user.command()
@click.argument("name")
@at_desk
def disable(desk: Desk, name: str) -> None:
    """Nothing of theirs counts any more; a Bedplate that runs cuts them within seconds."""
    with desk.registry() as registry:
        registry.disable(name)
    desk.say({"name": name, "disabled": True}, f"{name} is disabled")


@user.command()
@click.argument("name")
@at_desk
def enable(desk: Desk, name: str) -> None:
    """What they had counts again; what was revoked stays revoked."""
    with desk.registry() as registry:
        registry.disable(name, disabled=False)
    desk.say({"name": name, "disabled": False}, f"{name} is enabled")


@user.command()
@click.argument("name")
@password_option
@at_desk
def password(desk: Desk, name: str, password_file: Path | None) -> None:
    """Another one; logins with the one before end."""
    with desk.registry() as registry:
        registry.set_password(name, secret(password_file, "password"))
    desk.say({"name": name}, f"{name} has another password")


@user.command()
@click.argument("name")
@role_option
@group_option
@click.option("--no-groups", is_flag=True, help="No group any more.")
@at_desk
def roles(desk: Desk, name: str, roles: tuple[str, ...], **more: Any) -> None:
    """These instead of those before. Without --group the groups stay."""
    groups = () if more["no_groups"] else more["groups"] or None
    with desk.registry() as registry:
        registry.set_roles(name, roles, groups)
    desk.say({"name": name, "roles": roles}, f"{name}: {', '.join(roles) or 'no role'}")
