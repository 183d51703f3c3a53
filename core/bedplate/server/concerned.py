"""What an event or alarm is about, by full paths: only who may see all of it is shown it.

Rule: the kernel's own words of a component name its tags, so they are for those who see each of its tags; what has no
tags goes by its path. An alarm of an analytic goes by its source and by the tag it watches.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from itertools import chain

from bedplate import strict_json
from bedplate.model import Event, EventKind
from bedplate.runtime.cause_alarms import DETAIL
from bedplate.runtime.fault_alarms import FAULTED, tells_of
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.kernel_alarms import OWNER

Ask = Callable[[Collection[str]], Awaitable[Collection[str]]]


class Concerned:
    """Of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def shown(self, events: Iterable[Event], ask: Ask) -> list[Event]:
        """Those of which all may be seen. ask: which of these paths may."""
        told = [(event, self.of(event)) for event in events]
        paths = dict.fromkeys(chain.from_iterable(concerned for _, concerned in told))
        seen = await ask(paths)
        if seen is paths:
            return [event for event, _ in told]
        return [event for event, concerned in told if all(path in seen for path in concerned)]

    def of(self, event: Event) -> tuple[str, ...]:
        """Full paths of all that it tells of."""
        components = self._components(event)
        tags = [*chain.from_iterable(map(self._tags, components))]
        if event.alarm and event.alarm.tag:
            tags.append(event.alarm.tag)
        by_kernel = event.component == OWNER or event.kind is EventKind.STATUS
        here = all(one in self._kernel.components for one in components)
        return tuple(tags) if by_kernel and tags and here else (event.source, *tags)

    def _components(self, event: Event) -> list[str]:
        """That are spoken of in it: those of its detail, or of its source."""
        if found := _components(event):
            return found
        every = self._kernel.components.items()
        if event.kind is EventKind.NOTE:
            return [n for n, s in every if event.source in (n, s.component.path)]
        if event.component == OWNER and event.source.endswith(f"/{FAULTED}"):
            source = event.source
            return [n for n, s in every if tells_of(source, s.component, s.place.launch.name)]
        return []

    def _tags(self, component: str) -> Iterator[str]:
        """Of a component of today, or itself."""
        one = self._kernel.components.get(component)
        if one is None:
            yield component
            return
        tags = getattr(one.role, "tags", None) or one.component.tags
        yield from (tag.path for tag in tags)
        if not tags:
            yield one.component.path or component


def _components(event: Event) -> list[str]:
    """That it names."""
    if event.kind is EventKind.STATUS:
        return [event.component]
    if event.kind is EventKind.NOTE and event.component not in ("", OWNER):
        return [event.component]
    if event.component != OWNER:
        return []
    try:
        return [str(one) for one in strict_json.loads(event.detail)[DETAIL]]
    except (ValueError, KeyError, TypeError):
        return []
