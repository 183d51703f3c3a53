"""Types and rows → drafts of plain components. After this nothing knows types.

A type is a component with holes; `each` gives one component a row, `override` changes single ones, what stands beside
`type:` in the entry holds for all its rows. No nesting, no inheritance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bedplate.config.checking import HOLE, Checker
from bedplate.config.document import Node
from bedplate.config.filling import Filler, like, overlay
from bedplate.config.grammar import COMPONENT
from bedplate.config.problems import Problems, Subject
from bedplate.config.table import ReadTable, parse_table

MAX_COMPONENTS = 10_000
MAX_NODES = 500_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A component before its plugin's schema has seen it.

    body: its words and settings · place: where its name stands · type: name of its type, "" for none · whole: False
    when a parameter is missing, so that it can be checked but not built.
    """

    id: str
    kind: str
    body: Node
    place: Node
    type: str = ""
    subject: Subject | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    values: Mapping[str, Node]
    place: Node


class _Type:
    """One type with what was learnt of it."""

    def __init__(self, name: str, node: Node, problems: Problems) -> None:
        self.name = name
        self.node = node
        self.filler = Filler(problems)
        self.used = False
        parameters = node.get("parameters")
        self.parameters = dict(parameters.items()) if parameters else {}
        self.body = like(node, {key: part for key, part in node.items() if key != "parameters"})
        for key in ("type", "each", "override", "for"):
            if (part := node.get(key)) is not None:
                problems.add(part, "has no meaning in a type")
                del self.body.value[key]
        for key, part in self.parameters.items():
            if not key.isidentifier() or not key.isascii() or key == "name":
                what = "always the row's name" if key == "name" else "no name for a parameter"
                problems.add(part, f"is {what}")
            elif part.value is None:
                problems.add(part, "is empty; write `required` or a default")

    def required(self, name: str) -> bool:
        return bool(self.parameters[name].value == "required")


