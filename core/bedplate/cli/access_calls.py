"""`bedplate access whoami`, `login`, `logout`, `sessions`: what a running Bedplate knows of who is there."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.frame import Invocation, command
from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from bedplate.client import Identity
    from bedplate.endpoints import Endpoint

FILE: Any = click.Path(path_type=Path)


@command(short_help="Whom a Bedplate takes you for")
def whoami(invocation: Invocation) -> None:
    """Whom a Bedplate takes you for, by what, and with which roles."""
    with invocation.client() as client:
        who = client.whoami()
    _show(invocation, who)


@command(short_help="Get in by a name and a password")
@click.argument("name")
@click.option(
    "--ca", type=FILE, help="PEM file of the CA that made the certificate of that Bedplate."
)
@click.option("--cert", type=FILE, help="Your client certificate, where it wants one: PEM.")
@click.option("--key", type=FILE, help="Its key, unless it is in the same file.")
@click.option("--password-file", type=FILE, help="Its first line is the password; - is stdin.")
@click.option("--print", "print_", is_flag=True, help="Write the token to stdout and keep nothing.")
def login(
    invocation: Invocation,
    name: str,
    password_file: Path | None,
    print_: bool,
    **files: Path | None,
) -> None:
    """Get in by a name and a password. The token is kept for this user (0600) and used for that Bedplate from now on.
    It ends 15 minutes after its last use.

    On its own machine a Bedplate knows its user without: there --print gives the token, for BEDPLATE_TOKEN.
    """
    from bedplate.client import Client
    from bedplate.client.link import Tls
    from bedplate.client.remembered import remember
    from bedplate.endpoints import find

    endpoint = _with_files(replace(find(invocation.endpoint), token=""), files)
    if endpoint.socket and not print_:
        raise BedplateError(
            f"{endpoint.name} runs on this machine as your own: nobody needs to log in; --print gives a token"
        )
    proves = endpoint.tls or endpoint.proves
    tls = Tls(endpoint.ca, endpoint.cert, endpoint.key or endpoint.cert) if proves else None
    with Client(endpoint.address, tls=tls) as client:
        found = client.login(name, _password(password_file))
    if print_:
        click.echo(found.token)
        return
    kept = remember(
        replace(endpoint, token=found.token, tls=not endpoint.address.startswith("unix:"))
    )
    invocation.screen.show(f"{endpoint.address} knows you as {found.who.id}; kept in {kept}")


@command(short_help="Forget the token of a login")
def logout(invocation: Invocation) -> None:
    """Forget the token of a login on this machine; there it ends by itself 15 minutes after its last use."""
    from bedplate.client.remembered import forget
    from bedplate.endpoints import find

    address = find(invocation.endpoint).address
    done = forget(address)
    invocation.screen.show(f"{address} is forgotten" if done else f"nothing was kept for {address}")


@command(short_help="Who is connected, and was within the last hour")
def sessions(invocation: Invocation) -> None:
    """Who is connected, and was within the last hour, the newest first. `bedplate access revoke WHO` cuts them."""
    with invocation.client() as client:
        found = client.sessions()
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(found)
        return
    from bedplate.cli.screen import Column, table
    from bedplate.shown import age_text, plain

    now = time.time_ns()
    columns = [Column("WHO"), Column("BY"), Column("FROM"), Column("ROLES")]
    columns += [Column("STREAMS", "right"), Column("CALLS", "right"), Column("LAST", "right")]
    rows = [
        (
            plain(one.who.id, 40),
            one.who.method,
            plain(one.who.peer, 40),
            ", ".join(one.who.roles) or "-",
            str(one.streams or "-"),
            f"{one.calls:,}",
            f"{age_text((now - one.last) / 1e9)} ago",
        )
        for one in found
    ]
    invocation.screen.show(table(columns, rows))


def _show(invocation: Invocation, who: Identity) -> None:
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(who)
        return
    from bedplate.cli.samples import local
    from bedplate.shown import plain

    lines = [
        f"{plain(who.id, 256)} by {who.method} from {plain(who.peer, 80)}",
        f"  roles   {', '.join(who.roles) or 'none, so you may do nothing else'}",
    ]
    if who.groups:
        lines.append(f"  groups  {plain(', '.join(who.groups), 1000)}")
    if who.until:
        lines.append(f"  until   {local(who.until):%Y-%m-%d %H:%M}")
    invocation.screen.show("\n".join(lines))


def _with_files(endpoint: Endpoint, files: dict[str, Path | None]) -> Endpoint:
    given = {name: str(file.absolute()) for name, file in files.items() if file}
    return replace(endpoint, **given)  # type: ignore[arg-type]


def _password(file: Path | None) -> str:
    """Never an argument: others see those. Raises BedplateError, OSError."""
    if file is None:
        asked: Any = click.prompt("Password", hide_input=True, err=True)
        return str(asked)
    if str(file) == "-":
        line = sys.stdin.buffer.readline(4096)
    else:
        if file.stat().st_mode & 0o077:
            raise BedplateError(f"{file} is open to others: chmod 600 {file}")
        with file.open("rb") as stream:
            line = stream.readline(4096)
    return line.decode("utf-8", "replace").rstrip("\r\n")
