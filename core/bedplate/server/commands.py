"""Command: wishes to write a tag, a second person's word, and taking back. What may be sent, the guard decides.

A call that ends early changes nothing that is on its way: the guard goes on by itself, and a repeat with the same
command_id gets the first answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bedplate.api.v1 import command_pb2 as messages
from bedplate.command import Command, Guard, NoSuchCommand, Wish
from bedplate.errors import CallError
from bedplate.model import tails
from bedplate.runtime.kernel import Kernel
from bedplate.server.door import Caller, Method
from bedplate.server.interlock_words import InterlockWords
from bedplate.server.selection import selection, several, unknown
from bedplate.wire import value_message, value_of

SERVICE = "bedplate.api.v1.Command"
SEES = "catalog.tags"  # by which it is found out whether a name may be known
WITHIN = 10.0  # s, where the client says nothing
LONGEST = 150.0  # s: a command may wait 60 s for its turn, and its read-back takes its time
LISTED, MOST = 100, 1000  # commands in an answer


class CommandService:
    """Serves the guard."""

    def __init__(self, kernel: Kernel, guard: Guard) -> None:
        self._kernel, self._guard, self._words = kernel, guard, InterlockWords(kernel)

    def methods(self) -> list[Method]:
        return [
            Method(
                SERVICE,
                "Submit",
                "unary",
                messages.SubmitRequest,
                "command.submit",
                self.submit,
                self._tag_named,
                within=LONGEST,
            ),
            Method(
                SERVICE,
                "Approve",
                "unary",
                messages.ApproveRequest,
                "command.approve",
                self.approve,
                self._command_named,
                within=LONGEST,
            ),
            Method(
                SERVICE,
                "Cancel",
                "unary",
                messages.CancelRequest,
                "command.cancel",
                self.cancel,
                self._command_named,
            ),
            Method(
                SERVICE,
                "ListCommands",
                "unary",
                messages.ListCommandsRequest,
                "command.list",
                self.list,
            ),
        ]

    # --- what is named ---

    def _paths(self) -> list[str]:
        registry = self._kernel.spine.registry
        return [*dict.fromkeys((*registry.declared, *registry.table.paths()))]

    async def _tag_named(self, request: Any, caller: Caller) -> Sequence[str]:
        return [await self._tag(request.tag, caller)]

    async def _tag(self, text: str, caller: Caller) -> str:
        """The full path of one tag. Raises CallError for none, and for several with the candidates."""
        seen = await caller.seen(SEES, self._paths())
        found = tails(text.strip("/"), seen)
        if len(found) > 1:
            raise several(text, "tags", found)
        if not found:
            raise unknown(text, "tag", seen)
        return found[0]

    async def _command_named(self, request: Any, caller: Caller) -> Sequence[str]:
        return [(await self._command(request.command_id, caller)).tag]

    async def _command(self, command_id: str, caller: Caller) -> Command:
        every = self._guard.commands(last=MOST)
        found = [one for one in every if one.command_id == command_id]
        seen = await caller.seen(SEES, [one.tag for one in found]) if found else ()
        for one in found:
            if one.tag in seen:
                return one
        raise CallError(f"no command {command_id[:64]}", code="NOT_FOUND")

    # --- the calls ---

    async def submit(self, request: Any, caller: Caller) -> Any:
        value = value_of(request.value)
        if value is None:
            raise CallError("value is missing", code="INVALID_ARGUMENT")
        wish = Wish(
            command_id=request.command_id,
            tag=await self._tag(request.tag, caller),
            value=value,
            if_current=value_of(request.if_current) if request.HasField("if_current") else None,
            within=request.within_ms / 1000 if request.within_ms else WITHIN,
            dry_run=request.dry_run,
            reason=request.reason,
        )
        done = await self._guard.submit(wish, caller.subject)
        (told,) = await self._words.shown([done], caller)
        return messages.SubmitResponse(command=status_of(told))

    async def approve(self, request: Any, caller: Caller) -> Any:
        try:
            done = await self._guard.approve(request.command_id, request.intent, caller.subject)
        except NoSuchCommand as error:
            raise CallError(str(error), code="NOT_FOUND") from None
        (told,) = await self._words.shown([done], caller)
        return messages.ApproveResponse(command=status_of(told))

    async def cancel(self, request: Any, caller: Caller) -> Any:
        try:
            done = await self._guard.cancel(request.command_id, caller.subject)
        except NoSuchCommand as error:
            raise CallError(str(error), code="NOT_FOUND") from None
        (told,) = await self._words.shown([done], caller)
        return messages.CancelResponse(command=status_of(told))

    async def list(self, request: Any, caller: Caller) -> Any:
        last = min(request.last or LISTED, MOST)
        every = self._guard.commands(waiting=request.waiting, last=MOST)
        paths = {*self._paths(), *(one.tag for one in every)}
        seen = set(await caller.seen(SEES, sorted(paths)))
        wanted = selection(list(request.selectors), sorted(seen))
        chosen = [one for one in every if one.tag in seen and wanted.matches(one.tag)]
        told = await self._words.shown(chosen[:last], caller)
        return messages.ListCommandsResponse(commands=_known(told))


def _known(commands: Iterable[Command]) -> Iterable[Any]:
    """Without those that are being checked at this moment."""
    shown = messages.CommandState.values()
    return [status_of(one) for one in commands if int(one.state.public) in shown]


def status_of(one: Command) -> messages.CommandStatus:
    """A command as a message."""
    told = messages.CommandStatus(
        command_id=one.command_id,
        tag=one.tag,
        state=int(one.state.public),  # type: ignore[arg-type]
        text=one.text,
        by=one.by.id,
        approved_by=one.approved_by.id if one.approved_by else "",
        rule=one.rule,
        intent=one.intent,
        reason=one.reason,
        submitted=one.submitted,
        ended=one.ended,
        unit=one.unit,
    )
    for field, value in (("value", one.value), ("old", one.old), ("read_back", one.read_back)):
        if value is not None:
            getattr(told, field).CopyFrom(value_message(value))
    for check in one.checks:
        told.checks.add(name=check.name, passed=check.passed, text=check.text)
    return told
