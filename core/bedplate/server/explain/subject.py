"""What somebody means by a word: a tag, a component, a process, an entry, a level, an address, an alarm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bedplate.errors import CallError
from bedplate.model import tails
from bedplate.runtime.causes import Cause, Member
from bedplate.runtime.kernel import Kernel
from bedplate.server.selection import nearest, several

NEAREST = 5
JOURNAL = ("journal", "kernel", "bedplate", "platform")


@dataclass(frozen=True, slots=True)
class Subject:
    """kind: tag, component, group, alarm, journal · name: in full · components: ids · tag: path, "" for none."""

    kind: str
    name: str
    components: tuple[str, ...] = ()
    tag: str = ""


class Subjects:
    """Of one kernel, now."""

    def __init__(self, kernel: Kernel, causes: Sequence[Cause], members: dict[str, Member]) -> None:
        self._kernel = kernel
        self._causes = causes
        self._members = members

    def find(self, text: str) -> Subject:
        """Raises CallError: NOT_FOUND with the nearest names, INVALID_ARGUMENT with all that it may mean."""
        text = text.strip().strip("/")
        steps: tuple[Callable[[str], Iterable[Subject]], ...] = (
            self._component,
            self._cause,
            self._group,
            self._tag,
            self._level,
            self._alarm,
            self._limit,
            self._address,
        )
        for step in steps:
            found = list(step(text)) if text else []
            if len(found) == 1:
                return found[0]
            if found:
                raise several(text, "things", [one.name for one in found])
        raise CallError(self._unknown(text), code="NOT_FOUND")

    def names(self) -> Iterator[str]:
        """All that may be asked for; the shortest of each kind."""
        yield from self._members
        yield from self._paths()
        for member in self._members.values():
            yield from {member.process, member.entry, *map(str, member.spots)}
            yield member.path
        yield from self._kernel.spine.alarms.sources()

    # --- steps, the first that finds something counts ---

    def _component(self, text: str) -> Iterator[Subject]:
        if text in self._members:
            yield Subject("component", text, (text,))
        elif text in JOURNAL:
            yield Subject("journal", "journal")

    def _cause(self, text: str) -> Iterator[Subject]:
        for cause in self._causes:
            if cause.subject == text and cause.components and "/" not in text:
                yield Subject("group", text, cause.components)
                return

    def _group(self, text: str) -> Iterator[Subject]:
        for what in ("process", "entry"):
            ids = tuple(m.id for m in self._members.values() if getattr(m, what) == text)
            if ids:
                yield Subject("group" if len(ids) > 1 else "component", text, ids)
                return

    def _tag(self, text: str) -> Iterator[Subject]:
        for path in tails(text, self._paths()):
            owner = self._kernel.spine.registry.owner.get(path, "")
            yield Subject("tag", path, (owner,) if owner in self._members else (), path)

    def _level(self, text: str) -> Iterator[Subject]:
        levels = {
            m.path.rsplit("/", n)[0] if n else m.path
            for m in self._members.values()
            for n in range(m.path.count("/") + 1)
        }
        for level in sorted(tails(text, levels)):
            ids = [m.id for m in self._members.values() if f"{m.path}/".startswith(f"{level}/")]
            yield Subject("group" if len(ids) > 1 else "component", level, tuple(ids))

    def _alarm(self, text: str) -> Iterator[Subject]:
        book = self._kernel.spine.alarms
        for source in tails(text, book.sources()):
            event = book.get(source)
            tag = event.alarm.tag if event and event.alarm else ""
            owner = self._kernel.spine.registry.owner.get(tag, "")
            of_cause = next((c.components for c in self._causes if self._is_of(source, c)), ())
            yield Subject("alarm", source, (owner,) if owner in self._members else of_cause, tag)

    def _limit(self, text: str) -> Iterator[Subject]:
        """A limit that never raised an alarm, by the end of its path."""
        for one in self._kernel.tier("analytic"):
            for asset in one.component.assets:
                for watched in getattr(one.role, "watched", ()):
                    last, _, name = watched.name.partition("/")
                    source = f"{asset.path}/{name}"
                    if last == asset.path.rpartition("/")[2] and tails(text, [source]):
                        owner = self._kernel.spine.registry.owner.get(watched.path, "")
                        known = (owner,) if owner in self._members else ()
                        yield Subject("alarm", source, known, watched.path)

    def _is_of(self, source: str, cause: Cause) -> bool:
        place = source.rpartition("/")[0]
        paths = [self._members[c].path for c in cause.components]
        return place in (*paths, *cause.components) or place.rpartition("/")[2] == cause.subject

    def _address(self, text: str) -> Iterator[Subject]:
        ids = tuple(
            m.id
            for m in self._members.values()
            for spot in m.spots[:1]
            if text in (spot.host, str(spot)) or spot.host.startswith(f"{text.rstrip('.')}.")
        )
        if ids:
            yield Subject("group" if len(ids) > 1 else "component", text, ids)

    # --- wording ---

    def _paths(self) -> dict[str, None]:
        registry = self._kernel.spine.registry
        return dict.fromkeys([*registry.declared, *registry.table.paths()])

    def _unknown(self, text: str) -> str:
        near = nearest(text, self.names(), NEAREST)
        hint = f"; nearest: {', '.join(near)}" if near else "; `bedplate tags` names all tags"
        return f"there is nothing named {text}{hint}"
