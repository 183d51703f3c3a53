"""`bedplate access init`: a store, and a token for the first admin."""

from __future__ import annotations

import time

import click

from bedplate import BedplateError
from bedplate_access import bootstrap
from bedplate_access.commands.frame import Desk, at_desk, whoever


@click.command()
@at_desk
def init(desk: Desk) -> None:
    """Makes the folder (0700) with the store (0600) in it, and one token with which the first admin comes in.

    A Bedplate with `use: access` does the same at its first start."""
    try:
        bootstrap.begin(desk.folder, whoever(), time.time_ns, desk.hashing).close()
    except FileExistsError:
        raise BedplateError(f"{desk.folder.store} is there already") from None
    fact = {"folder": str(desk.folder.path), "token_file": str(desk.folder.bootstrap)}
    desk.say(fact, bootstrap.told(desk.folder))