class Expansion:
    """Expands one file. tables: contents of the tables it read, by name."""

    def __init__(self, problems: Problems, read_table: ReadTable) -> None:
        self._problems = problems
        self._read_table = read_table
        words = COMPONENT["properties"]
        entry = {"properties": {word: words[word] for word in ("type", "each", "override")}}
        self._entry = Checker(entry, problems)
        self._nodes = 0
        self._components = 0
        self.tables: dict[str, bytes] = {}

    def drafts(self, types: Node | None, connectors: Node | None) -> Iterator[Draft]:
        """Drafts of all connectors, then of the types that nothing used."""
        known = {
            name: _Type(name, node, self._problems)
            for name, node in (types.items() if types else ())
        }
        for id, entry in connectors.items() if connectors else ():
            self._entry.check(entry).tell(self._problems)
            if entry.get("type") is None:
                yield from self._plain(id, entry)
            elif kind := self._type_of(entry, known):
                yield from self._rows(id, entry, kind)
        for kind in known.values():
            if not kind.used:
                holes = {name: like(kind.node, HOLE) for name in (*kind.parameters, "name")}
                body = kind.filler.fill(kind.body, holes, None)
                yield Draft(
                    f"types.{kind.name}", "connector", body, kind.node, kind.name, whole=False
                )
            for name, node in kind.parameters.items():
                if name not in kind.filler.used and name != "name":
                    self._problems.add(
                        node, f"parameter is never used; write `${name}` where it belongs"
                    )

    def _plain(self, id: str, entry: Node) -> Iterator[Draft]:
        for key in ("each", "override"):
            if (part := entry.get(key)) is not None:
                self._problems.add(part, "needs a `type` to make components of")
        subject = Subject(id, id, id)
        self._problems.enlist(subject)
        yield Draft(id, "connector", entry, entry, "", subject)

    def _type_of(self, entry: Node, known: Mapping[str, _Type]) -> _Type | None:
        node = entry.value["type"]
        if (use := entry.get("use")) is not None:
            self._problems.add(use, "stands in the type; write either `use` or `type`")
        if (kind := known.get(str(node.value))) is None:
            near = self._problems.nearest(str(node.value), known)
            self._problems.add(node, f"no type `{str(node.value)[:60]}`{near}")
        return kind

    def _rows(self, id: str, entry: Node, kind: _Type) -> Iterator[Draft]:
        rows = list(self._read_rows(id, entry, kind))
        own = {
            key: part
            for key, part in entry.items()
            if key not in ("use", "type", "each", "override")
        }
        if entry.get("each") is None:
            own = {key: part for key, part in own.items() if key not in kind.parameters}
        template = overlay(kind.body, like(entry, own))
        changes = self._changes(entry, rows)
        if not self._affordable(entry, template, len(rows)):
            return
        kind.used = kind.used or bool(rows)
        subjects = [Subject(row.name, id, kind.name) for row in rows]
        for subject in subjects:
            self._problems.enlist(subject)
        for row, subject in zip(rows, subjects, strict=True):
            body = overlay(template, changes[row.name]) if row.name in changes else template
            holes = kind.filler.holes
            filled = kind.filler.fill(body, row.values, subject)
            whole = kind.filler.holes == holes
            yield Draft(row.name, "connector", filled, row.place, kind.name, subject, whole)

    def _affordable(self, entry: Node, template: Node, rows: int) -> bool:
        """Keeps a small file from becoming more than any machine can hold."""
        self._components += rows
        self._nodes += rows * _count(template)
        if self._components <= MAX_COMPONENTS and self._nodes <= MAX_NODES:
            return True
        limit = (
            f"{MAX_COMPONENTS} components"
            if self._components > MAX_COMPONENTS
            else f"{MAX_NODES} settings"
        )
        self._problems.add(
            entry, f"expands beyond {limit}; split the plant into several deployments"
        )
        return False

    def _changes(self, entry: Node, rows: list[_Row]) -> dict[str, Node]:
        override = entry.get("override")
        names = [row.name for row in rows]
        changes = {}
        for name, node in override.items() if override else ():
            if name in names:
                changes[name] = node
            elif names:
                self._problems.add(
                    node, f"no row has this name{self._problems.nearest(name, names)}"
                )
        return changes

    def _read_rows(self, id: str, entry: Node, kind: _Type) -> Iterator[_Row]:
        each = entry.get("each")
        if each is None:
            given = {key: part for key, part in entry.items() if key in kind.parameters}
            yield self._row(id, like(entry, given), entry, kind)
        elif isinstance(each.value, dict):
            for name, node in each.items():
                for key, part in node.items():
                    self._known(part, key, kind)
                yield self._row(name, node, node, kind)
        elif table := self._table(each):
            header, rows = table
            columns = [column for column in header.items() if column[0] != "name"]
            strange = [key for key, part in columns if not self._known(part, key, kind)]
            if strange:
                return
            missing = [
                name for name in kind.parameters if kind.required(name) and name not in header.value
            ]
            for name in missing:
                self._problems.add(
                    header, f"column `{name}` is missing, type {kind.name} requires it"
                )
            if not rows.value:
                self._problems.add(header, "has no rows")
            for name, node in rows.items() if not missing else ():
                yield self._row(name, node, node, kind)

    def _table(self, each: Node) -> tuple[Node, Node] | None:
        name = each.value
        if not isinstance(name, str) or not name:
            return None  # the grammar says what it should be
        try:
            content = self.tables[name] = self._read_table(name)
        except OSError as error:
            self._problems.add(each, f"{name[:80]}: {error.strerror or error}")
            return None
        return parse_table(content, name, self._problems)

    def _known(self, node: Node, key: str, kind: _Type) -> bool:
        if key in kind.parameters:
            return True
        near = self._problems.nearest(key, kind.parameters)
        self._problems.add(node, f"is no parameter of type {kind.name}{near}")
        return False

    def _row(self, name: str, given: Node, place: Node, kind: _Type) -> _Row:
        values = {"name": Node(name, place.file, place.line, place.key, place.parent, name)}
        for key, default in kind.parameters.items():
            cell = given.get(key)
            if cell is not None and cell.value is not None:
                values[key] = cell
            elif kind.required(key):
                self._problems.add(cell or place, "is empty" if cell else f"`{key}` is missing")
                values[key] = like(default, HOLE)
            else:
                values[key] = default
        return _Row(name, values, place)


def _count(node: Node) -> int:
    children = (
        node.value.values()
        if isinstance(node.value, dict)
        else node.value
        if isinstance(node.value, list)
        else ()
    )
    return 1 + sum(_count(child) for child in children)
