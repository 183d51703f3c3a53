"""Answers of a plugin as a test wants them: values that are plain, and the contract's codes as exceptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bedplate.errors import Invalid, Refused
from bedplate.model import Event, quality
from bedplate.plugin.v1 import plugin_pb2
from bedplate.wire import decode_batch


class PluginFault(AssertionError):
    """The plugin answered FAULT: a bug, with the trace it told."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One sample. quality: StatusCode · time: ns UTC, None: the kernel would stamp it · why: reason of a Bad one."""

    value: Any
    quality: int = quality.GOOD
    time: int | None = None
    why: str = ""

    @property
    def good(self) -> bool:
        return quality.is_good(self.quality)


@dataclass(frozen=True, slots=True)
class Results:
    """What an analytic made of a stretch. samples: output → its samples in order · states: asset → state, if new."""

    samples: Mapping[str, list[Reading]]
    events: list[Event]
    states: Mapping[str, bytes]


def checked(reply: Any) -> Any:
    """The reply, when it says OK.

    Raises bedplate.Invalid, bedplate.Refused, ConnectionError (UNREACHABLE), TimeoutError (EXPIRED),
    NotImplementedError (UNSUPPORTED), PluginFault.
    """
    answer = reply.answer
    match answer.code:
        case plugin_pb2.CODE_OK:
            return reply
        case plugin_pb2.CODE_INVALID:
            problem = answer.problems[0] if answer.problems else None
            raise Invalid(
                problem.text if problem else answer.text, pointer=problem.pointer if problem else ""
            )
        case plugin_pb2.CODE_REFUSED:
            raise Refused(answer.text)
        case plugin_pb2.CODE_UNREACHABLE:
            raise ConnectionError(answer.text)
        case plugin_pb2.CODE_EXPIRED:
            raise TimeoutError(answer.text or "too late")
        case plugin_pb2.CODE_UNSUPPORTED:
            raise NotImplementedError(answer.text or "the plugin does not know this ask")
    raise PluginFault(f"{answer.text}\n{answer.trace}")


def readings(
    batches: Iterable[bytes], names: Mapping[int, str], reasons: Mapping[int, str]
) -> dict[str, list[Reading]]:
    """The samples of these batches by name of their tag, in order. Raises ProtocolError for one that can't be read."""
    found: dict[str, list[Reading]] = {}
    for encoded in batches:
        batch = decode_batch(encoded)
        times = batch.times().tolist() if len(batch.time) else [None] * len(batch)
        columns = zip(
            *(batch.tags().tolist(), batch.value.tolist(), batch.qualities().tolist(), times),
            strict=True,
        )
        for handle, value, code, time in columns:
            name = names.get(handle, f"handle {handle}")
            found.setdefault(name, []).append(Reading(value, code, time, reasons.get(handle, "")))
    return found
