"""`write:` of tags and `writes:` of the file: what neither the grammar nor one component alone can see.

A guard that says yes by a misspelt rule is worse than none, and one that says no for ever is found at night: both are
found here, at their lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bedplate.config.components import Built
from bedplate.config.deployment import Component, TagSpec, join
from bedplate.config.document import Node
from bedplate.config.problems import Problems, shown
from bedplate.interlock import problems as interlock_problems
from bedplate.model.selector import Selector

MAY_WRITE = (
    "operator",
    "engineer",
    "admin",
)  # roles of the kernel that command.submit lets through
LOCAL = "admin"  # what the user of the machine is, without any security module
IEC = {  # IEC 61131-3, table 10
    "sint": "int8", "int": "int16", "dint": "int32", "lint": "int64",
    "usint": "uint8", "uint": "uint16", "udint": "uint32", "ulint": "uint64",
    "byte": "uint8", "word": "uint16", "dword": "uint32", "lword": "uint64",
    "real": "float32", "lreal": "float64",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_INTEGER = re.compile(r"(u?)int(8|16|32|64)", re.ASCII | re.IGNORECASE)
KINDS = {
    "float32": "float64",
    "float64": "float64",
    "bool": "bool",
    "text": "text",
    "string": "text",
}
_NO_NUMBER = frozenset({"bool", "boolean", "text", "string", "blob", "bytes"})


@dataclass(frozen=True, slots=True)
class Writable:
    """A tag with limits, where they stand, and its neighbours on the asset by name."""

    built: Built
    spec: TagSpec
    node: Node
    asset: Mapping[str, TagSpec]


def check_writes(
    root: Node, built: Sequence[Built], path: str, problems: Problems, hints: Problems
) -> None:
    """Tells what can't work; and as hints what works and is probably not meant. path: of the deployment."""
    assets: dict[str, dict[str, TagSpec]] = {}
    for one in built:
        tags = assets.setdefault(one.component.path, {})
        tags |= {tag.name: tag for tag in one.component.tags}
    browsed = {one.component.path for one in built if one.component.browse}
    found = [*_writable(built, assets)]
    for tag in found:
        subject = tag.built.draft.subject
        for node, text in _limits(tag, tag.built.component.path in browsed):
            problems.add(node, text, subject)
    section = root.get("writes")
    if section is not None:
        security = root.get("security")
        secured = security is not None and bool(security.items())
        _Allow(section, found, path, problems, hints).check(secured=secured)


def _writable(
    built: Iterable[Built], assets: Mapping[str, Mapping[str, TagSpec]]
) -> Iterator[Writable]:
    for one in built:
        tags = one.draft.body.get("tags")
        for spec in one.component.tags if tags else ():
            place = tags.get(spec.name) if tags else None
            node = place.get("write") if place else None
            if spec.write is not None and node is not None:
                yield Writable(one, spec, node, assets[one.component.path])


def _limits(tag: Writable, browsed: bool) -> Iterator[tuple[Node, str]]:
    """What is wrong with the limits of one tag. browsed: its asset has tags that the file does not name."""
    interlock = tag.node.get("interlock")
    if interlock is not None and tag.spec.write:
        text = tag.spec.write.interlock
        names = dict.fromkeys(_NAME.findall(text), "") if browsed else {}
        names |= {name: _kind(spec) for name, spec in tag.asset.items()}
        states = {name: spec.states for name, spec in tag.asset.items() if spec.states}
        for fault in interlock_problems(text, names, states):
            yield interlock, f"column {fault.column}: {fault.text}"
    yield from _range(tag)


def _range(tag: Writable) -> Iterator[tuple[Node, str]]:
    spec, written = tag.spec, tag.node.get("range")
    limits = spec.write
    kind = _data_type(tag)
    for word in ("range", "step"):
        if kind in _NO_NUMBER and (node := tag.node.get(word)) is not None:
            yield node, f"a {kind} has no {word}"
            return
    if written is None or limits is None or limits.range is None:
        return
    low, high = limits.range
    if spec.range and not spec.range[0] <= low <= high <= spec.range[1]:
        yield written, f"{_pair(limits.range)} leaves the range of the tag, {_pair(spec.range)}"
    bounds = _bounds(kind)
    if bounds:
        gain, offset = spec.scale or (1.0, 0.0)
        raw = sorted(((low - offset) / gain, (high - offset) / gain))
        if not bounds[0] <= raw[0] <= raw[1] <= bounds[1]:
            scaled = f", which is {_pair((raw[0], raw[1]))} unscaled" if spec.scale else ""
            text = f"{_pair(limits.range)}{scaled} does not fit into {kind}, {_pair(bounds)}"
            yield written, text
    if limits.step and limits.step > high - low:
        yield tag.node.value["step"], f"{limits.step:g} is wider than the whole range"


