"""Lines of the audit log about commands: who, what, old → new, the intent, the rule, and the end of each."""

from __future__ import annotations

from bedplate.audit.entry import Entry
from bedplate.command.case import one_line
from bedplate.command.command import Command, State
from bedplate.command.raw import exact
from bedplate.contracts import Subject

LONGEST = (
    120  # characters of a value: what is to be done must fit into a line, whatever was there before
)
VERDICTS = {State.REJECTED: "refused", State.EXPIRED: "refused", State.AWAIT_APPROVAL: "noted"}


def about(
    command: Command, action: str, verdict: str, text: str, by: Subject | None = None
) -> Entry:
    """by: who did it, when that is not who submitted."""
    who = by or command.by
    return Entry(
        action=f"command.{action}",
        verdict=verdict,
        who=who.id,
        method=who.method,
        peer=who.peer,
        resource=command.tag,
        rule=command.rule,
        text=text,
        credential=who.credential,
        correlation=command.command_id,
    )


def change(command: Command) -> str:
    """118.0 → 120.0 1/min, intent 3f…, approved by erika, reason "…"."""
    unit = f" {command.unit}" if command.unit else ""
    old, new = (one_line(exact(value), LONGEST) for value in (command.old, command.value))
    parts = [f"{old} → {new}{unit}", f"intent {command.intent}"]
    if command.approved_by:
        second = command.approved_by
        parts.append(f"approved by {second.id} ({second.credential})")
    if command.reason:
        parts.append(f'reason "{command.reason}"')
    return ", ".join(parts)


def intended(command: Command) -> Entry:
    """Synced before anything is sent."""
    return about(command, "intent", "allowed", change(command))


def ended(command: Command) -> Entry:
    """What became of it; and of one that goes on waiting."""
    verdict = VERDICTS.get(command.state, "noted")
    name = "waiting" if command.state is State.AWAIT_APPROVAL else command.state.name.lower()
    text = command.text[:400]
    return about(command, name, verdict, f"{text}; {change(command)}" if command.intent else text)
