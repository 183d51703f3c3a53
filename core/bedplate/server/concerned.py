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
        tags = [*chain.from_iterable(map(self._tags, _components(event)))]
        if event.alarm and event.alarm.tag:
            tags.append(event.alarm.tag)
        by_kernel = event.component == OWNER or event.kind is EventKind.STATUS
        here = all(one in self._kernel.components for one in _components(event))
        return tuple(tags) if by_kernel and tags and here else (event.source, *tags)

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
    """That the kernel speaks of in it."""
    if event.kind is EventKind.STATUS:
        return [event.component]
    if event.component != OWNER:
        return []
    try:
        return [str(one) for one in strict_json.loads(event.detail)[DETAIL]]
    except (ValueError, KeyError, TypeError):
        return []
