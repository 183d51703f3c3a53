"""A silence in words: of one device, of several behind one address, of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bedplate.runtime.causes import reading
from bedplate.runtime.causes.cause import Whose
from bedplate.runtime.causes.fact import Fact, Member
from bedplate.runtime.causes.naming import name_of
from bedplate.runtime.causes.network import span
from bedplate.runtime.causes.silence import Silence
from bedplate.shown import some


@dataclass(frozen=True, slots=True)
class Said:
    """subject: empty for the name that all of them have together · state: empty for that of the worst · many: it hits
    several devices."""

    text: str
    whose: Whose
    advice: tuple[str, ...]
    subject: str = ""
    state: str = ""
    many: bool = False


def alone(silence: Silence, members: Mapping[str, Member], clock: Callable[[int], str]) -> Said:
    """One device, or one reader and what stands behind it."""
    (fact,) = silence.facts
    member = members[fact.component]
    told = reading.of_words(fact.reason)
    room = f"; {member.room}" if member.room else ""
    text = f"{fact.state}: {fact.reason}{room}"
    if member.role != "source":
        broken = told is not None and told.whose is Whose.STORAGE
        whose = Whose.STORAGE if broken else Whose.READER
        do = told.do if told else "See whether {spot} is there, and whether this machine reaches it"
        return Said(
            text, whose, (do, "What it has not got is kept for it meanwhile"), fact.component
        )
    if silence.others:
        return Said(
            f"{text}; {len(silence.others)} others at {member.spot} answer",
            Whose.DEVICE,
            ("Look at this unit and its bus, not at what stands before it: others there answer",),
            fact.component,
        )
    whose = told.whose if told else Whose.DEVICE
    do = (
        told.do
        if told and told.do
        else "See whether {spot} has power and its cable, then whether it runs"
    )
    return Said(text, whose, (do,), fact.component)


def several(silence: Silence, members: Mapping[str, Member], clock: Callable[[int], str]) -> Said:
    """More than one: what they share is what to look at."""
    facts = silence.facts
    say = {
        "everything": _everything,
        "behind": _behind,
        "host": _host,
        "network": _network,
    }.get(silence.scope, _alike)
    return say(silence, f"devices silent {_at(facts, clock)}", members)


def _everything(silence: Silence, words: str, members: Mapping[str, Member]) -> Said:
    text = f"all {len(silence.facts)} {words}, {span(_hosts(silence, members))}: look at this machine's own network"
    do = "See whether this machine's own cable and interface are up: `ip -br address`"
    return Said(text, Whose.NETWORK, (do,), many=True)


def _behind(silence: Silence, words: str, members: Mapping[str, Member]) -> Said:
    facts, spot = silence.facts, str(members[silence.facts[0].component].spot)
    if members[facts[0].component].role != "source":
        names = " and ".join(f.component for f in facts)
        text = f"{facts[0].state}: {facts[0].reason}; {names} wait for it"
        told = reading.of_words(facts[0].reason)
        do = told.do if told else "See whether {spot} is there, and whether this machine reaches it"
        return Said(text, Whose.READER, (do,), spot, many=True)
    whole = len(facts) + len(silence.others)
    head = f"{len(facts)} of {whole} {words}, behind {spot}"
    if silence.others:
        names = _names(silence)
        text = f"{head}; the others answer: look at {names} and their bus, not at the gateway"
        return Said(text, Whose.DEVICE, (f"Look at {names}: power, bus, terminator",), many=True)
    text = f"{head}: look at {spot}, not at the devices ({facts[0].reason})"
    told = reading.of_words(facts[0].reason)
    do = (
        told.do if told and told.do else "See whether the gateway at {spot} has power and its cable"
    )
    return Said(text, Whose.DEVICE, (do,), spot, many=True)


def _host(silence: Silence, words: str, members: Mapping[str, Member]) -> Said:
    host = span(_hosts(silence, members))
    whole = len(silence.facts) + len(silence.others)
    text = f"{len(silence.facts)} of {whole} {words}, at {host} ({silence.facts[0].reason})"
    do = f"See whether {host} has power and its cable, then what runs there"
    return Said(text, Whose.DEVICE, (do,), _unnamed(silence, members, host), many=True)


def _network(silence: Silence, words: str, members: Mapping[str, Member]) -> Said:
    row = span(_hosts(silence, members))
    count = len(silence.facts)
    if not silence.others:
        text = f"{count} of {count} {words}, all of them in {row} and nobody else: look at their switch"
        do = f"Look at the switch and the power that {row} share, not at the devices"
        return Said(text, Whose.NETWORK, (do,), _unnamed(silence, members, row), many=True)
    process = _own_process(silence, members)
    head = f"{count} of {count + len(silence.others)} {words}, in {row}"
    if process:
        text = f"{head}, and these are all of process {process}, while others between them answer: look at that process"
        do = f"Look at process {process} in `bedplate status`: its pings, CPU and memory"
        return Said(text, Whose.PLUGIN, (do,), process, many=True)
    text = f"{head}, others between them answer: look at what {_names(silence)} share"
    do = "Look at what they share: power, a port of the switch, a controller above them"
    return Said(text, Whose.NETWORK, (do,), many=True)


def _alike(silence: Silence, words: str, members: Mapping[str, Member]) -> Said:
    first = silence.facts[0]
    told = reading.of_words(first.reason)
    text = f"{first.state}: {first.reason}; {len(silence.facts)} {words}: {_names(silence)}"
    whose = told.whose if told else Whose.DEVICE
    do = told.do if told and told.do else "See what these devices share"
    return Said(text, whose, (do,), many=True)


def _unnamed(silence: Silence, members: Mapping[str, Member], row: str) -> str:
    """A row, or a host, is a subject of its own where nothing else names just these."""
    return name_of({f.component for f in silence.facts}, members) or row


def _own_process(silence: Silence, members: Mapping[str, Member]) -> str:
    """The process that is all of these and nothing else, while others have theirs."""
    mine = {members[f.component].process for f in silence.facts}
    others = {members[id_].process for id_ in silence.others}
    if len(mine) != 1 or mine & others:
        return ""
    (process,) = mine
    return process


def _hosts(silence: Silence, members: Mapping[str, Member]) -> list[str]:
    return [spot.host for f in silence.facts if (spot := members[f.component].spot)]


def _names(silence: Silence) -> str:
    return some(sorted(fact.component for fact in silence.facts))


def _at(facts: Sequence[Fact], clock: Callable[[int], str]) -> str:
    """within 1.2 s at 03:14:07; or since then, when it is not known how they began."""
    first, last = min(f.since for f in facts), max(f.since for f in facts)
    if not any(f.heard for f in facts):
        return f"since {clock(first)}"
    return f"within {(last - first) / 1e9:.1f} s at {clock(first)}"
