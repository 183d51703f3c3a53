"""Fills `$x` into nodes, and lays one node over another.

Rule: a parameter goes into a parsed scalar, never into text that is parsed after, so a value can't break out of its
field. `$x` alone keeps the parameter's type, `$$` is a dollar. What has no `$` in it stays the same object, so that it
is checked once for all rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bedplate.config.checking import HOLE
from bedplate.config.document import Node
from bedplate.config.problems import Problems, Subject

MAX_TEXT = 64 * 1024
_DOLLAR = re.compile(r"\$(\$|[A-Za-z_][A-Za-z0-9_]*)?", re.ASCII)


def overlay(base: Node, above: Node) -> Node:
    """Two mappings as one, deep; where both say something, the upper. Keeps the place of the lower."""
    if not isinstance(base.value, dict) or not isinstance(above.value, dict):
        return above
    merged = dict(base.value)
    for key, node in above.value.items():
        merged[key] = overlay(merged[key], node) if key in merged else node
    return like(base, merged)


def like(node: Node, value: Any) -> Node:
    """Another value in the same place."""
    return Node(value, node.file, node.line, node.key, node.parent, node.text, node.origin)


class Filler:
    """Fills one template for many rows, and remembers which parameters it used."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._fixed: set[Node] = set()
        self.used: set[str | None] = set()
        self.holes = 0

    def fill(self, node: Node, values: Mapping[str, Node], subject: Subject | None) -> Node:
        """The node with its parameters filled in; itself when it has none."""
        if node in self._fixed:
            return node
        filled = self._fill(node, values, subject)
        if filled is node:
            self._fixed.add(node)
        return filled

    def _fill(self, node: Node, values: Mapping[str, Node], subject: Subject | None) -> Node:
        if isinstance(node.value, str):
            return self._text(node, values, subject) if "$" in node.value else node
        if isinstance(node.value, dict):
            parts = {key: self.fill(part, values, subject) for key, part in node.value.items()}
            same = all(parts[key] is part for key, part in node.value.items())
            return node if same else like(node, parts)
        if isinstance(node.value, list):
            items = [self.fill(part, values, subject) for part in node.value]
            same = all(new is old for new, old in zip(items, node.value, strict=True))
            return node if same else like(node, items)
        return node

    def _text(self, node: Node, values: Mapping[str, Node], subject: Subject | None) -> Node:
        """One scalar with a `$` in it."""
        self.used |= {match[1] for match in _DOLLAR.finditer(node.value)}
        whole = _DOLLAR.fullmatch(node.value)
        if whole and whole[1] in values:
            cell = values[whole[1]]
            self.holes += cell.value is HOLE
            return Node(cell.value, node.file, node.line, node.key, node.parent, cell.text, cell)
        parts: list[str] = []
        origin: Node | None = None
        end = length = 0
        for match in _DOLLAR.finditer(node.value):
            dollar = match[1] == "$"
            found = None if dollar else self._cell(node, match[1], values, subject)
            if not dollar and (found is None or found.value is HOLE):
                return self._hole(node)
            parts += [node.value[end : match.start()], "$" if found is None else found.text]
            origin = origin if found is None else found
            end, length = match.end(), length + len(parts[-1])
            if length > MAX_TEXT:
                self._problems.add(node, f"longer than {MAX_TEXT >> 10} KiB when filled", subject)
                return self._hole(node)
        filled = "".join([*parts, node.value[end:]])
        return Node(filled, node.file, node.line, node.key, node.parent, filled, origin)

    def _hole(self, node: Node) -> Node:
        self.holes += 1
        return like(node, HOLE)

    def _cell(
        self, node: Node, name: str | None, values: Mapping[str, Node], subject: Subject | None
    ) -> Node | None:
        """What a parameter inside text stands for; None when it can't stand there, which is told."""
        cell = values.get(name or "")
        if name is None:
            self._problems.add(node, "a lone $; `$$` is a dollar, `$name` a parameter", subject)
        elif cell is None:
            near = self._problems.nearest(name, values)
            self._problems.add(node, f"`${name}` is no parameter of this type{near}", subject)
        elif cell.value is None or isinstance(cell.value, dict | list):
            what = "is empty" if cell.value is None else "is no single value"
            self._problems.add(node, f"`${name}` {what}, so it can't stand inside text", subject)
            cell = None
        return cell