def _data_type(tag: Writable) -> str:
    """Of the tag in its device, as far as the file says; "" where only the device knows."""
    return raw_type(tag.spec, tag.built.component)


def raw_type(spec: TagSpec, component: Component | None = None) -> str:
    """Of a tag in its device: int8 … uint64, float32, bool …; "" where the file does not say."""
    own = spec.data_type or spec.settings.get("data_type")
    written = own or (component.settings.get("data_type") if component else "")
    name = written.lower() if isinstance(written, str) else ""
    return IEC.get(name, name)


def _kind(spec: TagSpec) -> str:
    """As the kernel serves it."""
    if spec.scale:
        return "float64"
    kind = raw_type(spec)
    number = _INTEGER.fullmatch(kind)
    return (f"{number[1]}int64" if number else KINDS.get(kind, "")) if kind else ""


def _bounds(kind: str) -> tuple[float, float] | None:
    match = _INTEGER.fullmatch(kind)
    if not match:
        return None
    bits = int(match[2])
    if match[1]:
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _pair(pair: tuple[float, float]) -> str:
    return f"[{pair[0]:.15g}, {pair[1]:.15g}]"


class _Allow:
    """The section `writes`."""

    def __init__(
        self,
        section: Node,
        found: Sequence[Writable],
        path: str,
        problems: Problems,
        hints: Problems,
    ) -> None:
        self._section, self._found, self._path = section, found, path
        self._problems, self._hints = problems, hints
        allow = section.get("allow")
        self._rules: list[Node] = allow.value if allow and isinstance(allow.value, list) else []

    def check(self, *, secured: bool) -> None:
        for rule in self._rules:
            if (role := rule.get("role")) is not None:
                self._role(role, secured)
            for node in _texts(rule.get("tags")):
                self._selector(node)
        enabled = self._section.get("enabled")
        if enabled is not None and enabled.value is True:
            self._enabled(enabled)

    def _role(self, node: Node, secured: bool) -> None:
        if node.value not in MAY_WRITE:
            near = self._problems.nearest(str(node.value), MAY_WRITE)
            roles = ", ".join(MAY_WRITE)
            self._problems.add(node, f"{shown(node.value)} may not write; roles: {roles}{near}")
        elif node.value != LOCAL and not secured:
            text = (
                f"nobody has this role: without `security:` there is only the local user, {LOCAL}"
            )
            self._hints.add(node, text)

    def _selector(self, node: Node) -> None:
        full = join(self._path, node.value)
        try:
            wanted = Selector([full])
        except ValueError:
            return  # the grammar says so
        if any(wanted.matches(tag.spec.path) for tag in self._found):
            return
        ends = {tag.spec.path.removeprefix(f"{self._path}/") for tag in self._found}
        near = self._problems.nearest(node.value, ends) if "*" not in node.value else ""
        self._problems.add(node, f"{shown(node.value)} matches no tag that has `write:`{near}")

    def _enabled(self, enabled: Node) -> None:
        if not self._found:
            self._hints.add(enabled, "no tag has `write:`, so nothing can be written")
        chosen = [join(self._path, n.value) for r in self._rules for n in _texts(r.get("tags"))]
        try:
            allowed = Selector(chosen)
        except ValueError:
            return
        for tag in self._found:
            subject = tag.built.draft.subject
            if not allowed.matches(tag.spec.path):
                self._hints.add(tag.node, "no rule of writes.allow lets anybody write it", subject)
            elif tag.spec.write and not tag.spec.write.range and _numeric(tag):
                self._hints.add(tag.node, "no `range`: any number goes through", subject)


def _numeric(tag: Writable) -> bool:
    return _data_type(tag) not in _NO_NUMBER and not tag.spec.states


def _texts(node: Node | None) -> list[Node]:
    """The entries of a list that are text."""
    parts = node.value if node is not None and isinstance(node.value, list) else []
    return [part for part in parts if isinstance(part.value, str) and part.value]
