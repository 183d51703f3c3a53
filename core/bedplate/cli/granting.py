"""What a plugin would be allowed, in plain words, and the question whether it may."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from bedplate.admission.permissions import Permissions

INLINE = "placed `inline` it may do whatever the kernel may: inline is full trust, and no permission limits it"


PASSWORD = "BEDPLATE_KEY_PASSWORD"
_WORDS = {
    "network": "connect to {}",
    "files": "read and write {}",
    "devices": "use the device {}",
    "tags.publish": "publish values of {}",
    "tags.subscribe": "be given values of {}",
    "commands": "write to its machine, when the write guard allows it",
    "secrets": "get the secret {}",
    "memory": "take {} of memory",
    "cpu": "take {} processor cores",
    "subprocess": "start other programs",
}


def grant_options(function: click.decorators.FC) -> click.decorators.FC:
    """--grant and --yes."""
    grant = click.option(
        "--grant",
        "grants",
        multiple=True,
        metavar="WORDS",
        help="For scripts: a permission as `plugins --json` tells it; a plugin that asks for another is refused.",
    )
    yes = click.option("--yes", is_flag=True, help="Don't ask.")
    return grant(yes(function))


def plain_words(permissions: Permissions) -> Iterator[str]:
    """One line each. $x is told as what it is."""
    for name, entry in permissions.entries():
        yield _plain(name, entry)
    if permissions.secrets is None:
        yield "get the secrets that the deployment file gives it"
    if permissions.tags.subscribe is None:
        yield "be given whatever tags the deployment file gives it"


def _plain(name: str, entry: str) -> str:
    told = entry + (" ($: its own settings)" if "$" in entry else "")
    if name == "files" and entry.startswith("read:"):
        return f"read {told.removeprefix('read:')}"
    return _WORDS.get(name, f"{name} {{}}").format(told)


def confirm(question: str, asked: Permissions, grants: Sequence[str], yes: bool) -> None:
    """Returns when the answer is yes. Raises BedplateError when it is no, nobody can be asked, or --grant says less."""
    if grants and (more := [word for word in asked.words() if word not in grants]):
        raise BedplateError(f"it asks for more than --grant names: {', '.join(more)}")
    if yes:
        return
    if not sys.stdin.isatty():
        raise BedplateError(f"{question} Nobody can be asked here; say --yes if so")
    if not click.confirm(question, default=False):
        raise BedplateError("nothing was changed")


def who() -> str:
    """Who says so, for the record; as sudo knows them."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
