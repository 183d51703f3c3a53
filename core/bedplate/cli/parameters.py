"""Types of options and arguments: what can't be meant is refused before anything is contacted.

Each takes the text that was typed and raises click.BadParameter with a sentence.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from bedplate.cli.frame import Function


def length(text: str) -> str:
    """A duration; kept as it was written."""
    from bedplate.client.span import length as read

    try:
        read(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return text


def moment(text: str) -> str:
    """A moment; kept as it was written."""
    from bedplate.client.span import moment as read

    try:
        read(text, time.time_ns())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return text


def token(text: str) -> bytes:
    """A resume token as `written` wrote it."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise click.BadParameter(f"{text!r} is no resume token") from None


def written(token: bytes) -> str:
    """A resume token that survives a shell and a copy."""
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def selector(*, required: bool = False) -> Callable[[Function], Function]:
    """The argument SELECTOR, completed from the tags of the Bedplate that runs."""
    return click.argument("selector", required=required, shell_complete=_complete)


def selectors() -> Callable[[Function], Function]:
    """The same, any number of them."""
    return click.argument("selectors", metavar="[SELECTOR]...", nargs=-1, shell_complete=_complete)


def subject() -> Callable[[Function], Function]:
    """The argument SUBJECT, completed from the same."""
    return click.argument("subject", shell_complete=_complete)


def tag() -> Callable[[Function], Function]:
    """The argument TAG, one tag; completed from the same."""
    return click.argument("tag", required=False, shell_complete=_complete)


def given_plugins(function: Function) -> Function:
    """The option --plugin."""
    return click.option(
        "--plugin",
        "plugins",
        multiple=True,
        type=click.Path(path_type=Path),
        help="A plugin that is not installed: a single Python file, or a plugin folder.",
    )(function)


def _complete(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem | str]:
    from bedplate.cli.frame import Invocation
    from bedplate.errors import BedplateError

    try:
        with ctx.ensure_object(Invocation).client() as client:
            paths = [entry.path for entry in client.tags()]
    except BedplateError:
        return []
    return list(completions(paths, incomplete))


def completions(paths: list[str], incomplete: str) -> list[str]:
    """The paths, or the tails of them, that begin with what is typed: bash completes as far as they agree."""
    if not incomplete:
        return paths
    tails = (
        "/".join(levels[n:]) for levels in (p.split("/") for p in paths) for n in range(len(levels))
    )
    return list(dict.fromkeys(tail for tail in tails if tail.startswith(incomplete)))
