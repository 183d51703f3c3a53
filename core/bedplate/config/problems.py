"""Collects what is wrong, so that all of it is told at once, each thing once, where it can be cured.

An error in a type names the type's line and whom it reaches; an error that only some rows cause names those rows.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bedplate.config.document import Node
from bedplate.errors import Problem

MAX_PROBLEMS = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """For whom a node was looked at. entry: the component's entry in the file · group: what shares its nodes."""

    component: str
    entry: str
    group: str


@dataclass(frozen=True, slots=True)
class _Found:
    node: Node
    text: str
    subject: Subject | None


class Problems:
    """Every problem of one file and the tables it names."""

    def __init__(self) -> None:
        self._found: list[_Found] = []
        self._ready: list[Problem] = []
        self._members: dict[str, set[str]] = {}
        self._entries: Counter[str] = Counter()
        self._answers: dict[tuple[str, frozenset[str]], str] = {}

    def __len__(self) -> int:
        return len(self._found) + len(self._ready)

    def add(self, node: Node, text: str, subject: Subject | None = None) -> None:
        self._found.append(_Found(node, text, subject))

    def take(self, problems: Iterable[Problem]) -> None:
        self._ready += problems

    def enlist(self, subject: Subject) -> None:
        """Every component is told of once, so that reach can say "39 of 40"."""
        self._members.setdefault(subject.group, set()).add(subject.component)
        self._entries[subject.entry] += 1

    def nearest(self, word: str, names: Iterable[str]) -> str:
        """A hint such as "; did you mean `deadband`?", or nothing. None either when too many were asked for, since
        nobody will read them."""
        question = (word[:64], frozenset(names))
        if question not in self._answers and len(self._answers) <= MAX_PROBLEMS:
            others = sorted(question[1] - {word})
            close = difflib.get_close_matches(question[0], others, 1, 0.6)
            self._answers[question] = f"; did you mean `{close[0]}`?" if close else ""
        return self._answers.get(question, "")

    def all(self) -> list[Problem]:
        """By file and line, at most MAX_PROBLEMS."""
        by_node: dict[tuple[str, int, str], list[_Found]] = {}
        for found in self._found:
            node = found.node
            by_node.setdefault((node.file, node.line, node.path), []).append(found)
        told = {
            Problem(p.file, p.line, _printable(p.path), _printable(p.text)) for p in self._ready
        }
        for group in by_node.values():
            told |= set(self._tell(group))
        whole = sorted(told)
        if len(whole) > MAX_PROBLEMS:
            last = whole[MAX_PROBLEMS]
            more = Problem(
                last.file,
                last.line,
                "",
                f"and {len(whole) - MAX_PROBLEMS} more problems from here on",
            )
            whole[MAX_PROBLEMS:] = [more]
        return whole

    def _tell(self, group: list[_Found]) -> Iterable[Problem]:
        if self._blames_rows(group):
            group = [
                _Found(found.node.origin or found.node, found.text, found.subject)
                for found in group
            ]
        elif group[0].node.origin is not None:
            group = [_Found(found.node, group[0].text, found.subject) for found in group]
        merged: dict[tuple[str, int, str, str], tuple[Node, list[Subject]]] = {}
        for found in group:
            key = (found.node.file, found.node.line, found.node.path, found.text)
            subjects = merged.setdefault(key, (found.node, []))[1]
            if found.subject is not None:
                subjects.append(found.subject)
        for (file, line, path, text), (node, subjects) in merged.items():
            reach = self._reach(node, subjects)
            yield Problem(file, line, _printable(path), _printable(text), _printable(reach))

    def _blames_rows(self, group: list[_Found]) -> bool:
        """A value that came from rows is the rows' fault, unless every one of several is hit."""
        if any(found.node.origin is None or found.subject is None for found in group):
            return False
        hit = {found.subject.component for found in group if found.subject}
        everybody = self._members.get(group[0].subject.group if group[0].subject else "", set())
        return len(everybody) == 1 or len(hit) < len(everybody)

    def _reach(self, node: Node, subjects: list[Subject]) -> str:
        by_entry: dict[str, set[str]] = {}
        for subject in subjects:
            by_entry.setdefault(subject.entry, set()).add(subject.component)
        hit = {component for names in by_entry.values() for component in names}
        if not hit or (len(hit) == 1 and not node.path.startswith("types.")):
            return ""
        if len(hit) == 1:
            return f"reaches {hit.pop()}"
        parts = []
        for entry, names in by_entry.items():
            total = self._entries[entry]
            parts.append(
                f"{len(names)} {entry}"
                if len(names) == total
                else f"{len(names)} of {total} {entry}"
            )
        return "reaches " + ", ".join(parts)


def shown(value: Any) -> str:
    """A value as it may stand in a message: short, and nothing of what is inside."""
    if isinstance(value, dict | list):
        return "this mapping" if isinstance(value, dict) else "this list"
    if isinstance(value, str):
        value = value if len(value) <= 60 else value[:59] + "…"
    return json.dumps(value, ensure_ascii=False)


def _printable(text: str) -> str:
    """On one line, and harmless to a terminal."""
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    )
