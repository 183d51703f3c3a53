"""A command as its caller may see it: what an interlock says of the tags that it reads is for those who see them.

Rule: whether it holds is told to whoever sees the tag that is written. Names and values of others of the asset are not,
where one of them is hidden: a dry run would otherwise read what its caller may not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bedplate.command import Command
from bedplate.errors import Denied
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.writing import Writing
from bedplate.server.door import Caller

CHECK = "interlock"
SEES = ("catalog.tags", "live.current")  # both: it tells names and values
HOLDS, DOES_NOT = "the interlock holds", "the interlock does not hold"


class InterlockWords:
    """Of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._plant = Writing(kernel)

    async def shown(self, commands: Iterable[Command], caller: Caller) -> list[Command]:
        """The same, in order. Where a security module has no answer nothing of others is told; what was sent is not
        taken back by that, so neither is the answer."""
        told = list(commands)
        if all(map(caller.sees_all, SEES)):
            return told
        read = {one.tag: self._read(one) for one in told}
        seen = list(dict.fromkeys(path for paths in read.values() for path in paths.values()))
        try:
            for action in SEES:
                seen = list(await caller.seen(action, seen))
        except Denied:
            seen = []
        visible = set(seen)
        return [_without(one, read[one.tag], visible) for one in told]

    def _read(self, command: Command) -> dict[str, str]:
        """The tags of its asset: name → full path."""
        point = self._plant.point(command.tag)
        return dict(self._plant.neighbours(point.asset)) if point else {}


def _without(one: Command, read: dict[str, str], visible: set[str]) -> Command:
    """A command without such words as its caller may not read."""
    hidden = [name for name, path in read.items() if path not in visible]
    checks, text = [], one.text
    for check in one.checks:
        if check.name != CHECK or not any(name in check.text for name in hidden):
            checks.append(check)
            continue
        words = HOLDS if check.passed else DOES_NOT
        text = words if text == check.text else text
        checks.append(replace(check, text=words))
    return replace(one, checks=tuple(checks), text=text)
