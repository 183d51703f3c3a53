"""What the commands of this plugin share: which folder, who types, JSON or a table, and a password that nobody sees.

`ctx.obj` is the command line's Invocation (of it, `json`); `ctx.meta` holds how the folder of a deployment is found.
"""

from __future__ import annotations

import getpass
import json
import os
import pwd
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import update_wrapper
from pathlib import Path
from typing import Any

import click

from bedplate import BedplateError
from bedplate_access.folder import Folder, check_private
from bedplate_access.passwords import Hashing
from bedplate_access.registry import Registry
from bedplate_access.store import Store

FIND = "bedplate.access.folder"  # in ctx.meta: Callable[[Path | None, Path | None], Path]


class Desk:
    """The store as somebody at this machine sees it. json: whether a script reads along."""

    def __init__(self, folder: Folder, as_json: bool) -> None:
        self.folder, self.json = folder, as_json
        self.hashing = Hashing()

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Raises OSError."""
        store = Store(self.folder)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """Raises OSError."""
        with self.store() as store:
            yield Registry(store, whoever(), time.time_ns, self.hashing)

    def say(self, fact: Any, text: str) -> None:
        """One answer: as JSON, or in words."""
        click.echo(json.dumps(fact, indent=2, ensure_ascii=False) if self.json else text)

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[str]], facts: Any) -> None:
        """Rows below their titles."""
        whole = [titles, *rows]
        widths = [max(len(row[n]) for row in whole) for n in range(len(titles))]
        lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in whole)
        self.say(facts, "\n".join(line.rstrip() for line in lines))


def at_desk(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose function gets the Desk first; with --folder and --file."""

    @click.option(
        "--file", type=click.Path(path_type=Path), help="The deployment file that names the folder."
    )
    @click.option("--folder", type=click.Path(path_type=Path), help="The folder itself.")
    @click.pass_context
    def call(
        ctx: click.Context, /, *arguments: Any, folder: Path | None, file: Path | None, **more: Any
    ) -> Any:
        find = ctx.meta.get(FIND, lambda folder, file: folder or Path("data/access"))
        desk = Desk(Folder(find(folder, file).absolute()), bool(getattr(ctx.obj, "json", False)))
        return function(desk, *arguments, **more)

    return update_wrapper(call, function)


def whoever() -> str:
    """Who sits here, for the table of changes."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"user {os.getuid()}"
    by = os.environ.get("SUDO_USER", "")
    return f"{name} (sudo by {by[:64]})" if by and name == "root" and by.isprintable() else name


def secret(file: Path | None, what: str) -> str:
    """A password: the first line of a file, "-" for stdin, or asked for twice without an echo. Raises BedplateError."""
    if file is not None:
        return _first_line(file, what)
    if not sys.stdin.isatty():
        raise BedplateError(
            f"nobody can be asked for the {what} here; --password-file FILE, or - for stdin"
        )
    first = getpass.getpass(f"{what.capitalize()}: ")
    if getpass.getpass("Once more: ") != first:
        raise BedplateError("these were two different ones; nothing is changed")
    return first


def _first_line(file: Path, what: str) -> str:
    if str(file) == "-":
        line = sys.stdin.buffer.readline(4096)
    else:
        check_private(file)
        with file.open("rb") as stream:
            line = stream.readline(4096)
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise BedplateError(f"the {what} is no text in UTF-8") from None


password_option = click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    help="Its first line is the password; - is stdin. Else you are asked.",
)


def iso(ns: int) -> str | None:
    """A moment for scripts."""
    return (
        datetime.fromtimestamp(ns / 1e9, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        if ns
        else None
    )


def shown(ns: int) -> str:
    """And for people, in their own time."""
    return f"{datetime.fromtimestamp(ns / 1e9).astimezone():%Y-%m-%d %H:%M}" if ns else "-"
