"""The passphrase of a backup: from a file, the environment, or a person; never the command line, which others see."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from bedplate.errors import BedplateError

VARIABLE = "BEDPLATE_BACKUP_PASSPHRASE"
SHORTEST = 12

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help=f"Its first line is the passphrase; else ${VARIABLE}, else you are asked.",
)


def passphrase(file: Path | None, *, new: bool) -> str:
    """new: it is asked for twice, and must not be short. Raises BedplateError."""
    said = _given(file)
    if said is None:
        if not sys.stdin.isatty():
            raise BedplateError(
                f"nobody can be asked for the passphrase here; --passphrase-file FILE, or ${VARIABLE}"
            )
        asked: Any = click.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
        said = str(asked)
    if new and len(said) < SHORTEST:
        raise BedplateError(
            f"the passphrase is shorter than {SHORTEST} characters; everything that is secret hangs on it"
        )
    return said


def _given(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(VARIABLE) or None
    with file.open("rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode & 0o777
        line = stream.readline(4096)
    if mode & 0o077:
        raise BedplateError(f"{file} is open to others (mode {mode:04o}): chmod 600 {file}")
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise BedplateError(f"{file}: its first line is no text") from None
