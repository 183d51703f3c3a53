"""Entries of the catalogue: tags, assets, plugins, as values of Python."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from bedplate.model import TagInfo
from bedplate.wire import tag_of, value_of


@dataclass(frozen=True, slots=True)
class CurrentSample:
    """The newest sample of a tag. time: source time, ns UTC; received: when the kernel took it; quality: StatusCode;
    stored: False while it is not yet on disk."""

    value: Any
    time: int
    quality: int
    received: int
    stored: bool


@dataclass(frozen=True, slots=True)
class TagEntry:
    """A tag and where it comes from. current: None until the first sample, or when it was not asked for."""

    tag: TagInfo
    component: str
    asset: str
    type: str
    current: CurrentSample | None = None

    @property
    def path(self) -> str:
        return self.tag.path

    @property
    def unit(self) -> str:
        return self.tag.unit


@dataclass(frozen=True, slots=True)
class AssetEntry:
    """A node of the path that has tags. components: ids of those that feed it."""

    path: str
    type: str
    components: tuple[str, ...]
    tags: int


@dataclass(frozen=True, slots=True)
class PluginEntry:
    """One candidate with what became of it. verdict: admitted, not named, gives way, or refused."""

    name: str
    distribution: str
    version: str
    verdict: str
    reason: str
    offers: tuple[str, ...]
    requires_api: str
    support: str
    permissions: tuple[str, ...]
    capabilities: tuple[str, ...]


def tag_entry(message: Any) -> TagEntry:
    current = None
    if message.HasField("current"):
        one = message.current
        current = CurrentSample(
            value_of(one.value), one.time, one.quality, one.received, one.stored
        )
    return TagEntry(tag_of(message.tag), message.component, message.asset, message.type, current)


def asset_entry(message: Any) -> AssetEntry:
    return AssetEntry(message.path, message.type, tuple(message.components), message.tags)


def plugin_entry(message: Any) -> PluginEntry:
    found: dict[str, Any] = {f.name: getattr(message, f.name) for f in fields(PluginEntry)}
    plain: dict[str, Any] = {k: v if isinstance(v, str) else tuple(v) for k, v in found.items()}
    return PluginEntry(**plain)
