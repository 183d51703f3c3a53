"""Commands as values of Python: what was wished, what was checked, what became of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from bedplate.api.v1 import command_pb2 as messages
from bedplate.client.span import Length, length
from bedplate.wire import value_message, value_of

SENT = frozenset({"sent", "verified", "mismatch", "unknown"})  # a device has it, or may have


@dataclass(frozen=True, slots=True)
class CommandCheck:
    """One check. name: "range" · passed: False, it stands against the command · text: what was found."""

    name: str
    passed: bool
    text: str


@dataclass(frozen=True, slots=True)
class CommandStatus:
    """A command as it stands. tag: full path · old, read_back: None, not known · state: await_approval, sent, verified,
    mismatch, unknown, rejected, expired, cancelled, dry_run · text: why · checks: up to the first that stood against
    it, of a dry run all · rule: of writes.allow that allows it · intent: what a second person approves · submitted,
    ended: ns UTC, 0: not yet."""

    command_id: str
    tag: str
    value: Any
    old: Any
    read_back: Any
    state: str
    text: str
    checks: tuple[CommandCheck, ...]
    by: str
    approved_by: str
    rule: str
    intent: str
    reason: str
    submitted: int
    ended: int
    unit: str

    @property
    def passed(self) -> bool:
        """Whether no check stands against it."""
        return all(check.passed for check in self.checks)


@dataclass(frozen=True, slots=True)
class WritesStatus:
    """How writing stands. off: why nothing can be written though it is enabled; empty: it can · waiting: for a second
    person · the counts: of commands since `since` (ns UTC, midnight where the plant is)."""

    enabled: bool
    off: str
    waiting: int
    since: int
    sent: int
    verified: int
    mismatch: int
    unknown: int
    refused: int


def submit_request(
    tag: str,
    value: Any,
    if_current: Any,
    within: Length,
    *,
    dry_run: bool,
    reason: str,
    command_id: str,
) -> Any:
    """Raises ValueError for a value that no tag can have, and for a within that is no length of time."""
    request = messages.SubmitRequest(
        command_id=command_id or uuid.uuid4().hex,
        tag=tag,
        value=value_message(value),
        within_ms=max(1, length(within) // 1_000_000),
        dry_run=dry_run,
        reason=reason,
    )
    if if_current is not None:
        request.if_current.CopyFrom(value_message(if_current))
    return request


def command_of(message: Any) -> CommandStatus:
    """One CommandStatus of a response."""
    state = messages.CommandState.Name(message.state).removeprefix("COMMAND_STATE_").lower()
    return CommandStatus(
        message.command_id,
        message.tag,
        value_of(message.value),
        value_of(message.old),
        value_of(message.read_back),
        state,
        message.text,
        tuple(CommandCheck(one.name, one.passed, one.text) for one in message.checks),
        message.by,
        message.approved_by,
        message.rule,
        message.intent,
        message.reason,
        message.submitted,
        message.ended,
        message.unit,
    )
