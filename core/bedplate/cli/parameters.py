"""Types of options and arguments: what can't be meant is refused before anything is contacted."""

from __future__ import annotations

import base64
import binascii
import time
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

LEVELS = 3  # s to look tags up in for a completion


class Length(click.ParamType):
    """A duration; kept as it was written."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from bedplate.client.span import length

        try:
            length(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class Moment(click.ParamType):
    """A moment; kept as it was written."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from bedplate.client.span import moment

        try:
            moment(value, time.time_ns())
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class Token(click.ParamType):
    """A resume token as `tail` printed it; becomes bytes."""

    name = "token"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        if isinstance(value, bytes):
            return value
        try:
            return base64.urlsafe_b64decode(str(value) + "=" * (-len(str(value)) % 4))
        except (binascii.Error, ValueError):
            self.fail(f"{value!r} is no resume token", param, ctx)


def written(token: bytes) -> str:
    """A resume token as `Token` reads it."""
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


class Selector(click.ParamType):
    """A path, a unique tail, an asset or a pattern; completed from the tags of the Bedplate that runs."""

    name = "selector"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from bedplate.cli.frame import Invocation
        from bedplate.errors import BedplateError

        try:
            with ctx.ensure_object(Invocation).client() as client:
                paths = [entry.path for entry in client.tags()]
        except BedplateError:
            return []
        return [CompletionItem(word) for word in completions(paths, incomplete)]


def completions(paths: list[str], incomplete: str) -> list[str]:
    """Paths that go on from what is typed, level by level, from their beginning or from any level of theirs."""
    found: dict[str, None] = {}
    for path in paths:
        levels = path.split("/")
        tails = ["/".join(levels[n:]) for n in range(len(levels) if incomplete else 1)]
        for tail in tails:
            if tail.startswith(incomplete):
                end = tail.find("/", len(incomplete))
                found[tail if end < 0 else tail[: end + 1]] = None
                break
    return list(found)


def selector(required: bool = False) -> Any:
    """The argument SELECTOR."""
    return click.argument("selector", type=Selector(), required=required)
