"""What a check is, and the three ways in which it does not pass. Checks are values; nothing registers itself."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedplate.plugin.v1 import plugin_pb2

MUST, SHOULD = "MUST", "SHOULD"
PLACEMENTS = ("process", "inline", "remote")
CODES = {number: name.removeprefix("CODE_") for name, number in plugin_pb2.Code.items()}


class Failed(Exception):
    """The plugin broke the rule. The text says what was seen instead."""


class NotApplicable(Exception):
    """The plugin declares that it has nothing of the kind. The text says where."""


class NotRun(Exception):
    """The author gave too little to run it. The text says what to give."""


@dataclass(frozen=True, slots=True)
class Check:
    """id: stable for ever · why: one or two sentences · anchor: place in protos/README.md · kinds: of plugins, empty:
    all · needs: a capability · placements: where it can be run · run: returns what was seen; raises Failed."""

    id: str
    title: str
    why: str
    level: str
    anchor: str
    kinds: tuple[str, ...]
    needs: str
    placements: tuple[str, ...]
    run: Callable[[Any], Awaitable[str]]


def check(
    id: str, title: str, why: str, anchor: str, **more: Any
) -> Callable[[Callable[[Any], Awaitable[str]]], Check]:
    """Makes a Check of an async function that takes a Bench. more: level, kinds, needs, placements, if not for all."""
    rest: dict[str, Any] = {"level": MUST, "kinds": (), "needs": "", "placements": PLACEMENTS}

    def made(function: Callable[[Any], Awaitable[str]]) -> Check:
        return Check(id=id, title=title, why=why, anchor=anchor, run=function, **(rest | more))

    return made


def require(condition: Any, otherwise: str) -> None:
    """Raises Failed with these words unless it holds."""
    if not condition:
        raise Failed(otherwise)


def code_of(reply: Any) -> str:
    """OK, INVALID, … of an answer."""
    return CODES.get(reply.answer.code, f"code {reply.answer.code}")


def expect_code(reply: Any, what: str, *allowed: str) -> str:
    """The code of the answer. Raises Failed when it is none of these."""
    code = code_of(reply)
    if code not in allowed:
        told = f": {reply.answer.text[:200]}" if reply.answer.text else ""
        told += _where(reply.answer.trace)
        raise Failed(f"{what} was answered {code}, not {' or '.join(allowed)}{told}")
    return code


def _where(trace: str) -> str:
    """The last place of a trace: who reads this is the author."""
    places = re.findall(r'File "([^"]+)", line (\d+)', trace)
    return f" ({Path(places[-1][0]).name}:{places[-1][1]})" if places else ""
