"""The sections of the file that are the kernel's own: everything but types and components."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bedplate.calendar import Calendar, ShiftPattern, parse_closed, zone
from bedplate.config.checking import Checker
from bedplate.config.components import Frame, durations
from bedplate.config.deployment import (
    ApiSettings,
    AuditSettings,
    Component,
    Deployment,
    JournalSettings,
    PluginSettings,
    SecretSettings,
    Source,
    TelemetrySettings,
    WriteRule,
    WriteSettings,
    join,
)
from bedplate.config.document import Node
from bedplate.config.grammar import SECTIONS, TOP
from bedplate.config.problems import Problems, shown
from bedplate.config.quantities import duration, fields
from bedplate.config.tags import DEFAULT_SCAN_CLASSES
from bedplate.model.tag import path_problem, segment_problem

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Top:
    """The sections that were right, as plain JSON, and what all components need of them."""

    given: Mapping[str, Any]
    frame: Frame

    def deployment(self, source: Source, components: tuple[Component, ...]) -> Deployment:
        """The deployment; only for a file without problems."""
        path = self.frame.path
        return Deployment(
            name=self.given["name"],
            source=source,
            path=path,
            timezone=self.given.get("timezone", "UTC"),
            clock_tolerance_ns=duration(self.given.get("clock_tolerance", "60s")),
            calendars=self.frame.calendars,
            components=components,
            engine=self.given.get("engine", "embedded"),
            journal=JournalSettings(**self._fields("journal")),
            api=ApiSettings(**self._fields("api")),
            telemetry=TelemetrySettings(**self._fields("telemetry")),
            audit=AuditSettings(**self._fields("audit")),
            secrets=SecretSettings(**self._fields("secrets")),
            plugins=PluginSettings(**self._fields("plugins")),
            writes=_writes(self.given.get("writes", {}), path),
            moved=tuple(
                (join(path, m["from"]), join(path, m["to"])) for m in self.given.get("moved", ())
            ),
        )

    def _fields(self, section: str) -> dict[str, Any]:
        return fields(self.given.get(section, {}), TOP[section])


def read_top(root: Node, problems: Problems) -> Top:
    """Checks every section that is the kernel's own, and tells of those nobody knows."""
    for word in ("bedplate", "name"):
        if root.get(word) is None:
            problems.add(root, f"`{word}` is missing")
    given: dict[str, Any] = {}
    names: list[Node] = []
    for word, node in root.items():
        if word in TOP:
            findings = Checker(TOP[word], problems).check(node)
            names += [found.node for found in findings.references if found.kind == "calendar"]
            if findings.tell(problems) and _sensible(word, node, problems):
                given[word] = node.plain()
        elif word != "types" and word not in SECTIONS:
            problems.add(node, "unknown" + problems.nearest(word, (*TOP, *SECTIONS, "types")))
    frame = _frame(root, given, problems)
    for name in names:
        if problem := frame.calendar_problem(name.value, problems):
            problems.add(name, problem)
    return Top(given, frame)


def _frame(root: Node, given: Mapping[str, Any], problems: Problems) -> Frame:
    section, classes = root.get("calendars"), root.get("scan_classes")
    names = frozenset(name for name, _ in section.items()) if section else frozenset()
    calendars: dict[str, Calendar] = {}
    if section and "calendars" in given:
        calendars = _calendars(section, given.get("timezone", "UTC"), problems)
    scan_classes = DEFAULT_SCAN_CLASSES | (durations(classes) if classes else {})
    return Frame(given.get("path", ""), calendars, names, scan_classes)


def _sensible(word: str, node: Node, problems: Problems) -> bool:
    """What the grammar can't see."""
    before = len(problems)
    if word == "timezone":
        _attempt(node, problems, zone, node.value)
    elif word == "name":
        _name(node, segment_problem(node.value), problems)
    elif word == "path":
        _name(node, path_problem(node.value), problems)
    elif word == "moved":
        for move in node.value:
            for _, place in move.items():
                _name(place, path_problem(place.value), problems)
    return len(problems) == before


def _name(node: Node, problem: str, problems: Problems) -> None:
    if problem:
        problems.add(node, f"{shown(node.value)}: {problem}")


def _attempt(node: Node, problems: Problems, parse: Callable[..., T], *written: Any) -> T | None:
    try:
        return parse(*written)
    except ValueError as error:
        problems.add(node, str(error))
        return None


def _calendars(section: Node, timezone: str, problems: Problems) -> dict[str, Calendar]:
    found: dict[str, Calendar] = {}
    for name, node in section.items():
        if name in ("always", "never"):
            problems.add(node, f"`{name}` has a meaning of its own")
        before = len(problems)
        for key, part in node.items():
            if key == "closed":
                for day in part.value:
                    _attempt(day, problems, parse_closed, day.value)
            elif key != "timezone":
                _attempt(part, problems, ShiftPattern.parse, key, part.plain())
        words = {"timezone": timezone, "closed": [], **node.plain()}
        shifts = {key: part for key, part in words.items() if key not in ("timezone", "closed")}
        if len(problems) == before:
            calendar = _attempt(
                node, problems, Calendar.from_dict, {**words, "shifts": shifts, "name": name}
            )
            found |= {name: calendar} if calendar else {}
    return found


def _writes(written: Mapping[str, Any], path: str) -> WriteSettings:
    rules = []
    for rule in written.get("allow", ()):
        tags = tuple(join(path, selector) for selector in rule["tags"])
        rules.append(
            WriteRule(rule["role"], tags, rule.get("during", ""), rule.get("second_person", False))
        )
    kill_switch = written.get("kill_switch", "")
    return WriteSettings(written.get("enabled", False), tuple(rules), kill_switch)
