"""`bedplate plugins publishers`: whose signatures on bundles are taken."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedplate.cli.frame import Invocation, command, group
from bedplate.cli.granting import PASSWORD

if TYPE_CHECKING:
    from bedplate.bundle.publishers import Publisher


@group(local=True)
@click.pass_context
def publishers(ctx: click.Context, invocation: Invocation) -> None:
    """Whose signatures on bundles are taken."""
    if ctx.invoked_subcommand:
        return
    from bedplate.bundle.publishers import Publishers
    from bedplate.endpoints import home

    known = Publishers(home()).all()
    if not known and not invocation.json:
        invocation.screen.show("no publisher is known; bedplate plugins publishers add KEY")
        return
    _say(invocation, known)


@command(local=True)
@click.argument("key")
@click.option("--name", help="What to call it; by default the name of its file.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def add(invocation: Invocation, key: str, name: str | None, yes: bool) -> None:
    """Take bundles signed with KEY: a public key of minisign, as a file or as the line itself."""
    from bedplate.admission.permissions import Permissions
    from bedplate.bundle.publishers import Publishers, key_of
    from bedplate.cli.granting import confirm
    from bedplate.endpoints import home
    from bedplate.errors import BedplateError

    found = key_of(key)
    called = name or (Path(key).stem if Path(key).is_file() else "")
    if not called:
        raise BedplateError("say what to call this publisher: --name acme")
    if not invocation.json:
        invocation.screen.show(f"key {found.name}: {found.text}")
        invocation.screen.show(
            "Compare it with what the publisher told you another way than with the bundle."
        )
        invocation.screen.flush()
    confirm(f"Take bundles of {called}, signed with it?", Permissions(), (), yes)
    _say(invocation, (Publishers(home()).add(called, found),))


@command(local=True)
@click.argument("name")
def remove(invocation: Invocation, name: str) -> None:
    """Take no more bundles of a publisher. What is installed and trusted stays so: bedplate plugins untrust."""
    from bedplate.bundle.publishers import Publishers
    from bedplate.endpoints import home

    _say(invocation, (Publishers(home()).remove(name),))


@command(local=True, name="new-key")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--open", "is_open", is_flag=True, help="Without a password.")
def new_key(invocation: Invocation, file: Path, is_open: bool) -> None:
    """Make a key to sign bundles with: FILE for yourself, FILE.pub for those who install. minisign reads both.

    $BEDPLATE_KEY_PASSWORD is its password where nobody can be asked.
    """
    from bedplate.bundle.minisign import make_key
    from bedplate.errors import BedplateError

    public = file.with_name(f"{file.stem}.pub")
    for path in (file, public):
        if path.exists():
            raise BedplateError(f"{path} is there already; another name, or take it away first")
    password = "" if is_open else _new_password()
    key = make_key(os.urandom)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as stream:
        stream.write(key.file(password, os.urandom))
    public.write_bytes(key.public.file())
    if invocation.json:
        from bedplate.cli.output import write_json

        told = {"secret": str(file), "public": str(public), "key": key.public.name}
        write_json(told | {"text": key.public.text})
        return
    invocation.screen.show(f"{file}: the secret key; keep it, and give it to nobody")
    invocation.screen.show(f"{public}: key {key.public.name}; publish it:  {key.public.text}")


def _new_password() -> str:
    if os.environ.get(PASSWORD):
        return os.environ[PASSWORD]
    return str(click.prompt("Password for the new key", hide_input=True, confirmation_prompt=True))


def _say(invocation: Invocation, known: tuple[Publisher, ...]) -> None:
    facts = [{"name": p.name, "key": p.key.name, "text": p.key.text} for p in known]
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(facts)
        return
    from bedplate.cli.screen import Column, table

    columns = [Column("publisher"), Column("key"), Column("", wraps=True)]
    invocation.screen.show(table(columns, [tuple(fact.values()) for fact in facts]))


for below in (add, remove, new_key):
    publishers.add_command(below)
