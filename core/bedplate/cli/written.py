"""How a command reads: what is wished, what the checks say, what became of it, and the list of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from bedplate.cli.samples import local
from bedplate.cli.screen import Column, Path, indented, table
from bedplate.model import DataType, TagInfo
from bedplate.shown import plain, unit_text, value_text

if TYPE_CHECKING:
    from bedplate.client import CommandStatus

STYLES = {
    "verified": "green",
    "mismatch": "bold red",
    "unknown": "bold red",
    "rejected": "red",
    "expired": "yellow",
    "await_approval": "yellow",
}
MARKS = {"verified": "✔", "await_approval": "▲", "expired": "✖", "cancelled": "✖", "sent": "▲"}
WORDS = {"await_approval": "waits for a second person", "sent": "on its way"}
NOT_KNOWN = "not known"


def shown(value: Any, tag: TagInfo, *, unit: bool = True) -> str:
    """With every digit that counts: nobody should agree to a number that was rounded for him."""
    states = tag.states
    if isinstance(value, float) and not (states and value.is_integer() and int(value) in states):
        text = f"{value:.15g}"
    else:
        text = value_text(value, states) if value is not None else NOT_KNOWN
    return f"{text} {unit_text(tag.unit)}".rstrip() if unit and value is not None else text


def wish(one: CommandStatus, tag: TagInfo, now: Any = None) -> Iterator[Any]:
    """Tag, old → new, who and by which rule. now: the value at this moment, where that is later."""
    old = one.old if now is None else now
    change = Text(f"  {shown(old, tag, unit=False)} → ")
    yield Text(one.tag, "bold") + change + Text(shown(one.value, tag), "bold")
    rows = [("by", f"{one.by}{f', {one.rule}' if one.rule else ''}")]
    rows += [("reason", plain(one.reason, 500))] if one.reason else []
    if now is not None:
        rows += [("submitted", f"{local(one.submitted):%H:%M:%S}"), ("intent", one.intent[:16])]
    yield indented(table([Column(), Column(wraps=True)], [(Text(a, "dim"), b) for a, b in rows]))


def checks(one: CommandStatus, *, full: bool) -> Iterator[Any]:
    """full: also those that passed."""
    rows = [
        (
            Text("✔", "green") if check.passed else Text("✖", "red"),
            check.name,
            Text(check.text, "" if check.passed else "red"),
        )
        for check in one.checks
        if full or not check.passed
    ]
    if rows:
        yield ""
        yield indented(table([Column(), Column(), Column(wraps=True)], rows))
    yield ""
    yield objections(one)


def objections(one: CommandStatus) -> Text:
    """The last line below the checks."""
    against = [check.name for check in one.checks if not check.passed]
    if not against:
        sent = " Nothing was sent." if one.state == "dry_run" else ""
        return Text(f"All {len(one.checks)} checks passed.{sent}", "green")
    return Text(f"It would be rejected: {', '.join(against)}. Nothing was sent.", "red")


def outcome(one: CommandStatus, tag: TagInfo) -> Iterator[Any]:
    """What became of it."""
    style = STYLES.get(one.state, "")
    mark = MARKS.get(one.state, "✖")
    state = WORDS.get(one.state, one.state)
    yield Text.assemble((f"{mark} {state}", style), f"  {one.tag}  {_said(one, tag)}")
    rows = [(Text("why", "dim"), Text(one.text))] if one.text and one.state != "verified" else []
    rows += [(Text("do", "dim"), Text(text)) for text in _todo(one)]
    if rows:
        yield indented(table([Column(), Column(wraps=True)], rows))


def _said(one: CommandStatus, tag: TagInfo) -> str:
    old = f", was {shown(one.old, tag)}" if one.old is not None else ""
    if one.state == "verified":
        took = (one.ended - one.submitted) / 1e9
        return f"reads {shown(one.read_back, tag)}{old}; after {took:.1f} s"
    if one.state == "mismatch":
        return f"reads {shown(one.read_back, tag)} instead of {shown(one.value, tag)}{old}"
    if one.state == "unknown":
        return f"may be {shown(one.value, tag)} or what it was{old}"
    return f"{shown(one.value, tag)} was not sent" if one.state != "sent" else ""


def _todo(one: CommandStatus) -> Iterator[str]:
    if one.state == "await_approval":
        yield f"a second person: bedplate write --approve {one.command_id[:8]}"
    elif one.state == "mismatch":
        yield "look at the machine"
    elif one.state == "unknown":
        yield "look at the machine; nothing is sent again by itself"


def listing(found: Sequence[CommandStatus]) -> Any:
    """The newest first."""
    if not found:
        return Text("no commands", "dim")
    columns = [
        Column("when"),
        Column("id"),
        Column("tag", gives=True),
        Column("old → new", align="right"),
        Column("state"),
        Column("by", gives=True),
        Column("why", wraps=True),
    ]
    return table(columns, [_row(one) for one in found])


def _row(one: CommandStatus) -> tuple[Any, ...]:
    tag = TagInfo(0, one.tag, DataType.UNSPECIFIED, unit=one.unit)
    state = Text(WORDS.get(one.state, one.state), STYLES.get(one.state, ""))
    by = f"{one.by} + {one.approved_by}" if one.approved_by else one.by
    change = f"{shown(one.old, tag, unit=False)} → {shown(one.value, tag)}"
    why = "" if one.state in ("verified", "await_approval") else plain(one.text, 200)
    when = f"{local(one.submitted):%m-%d %H:%M:%S}"
    return when, one.command_id[:8], Path(one.tag), change, state, by, why
