"""One tag of the file → a TagSpec: its kernel words and its plugin's own settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bedplate.config.checking import HOLE, Checker, Findings
from bedplate.config.deployment import PluginSchema, TagSpec, WriteLimits
from bedplate.config.document import Node
from bedplate.config.filling import like
from bedplate.config.grammar import TAG, WRITE
from bedplate.config.problems import Problems, Subject, shown
from bedplate.config.quantities import duration, fields
from bedplate.model.tag import segment_problem

DEFAULT_SCAN_CLASSES = {"fast": 250_000_000, "normal": 1_000_000_000, "slow": 10_000_000_000}


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a tag's node says by itself; spec lacks path and scan."""

    findings: Findings
    spec: TagSpec | None = None
    scan: Node | None = None


class TagReader:
    """Reads the tags of one `use:`. A node that several components share is read once."""

    def __init__(self, schema: PluginSchema, kernel: Checker, problems: Problems) -> None:
        own = closed(schema.tag)
        self._own_words = set(own["properties"])
        self._kernel_words = set(TAG["properties"]) - ({"data_type"} & self._own_words)
        self._required = bool(schema.address) and "default" not in schema.address
        self._kernel = kernel
        self._own = Checker(own, problems)
        self._address = Checker(
            {"properties": {"address": schema.address or {"type": ["string", "integer"]}}}, problems
        )
        self._problems = problems
        self._memo: dict[Node, _Reading] = {}

    def read(
        self, name: str, node: Node, path: str, scans: Scans, subject: Subject | None
    ) -> TagSpec | None:
        """The tag, or None when something is wrong with it, which is told. path: of its component, "" for none."""
        if node not in self._memo:
            self._memo[node] = self._read(name, node)
        reading = self._memo[node]
        scan = scans.of(reading.scan, subject)
        if (
            not reading.findings.tell(self._problems, subject)
            or reading.spec is None
            or scan is None
        ):
            return None
        return replace(reading.spec, path=f"{path}/{name}", scan_class=scan[0], scan_ns=scan[1])

    def _read(self, name: str, node: Node) -> _Reading:
        wrong = (
            [(node, f"tag {shown(name)} {problem}")] if (problem := segment_problem(name)) else []
        )
        words = like(node, {key: part for key, part in node.items() if key in self._kernel_words})
        rest = like(
            node, {key: part for key, part in node.items() if key not in self._kernel_words}
        )
        if self._required and "address" not in words.value:
            wrong.append((node, "`address` is missing"))
        for findings in (
            self._kernel.check(words),
            self._address.check(words),
            self._own.check(rest, also=self._kernel_words),
        ):
            wrong += findings.wrong
        if not wrong and not has_hole(node):
            wrong += _contradictions(words)
        spec = None if wrong or has_hole(node) else _spec(name, words.plain(), rest.plain(), node)
        return _Reading(Findings(tuple(wrong)), spec, node.get("scan"))


class Scans:
    """The scan classes of one component."""

    def __init__(
        self, classes: Mapping[str, int], default: Node | None, problems: Problems
    ) -> None:
        self._classes = classes
        self._problems = problems
        self._default = default

    def of(self, node: Node | None, subject: Subject | None) -> tuple[str, int] | None:
        """(class, ns) of a tag's `scan`, a class or a duration; None when it is neither, which is told."""
        node = node or self._default
        name = node.value if node else "normal"
        if not isinstance(name, str):
            return None  # the grammar says what it should be
        if name in self._classes:
            return name, self._classes[name]
        try:
            return name, duration(name)
        except ValueError:
            if node is not None:
                near = (
                    self._problems.nearest(name, self._classes)
                    or f"; known: {', '.join(self._classes)}"
                )
                self._problems.add(node, f"{shown(name)} is no scan class{near}", subject)
            return None


def has_hole(node: Node) -> bool:
    """Whether a parameter is missing somewhere in it."""
    if isinstance(node.value, dict | list):
        parts = node.value.values() if isinstance(node.value, dict) else node.value
        return any(has_hole(part) for part in parts)
    return node.value is HOLE


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A plugin's schema with unknown keys refused, unless it says otherwise."""
    return {"type": "object", "properties": {}, **schema}


def _contradictions(words: Node) -> list[tuple[Node, str]]:
    """What the grammar can't see."""
    wrong = []
    limits = words.get("write")
    for node in (words.get("range"), limits.get("range") if limits else None):
        if node is not None and node.value[0].value >= node.value[1].value:
            wrong.append((node, f"{_pair(node)} is upside down; the lower limit comes first"))
    raw = scale.get("raw") if (scale := words.get("scale")) else None
    if raw is not None and raw.value[0].value == raw.value[1].value:
        wrong.append((raw, f"{_pair(raw)} has no width"))
    elif scale is not None and not math.isfinite(sum(_scale(words.plain()) or ())):
        wrong.append((scale, "is beyond what a number can hold"))
    if scale is not None and scale.value == 0:
        wrong.append((scale, "0 would make every value 0"))
    return wrong


def _pair(node: Node) -> str:
    return f"[{', '.join(str(part.value) for part in node.value)}]"


def _spec(name: str, words: dict[str, Any], rest: dict[str, Any], node: Node) -> TagSpec:
    plain = {word: value for word, value in words.items() if word not in ("scan", "offset")}
    given = {"data_type": rest.get("data_type", "")} | fields(plain, TAG)
    given["scale"] = _scale(words)
    if "states" in words:
        given["states"] = {int(key): label for key, label in words["states"].items()}
    if "write" in words:
        given["write"] = WriteLimits(**fields(words["write"], WRITE))
    return TagSpec(name=name, path="", settings=rest, line=node.line, file=node.file, **given)


def _scale(words: dict[str, Any]) -> tuple[float, float] | None:
    """(gain, offset), so that value = raw * gain + offset."""
    if "scale" not in words and "offset" not in words:
        return None
    written, offset = words.get("scale", 1), float(words.get("offset", 0))
    if isinstance(written, int | float):
        return float(written), offset
    (low, high), (bottom, top) = written["raw"], written["to"]
    gain = (top - bottom) / (high - low)
    return gain, bottom - low * gain + offset
