"""One line for a cause: its subject, what happened, whose it is, and what to do.

Rule: the subject is something that `why` finds: a component, a tag, a process, an entry of the file, a level of the
path, an address or a row of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bedplate.model import quality
from bedplate.runtime.causes import reading
from bedplate.runtime.causes.cause import MANY, SEVERITY, Cause, Whose
from bedplate.runtime.causes.fact import BadTag, Fact, Kind, Member
from bedplate.runtime.causes.naming import name_of
from bedplate.runtime.causes.network import span
from bedplate.runtime.causes.silence import Silence
from bedplate.runtime.causes.silent_words import Said, alone, several
from bedplate.shown import FEW, some

JOURNAL = "journal"


def utc(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // 1_000_000_000, UTC):%H:%M:%S} UTC"


class Words:
    """members: all of the plant · clock: a moment as its people read it."""

    def __init__(self, members: Mapping[str, Member], clock: Callable[[int], str]) -> None:
        self._members = members
        self._clock = clock

    def of(self, kind: Kind, facts: Sequence[Fact]) -> Cause:
        """Of facts that belong together, of one kind."""
        say: dict[Kind, Callable[[Sequence[Fact]], Said]] = {
            Kind.FAULT: self._fault,
            Kind.TAGS: self._tags,
            Kind.SETTINGS: self._settings,
            Kind.AWAY: self._away,
            Kind.BEHIND: self._behind,
            Kind.PLATFORM: self._platform,
        }
        return self._cause(kind, facts, say.get(kind, self._slow)(facts))

    def storage(self, facts: Sequence[Fact]) -> list[Cause]:
        """The journal's trouble, and whom it holds up. Those without words of the journal's own are its too."""
        if not facts:
            return []
        own = [fact for fact in facts if not fact.component] or [facts[0]]
        first = min(own, key=lambda f: f.since)
        hit = f"; holds up {self._count(facts)}" if any(f.component for f in facts) else ""
        advice = (
            "Make room on the journal's disk, or replace it; it goes on by itself within seconds",
            "See under `readers` in `bedplate status` who is behind, and give the journal more `size`",
        )
        text = f"{first.state}: {first.reason}{hit}"
        said = Said(text, Whose.STORAGE, advice, JOURNAL, first.state)
        return [self._cause(Kind.STORAGE, facts, said)]

    def silence(self, silence: Silence) -> Cause:
        """Of devices, or of what stands behind readers."""
        facts = silence.facts
        say = alone if len(facts) == 1 else several
        said = say(silence, self._members, self._clock)
        history = any(self._members[f.component].role == "history" for f in facts)
        found = self._cause(Kind.SILENT, facts, said)
        return replace(found, severity=MANY) if history else found

    # --- kinds ---

    def _fault(self, facts: Sequence[Fact]) -> Said:
        first, processes = self._worst(facts), self._processes(facts)
        text = f"{first.state}: {first.reason}"
        subject = first.component
        if len(facts) > 1:
            text += f"; hits {self._count(facts)}"
            subject = self._name(facts, processes[0] if len(processes) == 1 else "")
        if len(processes) > 1:
            text += f" in {len(processes)} processes ({some(processes)})"
            subject = self._members[first.component].use
        member = self._members[first.component]
        if "PLUGIN_" in first.reason or "is not started" in first.reason:
            do = f"See `bedplate plugins` on {member.plugin}: what it may have is not what it asks"
            return Said(text, Whose.PERSON, (do,), subject)
        do = f"Send `bedplate support` to {member.support or 'its author'}"
        if "SIGKILL" in first.reason:
            do = f"If nobody killed it, see how much memory it takes in `bedplate status`; {do}"
        return Said(text, Whose.PLUGIN, (do,), subject)

    def _settings(self, facts: Sequence[Fact]) -> Said:
        first = self._worst(facts)
        text, places = f"{first.state}: {first.reason}", self._places(facts)
        if len(facts) > 1:
            text += f"; hits {self._count(facts)}"
        text += f" ({places[0]})" if places else ""
        do = "Correct {place}, then `bedplate plan` and `bedplate apply` it"
        if (told := reading.of_words(first.reason)) and told.whose is Whose.CONFIGURATION:
            do = told.do
        return Said(text, Whose.CONFIGURATION, (do,))

    def _away(self, facts: Sequence[Fact]) -> Said:
        first = self._worst(facts)
        process = self._members[first.component].process
        text = f"{first.state}: {first.reason}; hits {self._count(facts)}"
        do = f"See whether `bedplate attach` for {process} runs there, and reaches this machine"
        return Said(text, Whose.NETWORK, (do,), process)

    def _slow(self, facts: Sequence[Fact]) -> Said:
        first = self._worst(facts)
        more = f"; hits {self._count(facts)}" if len(facts) > 1 else ""
        text = f"{first.state}: {first.reason}{more}"
        member = self._members[first.component]
        if member.role != "source" or "process of" in first.reason or "import of" in first.reason:
            do = f"If it stays so, send `bedplate support` to {member.support or 'its author'}"
            return Said(text, Whose.PLUGIN, (do,))
        do = "See whether {spot} is overloaded; a slower `scan` asks less of it"
        return Said(text, Whose.DEVICE, (do,))

    def _tags(self, facts: Sequence[Fact]) -> Said:
        first = facts[0]
        tag = min(first.tags, key=lambda t: (-t.code, t.name))
        _, told = reading.of_tag(tag)
        said = reading.said(tag)
        word = "Bad" if quality.is_bad(tag.code) else "Uncertain"
        names = some([one.name for one in sorted(first.tags)])
        if len(facts) > 1:
            subject, text = "", f"{word}: {names} of {self._count(facts)}: {said}"
        elif len(first.tags) == 1:
            subject, text = f"{self._tail(first.component)}/{tag.name}", f"{word}: {said}"
        else:
            whole = self._members[first.component].tags
            count = f"{len(first.tags)} of {whole}" if whole else f"{len(first.tags)}"
            subject, text = first.component, f"{word}: {count} tags, {names}: {said}"
        whose, do = told.whose, told.do
        if self._whole_type(facts) and not any(t.had for f in facts for t in f.tags):
            whose = Whose.CONFIGURATION
            do = "Correct the address in {place}: no device of this type has it"
        return Said(text, whose, self._filled((do,), facts, tag), subject, word)

    def _behind(self, facts: Sequence[Fact]) -> Said:
        (first,) = facts
        do = "It catches up by itself once it is quicker than what comes; see its line in `bedplate status`"
        return Said(f"{first.state}: {first.reason}", Whose.READER, (do,), first.component)

    def _platform(self, facts: Sequence[Fact]) -> Said:
        (first,) = facts
        return Said(first.reason, Whose.BEDPLATE, ("bedplate doctor",), "platform")

    # --- parts ---

    def _cause(self, kind: Kind, facts: Sequence[Fact], said: Said) -> Cause:
        components = tuple(sorted({f.component for f in facts if f.component}))
        lapses = [t.since for f in facts for t in f.tags if t.since]
        return Cause(
            kind,
            said.subject or self._name(facts),
            said.state or self._worst(facts).state,
            said.text,
            min(lapses or [f.since for f in facts]),
            components,
            sum(self._members[c].bad for c in components),
            said.whose,
            MANY if said.many else SEVERITY[kind],
            self._filled(said.advice, facts),
        )

    def _worst(self, facts: Sequence[Fact]) -> Fact:
        """The one whose words stand for all: of those that are faulted the first."""
        return min(facts, key=lambda f: (f.state != "faulted", f.since, f))

    def _count(self, facts: Iterable[Fact]) -> str:
        ids = sorted({f.component for f in facts if f.component})
        return some(ids) if len(ids) <= FEW else f"{len(ids)} components: {some(ids)}"

    def _processes(self, facts: Iterable[Fact]) -> list[str]:
        return sorted({self._members[f.component].process for f in facts})

    def _name(self, facts: Sequence[Fact], otherwise: str = "") -> str:
        return (
            name_of({f.component for f in facts}, self._members) or otherwise or facts[0].component
        )

    def _tail(self, component: str) -> str:
        path = self._members[component].path
        return path.rpartition("/")[2] or component

    def _places(self, facts: Iterable[Fact], tag: BadTag | None = None) -> list[str]:
        found = []
        for fact in facts:
            member = self._members[fact.component]
            line = dict(member.lines).get(tag.name, "") if tag else ""
            found.append(line or member.place)
        return [place for place in dict.fromkeys(found) if place]

    def _filled(
        self, advice: Iterable[str], facts: Sequence[Fact], tag: BadTag | None = None
    ) -> tuple[str, ...]:
        facts = [f for f in facts if f.component]
        spots = [s for f in facts if (s := self._members[f.component].spot)]
        spot = (
            str(spots[0]) if len(set(spots)) == 1 else span(s.host for s in spots) if spots else ""
        )
        place = next(iter(self._places(facts, tag)), "the deployment file")
        return tuple(
            line.replace("{place}", place).replace("{spot}", spot or "the device")
            for line in advice
        )

    def _whole_type(self, facts: Sequence[Fact]) -> bool:
        """Whether it hits all of a type, and these are several."""
        kind = self._members[facts[0].component].type
        every = {m.id for m in self._members.values() if m.type == kind and kind}
        return len(facts) > 1 and every == {f.component for f in facts}
