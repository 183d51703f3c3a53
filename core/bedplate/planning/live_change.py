"""What of a component can change within its session: words that the kernel alone heeds, so that its plugin need not be
asked, its machine is not left, and no value is missed.

Rule: everything that is not named here costs a session. A source that pushes was told how often to look at a tag, so
that costs one too; a polled one is asked by the kernel.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from bedplate.config.deployment import Component, TagSpec

LIVE = frozenset({"expected", "calendars", "buffer", "type", "scan_classes", "tags"})
LIVE_TAG = frozenset({"unit", "scale", "range", "deadband", "states", "counter", "description"})
LIVE_TAG |= {"write"}  # its limits; whether there are any is told to the plugin
LIVE_SCAN = frozenset({"scan_ns", "scan_class"})


def live_change(before: Component, after: Component, *, polled: bool) -> bool:
    """Whether one can become the other within its session. polled: its plugin is asked for values."""
    if not differing(before, after) <= LIVE:
        return False
    named = {name for kind, _ in after.references if kind == "calendar" for name in after.calendars}
    if any(before.calendars.get(name) != after.calendars[name] for name in named):
        return False  # its plugin was told that calendar
    was = {tag.name: tag for tag in before.tags}
    if was.keys() != {tag.name for tag in after.tags}:
        return False
    return all(_live_tag(was[tag.name], tag, polled) for tag in after.tags)


def _live_tag(before: TagSpec, after: TagSpec, polled: bool) -> bool:
    live = LIVE_TAG | LIVE_SCAN if polled else LIVE_TAG
    if (before.write is None) != (after.write is None):
        return False
    if not polled and before.scale and not after.scale:
        return False  # what its raw values are is not known before the next one, which may be long
    return differing(before, after) <= live


def differing(before: Any, after: Any) -> frozenset[str]:
    """Names of the fields in which two of a kind differ, of those that count."""
    names = (part.name for part in fields(before) if part.compare)
    return frozenset(name for name in names if getattr(before, name) != getattr(after, name))
