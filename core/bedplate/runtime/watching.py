"""What an analytic has no input for: a limit whose tag has no value is watched by nobody, and people must know.

Goes by its settings and by current values alone, so it is true whatever the plugin does. A name of a tag at the top of
the settings is an input, one further down belongs to what it stands under: `limits: {oil-hot: {tag: temperature}}` is
the limit oil-hot. Uncertain is a value; Bad, and none yet, is not; of what is off or set aside, nobody expects one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bedplate.config.deployment import Component
from bedplate.model import quality
from bedplate.runtime.maintenance import Maintenance
from bedplate.runtime.spine import Spine
from bedplate.shown import some

INPUTS = "inputs"


@dataclass(frozen=True, slots=True)
class Watched:
    """noun: "limits", as the settings call them · name: of this one, with its asset · tag: the name in the settings ·
    path: of the tag."""

    noun: str
    name: str
    tag: str
    path: str


def watched(component: Component, settings: Mapping[str, Any]) -> list[Watched]:
    """Everything of an analytic that needs a tag, asset by asset."""
    found = []
    for asset in component.assets:
        for steps, tag in _named(settings, asset.tags, ()):
            noun, own = (steps[0], steps[1]) if len(steps) > 1 else (INPUTS, tag)
            name = f"{asset.path.split('/')[-1]}/{own}"
            found.append(Watched(noun, name, tag, asset.tags[tag]))
    return found


def _named(
    value: Any, tags: Mapping[str, str], steps: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str) and value in tags:
        yield steps, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _named(inner, tags, (*steps, str(key)))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _named(inner, tags, steps)


def words(
    every: list[Watched],
    spine: Spine,
    aside: Callable[[str], Maintenance | None] = lambda path: None,
) -> str:
    """ "154 of 160 limits watching, 4 set aside (press-12), 2 without input: press-07/oil-hot (temperature
    BadNodeIdUnknown)"; empty when there is nothing to say. aside: what took a tag out of service, if anything did."""
    return ", ".join(_parts(every, spine, aside)) if every else ""


def _parts(
    every: list[Watched], spine: Spine, aside: Callable[[str], Maintenance | None]
) -> Iterator[str]:
    resting = [found.component for one in every if (found := aside(one.path))]
    codes = {p: code_of(p, spine) for p in {one.path for one in every} if not aside(p)}
    missing = [one for one in every if quality.is_bad(codes.get(one.path, quality.GOOD))]
    off = sum(codes[one.path] == quality.BAD_OUT_OF_SERVICE for one in missing)
    missing = [one for one in missing if codes[one.path] != quality.BAD_OUT_OF_SERVICE]
    noun, _ = Counter(one.noun for one in every).most_common(1)[0]
    if noun == INPUTS and not missing and not off and not resting:
        return
    watching = len(every) - off - len(missing) - len(resting)
    yield f"{watching} of {len(every)} {noun} watching"
    if off:
        yield f"{off} off"
    if resting:
        yield f"{len(resting)} set aside ({some([*dict.fromkeys(resting)])})"
    if missing:
        named = [f"{one.name} ({one.tag} {quality.name(codes[one.path])})" for one in missing]
        yield f"{len(missing)} without input: {some(named)}"


def code_of(path: str, spine: Spine) -> int:
    """Quality of a tag now; BadWaitingForInitialData before its first value."""
    tag = spine.registry.table.newest(path)
    if tag is None or not spine.current.has(tag.handle):
        return quality.BAD_WAITING
    return int(spine.current.quality[tag.handle])
