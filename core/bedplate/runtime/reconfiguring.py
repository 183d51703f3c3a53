"""A component takes new words of the kernel's within its session: its plugin is not asked, its machine not left.

Which words those are: `bedplate.planning.live_change`.
"""

from __future__ import annotations

import contextlib

from bedplate.config.deployment import Component
from bedplate.errors import JournalError
from bedplate.runtime.declaring import declared, rule
from bedplate.runtime.reader import Reader
from bedplate.runtime.source import Source
from bedplate.runtime.supervisor import Supervisor


def reconfigure(supervisor: Supervisor, component: Component) -> None:
    """Takes effect between two batches, for expectations within seconds."""
    supervisor.adopt(component)
    role = supervisor.role
    role.component = component
    if isinstance(role, Source):
        _adopt_tags(role, component)
    elif isinstance(role, Reader) and role.buffer:
        role.buffer.limit(component.buffer)


def _adopt_tags(role: Source, component: Component) -> None:
    """The session knows its tags by the order in which it was opened; that stays."""
    now = {tag.name: tag for tag in component.tags}
    before, role.tags = role.tags, tuple(now.get(tag.name, tag) for tag in role.tags)
    told = [declared(component.id, tag) for tag in role.tags]
    anew = [h for h, (was, one) in enumerate(zip(before, told, strict=True), 1)
            if declared(component.id, was) != one]  # fmt: skip
    role.spine.registry.declare(told)
    pairs = role.ingest.adopt([*map(rule, role.tags)], anew, role.spine.clock.time_ns())
    with contextlib.suppress(JournalError):
        role.spine.append(list(pairs))
    role.account.watch(role.tags)
    role.repace()
