"""From a file to a Deployment: reads, expands, checks, builds, and tells all that is wrong at once.

It contacts nothing and runs no plugin's code. What nothing serves yet is known here and refused by `unserved`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bedplate.config.assets import Assets, check_owners
from bedplate.config.checking import Checker
from bedplate.config.components import Builder
from bedplate.config.deployment import (
    Component,
    Deployment,
    JournalSettings,
    PluginSettings,
    Schemas,
    Source,
    sha256,
)
from bedplate.config.document import MAX_BYTES, Node, read
from bedplate.config.expansion import Draft, Expansion
from bedplate.config.filling import like
from bedplate.config.grammar import SECTIONS, TOP
from bedplate.config.problems import Problems, Subject
from bedplate.config.quantities import fields
from bedplate.config.table import ReadTable, table_reader
from bedplate.config.top import read_top
from bedplate.config.writes import check_writes
from bedplate.errors import ConfigError, Problem

_COMPONENTS = {"type": "object", "additionalProperties": {"type": "object"}}


def load(path: Path, schemas: Schemas, installed: Iterable[str] = ()) -> Deployment:
    """The deployment in a file. installed: every `use:` there is, for suggestions. Raises ConfigError with all that is
    wrong, also when the file can't be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, "", error.strerror or str(error))]) from None
    return parse(content, str(path), path.absolute().parent, schemas, installed)


def plugin_settings(path: Path) -> PluginSettings:
    """The section `plugins` alone, for whoever must know where plugins come from before `load` can check anything.

    Never raises: what is wrong with the file is told by `load`, and then the defaults are as good as any.
    """
    try:
        with path.open("rb") as file:
            return plugin_settings_in(file.read(MAX_BYTES + 1), str(path))
    except OSError:
        return PluginSettings()


def plugin_settings_in(content: bytes, name: str) -> PluginSettings:
    """The same of a file's content. Never raises."""
    if b"plugins" not in content:
        return PluginSettings()  # spares most files a second reading
    root, _ = read(content, name)
    section = root.get("plugins") if root is not None and isinstance(root.value, dict) else None
    if section is None or not Checker(TOP["plugins"], Problems()).check(section).sound:
        return PluginSettings()
    return PluginSettings(**fields(section.plain(), TOP["plugins"]))


def journal_folder(path: Path) -> str:
    """Where a file says that its journal is, however wrong the rest of it may be; as it is written. Never raises."""
    try:
        with path.open("rb") as file:
            root, _ = read(file.read(MAX_BYTES + 1), str(path))
    except OSError:
        root = None
    section = root.get("journal") if root is not None and isinstance(root.value, dict) else None
    folder = section.get("folder") if section and isinstance(section.value, dict) else None
    named = folder.value if folder else None
    return named if isinstance(named, str) and named else JournalSettings().folder


def parse(
    content: bytes,
    file: str,
    folder: Path,
    schemas: Schemas,
    installed: Iterable[str] = (),
    read_table: ReadTable | None = None,
) -> Deployment:
    """The deployment in these bytes. file: how to call it · folder: where its tables and relative folders start ·
    read_table: where tables come from instead. Raises ConfigError."""
    problems = Problems()
    root, wrong = read(content, file)
    problems.take(wrong)
    if root is None or not isinstance(root.value, dict):
        if root is not None:
            problems.add(root, "a deployment file is a mapping; it starts with `bedplate: 1`")
        raise ConfigError(problems.all())
    top = read_top(root, problems)
    expansion = Expansion(problems, read_table or table_reader(folder))
    builder = Builder(top.frame, schemas, installed, problems)
    hints = Problems()
    components = _components(root, expansion, builder, problems, hints)
    _check_listen(root, components, problems)
    if len(problems):
        raise ConfigError(problems.all())
    tables = [expansion.tables[name] for name in sorted(expansion.tables)]
    names = tuple(sorted(expansion.tables))
    source = Source(file, folder, sha256([content, *tables]), dict(_lines(root)), names)
    deployment = top.deployment(source, components)
    return replace(deployment, notes=tuple(builder.notes.all()), hints=tuple(hints.all()))


def _check_listen(root: Node, components: Iterable[Component], problems: Problems) -> None:
    """Remote plugins dial the kernel, and only with certificates."""
    section = root.get("plugins")
    listen, tls = (section.get(word) if section else None for word in ("listen", "tls"))
    if listen and not tls:
        problems.add(listen, "needs `tls`: a folder with ca.pem, cert.pem and key.pem")
    remote = [one for one in components if one.placement == "remote"]
    if remote and not listen:
        where = next((key for key, kind in SECTIONS.items() if kind == remote[0].kind), "")
        path = f"{where}.{remote[0].entry}.placement"
        text = "nobody can dial in; write plugins: {listen: HOST:PORT, tls: DIR}"
        problems.take([Problem(remote[0].file, remote[0].line, path, text)])


def _components(
    root: Node, expansion: Expansion, builder: Builder, problems: Problems, hints: Problems
) -> tuple[Component, ...]:
    """Every component in the order of the file, connectors first."""
    types = _entries(root, "types", problems)
    drafts = list(expansion.drafts(types, _entries(root, "connectors", problems)))
    for section, kind in SECTIONS.items():
        if section != "connectors":
            drafts += _plain_drafts(_entries(root, section, problems), kind)
    built = [one for one in map(builder.build, drafts) if one is not None]
    check_owners(built, problems)
    check_writes(root, built, builder.path, problems, hints)
    connectors = [one for one in built if one.draft.kind == "connector"]
    assets = Assets(connectors, [name for name, _ in types.items()] if types else [], problems)
    return tuple(
        assets.resolve(one) if one.draft.kind == "analytic" else one.component for one in built
    )


def _plain_drafts(section: Node | None, kind: str) -> Iterator[Draft]:
    for id, entry in section.items() if section else ():
        yield Draft(id, kind, entry, entry, subject=Subject(id, id, id))


def _entries(root: Node, section: str, problems: Problems) -> Node | None:
    """A section of named mappings, without what is none, which is told."""
    node = root.get(section)
    if node is None or (section == "security" and node.value == "none"):
        return None
    Checker(_COMPONENTS, problems).check(node).tell(problems)
    return like(node, {key: part for key, part in node.items() if isinstance(part.value, dict)})


def _lines(node: Node, depth: int = 3) -> Iterator[tuple[str, int]]:
    """Path and line of the upper levels."""
    for _, part in node.items():
        yield part.path, part.line
        if depth > 1:
            yield from _lines(part, depth - 1)
