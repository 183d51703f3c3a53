"""`bedplate write`: one value to one tag, through the guard, by a person who has seen what it will do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import tag

if TYPE_CHECKING:
    from bedplate.client import Client, CommandStatus, TagEntry

CODES = {
    "verified": Exit.DONE,
    "mismatch": Exit.MISMATCH,
    "unknown": Exit.UNKNOWN,
    "sent": Exit.UNKNOWN,
    "await_approval": Exit.WAITS,
    "rejected": Exit.REJECTED,
    "expired": Exit.EXPIRED,
    "cancelled": Exit.CANCELLED,
}


@command(context_settings={"ignore_unknown_options": True})  # -5 is a value
@tag()
@click.argument("value", required=False)
@click.option("--dry-run", is_flag=True, help="Every check and its verdict; nothing is sent.")
@click.option("--if-current", metavar="VALUE", help="Only if the tag has this value.")
@click.option(
    "--within",
    default="10s",
    show_default=True,
    metavar="TIME",
    help="Never sent later than this; at most 60s.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the audit log.")
@click.option("--yes", is_flag=True, help="You are sure; nothing is asked.")
@click.option("--list", "listed", is_flag=True, help="Commands, of TAG or all, the newest first.")
@click.option("--approve", metavar="ID", help="As the second person, carry out what waits.")
@click.option("--cancel", metavar="ID", help="Take back what is not on its way yet.")
def write(invocation: Invocation, tag: str | None, value: str | None, **asked: Any) -> int:
    """TAG is a path or any unique tail of one; VALUE is in its unit, or a label of its states.

    \b
      bedplate write filler/speed_setpoint 95 --dry-run   what the checks say
      bedplate write filler/speed_setpoint 95             asks, sends it once
      bedplate write --list                               what was; what waits
      bedplate write --approve 4f1c                       the second person

    Exit codes: 0 verified (or a dry run without objection), 5 it reads back something else, 6 nobody can say, 7 it
    waits for a second person, 8 rejected, 9 too late, 10 cancelled; 2 not done at all.
    """
    listed, approve, cancel = asked["listed"], asked["approve"], asked["cancel"]
    chosen = [word for word in (listed, approve, cancel) if word]
    if len(chosen) > 1 or (chosen and value is not None) or (tag and (approve or cancel)):
        raise click.UsageError("one of TAG VALUE, --list, --approve ID and --cancel ID")
    if value is not None and value.startswith("--"):
        raise click.UsageError(f"no such option: {value}")
    with invocation.client() as client:
        if listed:
            return _list(invocation, client, tag)
        if approve:
            return _approve(invocation, client, approve, yes=asked["yes"])
        if cancel:
            return _cancel(invocation, client, cancel)
        if tag is None or value is None:
            raise click.UsageError("name the tag and the value: bedplate write TAG VALUE")
        return _write(invocation, client, (tag, value), asked)


def _write(
    invocation: Invocation, client: Client, words: tuple[str, str], asked: dict[str, Any]
) -> int:
    entry, dry_run, yes = _tag(client, words[0]), asked["dry_run"], asked["yes"]
    value, current = typed(words[1], entry), asked["if_current"]
    more = {"within": asked["within"], "reason": asked["reason"]}
    more["if_current"] = None if current is None else typed(current, entry)
    if not yes and not dry_run:
        _somebody()
    try:
        if dry_run or not yes:
            checked = client.write(entry.path, value, dry_run=True, **more)
            if dry_run or not checked.passed:
                return _checked(invocation, checked, entry, full=dry_run)
            if not _agreed(invocation, checked, entry):
                return Exit.NOT_DONE
        done = client.write(entry.path, value, **more)
    except ValueError as error:
        raise click.UsageError(f"--within {error}") from None
    return _told(invocation, done, entry)


def _checked(invocation: Invocation, checked: CommandStatus, entry: TagEntry, *, full: bool) -> int:
    """The answer to a dry run. full: with every check, not only what stands against it."""
    from bedplate.cli.written import checks, wish

    if invocation.json:
        _json(checked)
    else:
        for thing in (*wish(checked, entry.tag), *checks(checked, full=full)):
            invocation.screen.show(thing)
    return Exit.DONE if checked.passed else Exit.REJECTED


def _agreed(invocation: Invocation, checked: CommandStatus, entry: TagEntry) -> bool:
    from rich.text import Text

    from bedplate.cli.written import shown, wish

    for thing in wish(checked, entry.tag):
        invocation.screen.show(thing)
    invocation.screen.show(Text(f"  All {len(checked.checks)} checks passed.", "green"))
    return _sure(f"Write {shown(checked.value, entry.tag)} to {checked.tag}?")


def _approve(invocation: Invocation, client: Client, id_: str, *, yes: bool) -> int:
    from bedplate.cli.written import checks, wish

    one = _waiting(client, id_)
    entry = _tag(client, one.tag)
    if not yes:
        _somebody()
        for thing in (*wish(one, entry.tag, now=_now(entry)), *checks(one, full=True)):
            invocation.screen.show(thing)
        if not _sure(f"Approve it? It was submitted by {one.by}."):
            return Exit.NOT_DONE
    return _told(invocation, client.approve(one.command_id, one.intent), entry)


def _cancel(invocation: Invocation, client: Client, id_: str) -> int:
    one = client.cancel(_waiting(client, id_, otherwise=id_).command_id)
    _told(invocation, one, _tag(client, one.tag))
    return Exit.DONE if one.state == "cancelled" else CODES.get(one.state, Exit.NOT_DONE)


def _list(invocation: Invocation, client: Client, tag: str | None) -> int:
    from bedplate.cli.written import listing

    found = client.commands(*([tag] if tag else []))
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(found)
    else:
        invocation.screen.show(listing(found))
    return Exit.DONE


def _told(invocation: Invocation, done: CommandStatus, entry: TagEntry) -> int:
    from bedplate.cli.written import outcome

    if invocation.json:
        _json(done)
    else:
        for thing in outcome(done, entry.tag):
            invocation.screen.show(thing)
    return CODES.get(done.state, Exit.NOT_DONE)


def _json(one: CommandStatus) -> None:
    from bedplate.cli.output import write_json

    write_json(one)


def _tag(client: Client, text: str) -> TagEntry:
    """The one tag that is meant. Raises UsageError for an asset or a pattern, CallError for what is unknown."""
    found = client.tags(text, current=True)
    if len(found) != 1:
        raise click.UsageError(f"{text} names {len(found)} tags; one is written at a time")
    return found[0]


def _now(entry: TagEntry) -> Any:
    return entry.current.value if entry.current else None


def _waiting(client: Client, id_: str, otherwise: str = "") -> CommandStatus:
    """A command by its id or the beginning of it. otherwise: one that has ended may be meant too."""
    every = client.commands(waiting=not otherwise, last=1000)
    found = [one for one in every if one.command_id.startswith(id_)]
    exact = [one for one in found if one.command_id == id_]
    if len(exact or found) != 1:
        what = "commands begin" if found else "command that waits begins"
        raise click.UsageError(f"{len(found) or 'no'} {what} with {id_}; bedplate write --list")
    return (exact or found)[0]


def _somebody() -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to ask; --yes says that you are sure")


def _sure(question: str) -> bool:
    click.echo("")
    if click.confirm(question, default=False):
        return True
    click.echo("Nothing was sent.")
    return False


def typed(text: str, entry: TagEntry) -> Any:
    """What was typed, in the type of the tag. Raises UsageError with what it should be."""
    from bedplate.model import DataType

    tag = entry.tag
    if text in tag.states.values():
        return text
    reads: dict[DataType, tuple[Callable[[str], Any], str]] = {
        DataType.BOOL: (_bool, "true or false"),
        DataType.INT64: (int, "a whole number"),
        DataType.UINT64: (int, "a whole number"),
        DataType.FLOAT64: (float, "a number"),
        DataType.BLOB: (bytes.fromhex, "bytes, such as 0A FF"),
    }
    read, what = reads.get(tag.data_type, (str, ""))
    labels = f", or {', '.join(tag.states.values())}" if tag.states else ""
    try:
        return read(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is not {what}{labels}, as {tag.path} is") from None


def _bool(text: str) -> bool:
    words = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]
