"""How a command line ends that did not go well: one line for people, a code for scripts, and for what nobody foresaw
the details in a file. The traceback is shown to nobody who did not ask for it with BEDPLATE_DEBUG=1."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self

import click

from bedplate.cli.exits import Exit
from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class Faults:
    """A context that lets nothing out but KeyboardInterrupt's and SystemExit's codes. code: what to exit with.

    interrupted: whether Ctrl-C was pressed; inside a library it may come out as any error.
    """

    def __init__(self, interrupted: Callable[[], bool] = lambda: False) -> None:
        self.code: int = Exit.DONE
        self._interrupted = interrupted

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        match error:
            case None:
                return True
            case SystemExit() | GeneratorExit():
                return False
            case KeyboardInterrupt() | click.Abort():
                self.code = Exit.STOPPED
            case click.exceptions.Exit():
                self.code = error.exit_code
            case click.ClickException():
                error.show()
                self.code = Exit.NOT_DONE
            case BedplateError():
                say(str(error))
                self.code = Exit.NOT_DONE
            case OSError():
                say(f"{error.filename}: {error.strerror}" if error.filename else str(error))
                drop_output()
                self.code = Exit.NOT_DONE
            case _ if self._interrupted():
                self.code = Exit.STOPPED
            case _:
                say(unforeseen(error))
                self.code = Exit.FAULT
        if debugging() and self.code in {Exit.NOT_DONE, Exit.FAULT}:
            sys.excepthook(type(error), error, trace)
        return True


def say(text: str) -> None:
    """One message to a person on stderr."""
    print(f"bedplate: {text}", file=sys.stderr)


def drop_output() -> None:
    """What is still to be written to stdout goes nowhere: the reader has left, or the disk is full."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def debugging(environ: Mapping[str, str] = os.environ) -> bool:
    return environ.get("BEDPLATE_DEBUG", "") not in {"", "0"}


def unforeseen(error: BaseException) -> str:
    """Keeps the details of a fault of ours, and says in a sentence where."""
    from traceback import format_exception

    number = os.urandom(4).hex()
    what = f"unexpected {type(error).__name__}, error {number}"
    kept = _keep(number, "".join(format_exception(error)))
    return f"{what}; this is a fault in Bedplate, its details are in {kept}"


def _keep(number: str, details: str) -> str:
    from datetime import UTC, datetime

    now = datetime.now(UTC).isoformat(timespec="seconds")
    content = f"{now}\n{' '.join(sys.argv)}\n\n{details}"
    for folder in _folders(os.environ):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = folder / f"{number}.txt"
            file.write_text(content)
        except OSError:
            continue
        return str(file)
    return "no file: no folder can be written; BEDPLATE_DEBUG=1 shows them"


def _folders(environ: Mapping[str, str]) -> list[Path]:
    from pathlib import Path
    from tempfile import gettempdir

    state = environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return [Path(state) / "bedplate" / "errors", Path(gettempdir())]
