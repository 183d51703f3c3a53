"""Drafts → components: each against the kernel's grammar and its plugin's schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bedplate.calendar import Calendar
from bedplate.config.checking import HOLE, Checker, Reference
from bedplate.config.deployment import (
    Browse,
    Buffer,
    Component,
    PluginSchema,
    Schemas,
    TagSpec,
    join,
)
from bedplate.config.document import Node
from bedplate.config.expansion import Draft
from bedplate.config.filling import like
from bedplate.config.grammar import BROWSE, BUFFER, COMPONENT, SECTIONS, TAG, WORDS
from bedplate.config.migration import migrate, split_use, version_of
from bedplate.config.problems import Problems, shown
from bedplate.config.quantities import duration, fields
from bedplate.config.tags import Scans, TagReader, closed
from bedplate.errors import AdmissionError
from bedplate.model.tag import path_problem, segment_problem

ARTICLE = {
    "connector": "a connector",
    "analytic": "an analytic",
    "security": "a security module",
    "app": "an app",
}
KERNEL = "kernel"  # whose own streams begin with it
NEEDS = {
    "deliver": ("deliver",),
    "buffer": ("deliver",),
    "tags": ("read", "subscribe", "write"),
    "browse": ("browse",),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """What the top of the file says for all components."""

    path: str
    calendars: Mapping[str, Calendar]
    calendar_names: frozenset[str]
    scan_classes: Mapping[str, int]

    def calendar_problem(self, name: object, problems: Problems, *others: str) -> str:
        """Why a name is no calendar, nor one of the others; empty when it is."""
        if name in self.calendar_names or name in others:
            return ""
        near = problems.nearest(str(name), (*self.calendar_names, *others))
        return f"no calendar `{str(name)[:60]}`{near}"


class _Plugin:
    """One `use:`, ready to check."""

    def __init__(self, schema: PluginSchema, kernel_tag: Checker, problems: Problems) -> None:
        self.schema = schema
        self.settings = Checker(closed(schema.settings), problems, secrets=True)
        self.tags = TagReader(schema, kernel_tag, problems)


@dataclass(frozen=True, slots=True)
class Built:
    """A component with what later steps need to know of its place in the file."""

    component: Component
    draft: Draft
    tag_names: tuple[Node, ...]


class Builder:
    """Builds the components of one file."""

    def __init__(
        self, frame: Frame, schemas: Schemas, installed: Iterable[str], problems: Problems
    ) -> None:
        self._frame = frame
        self._schemas = schemas
        self._installed = sorted(installed)
        self._problems = problems
        self.notes = Problems()
        self._kernel = Checker(COMPONENT, problems)
        self._kernel_tag = Checker(TAG, problems)
        self._plugins: dict[str, _Plugin | None] = {}

    @property
    def path(self) -> str:
        """Of the deployment; "" for none, or one that is wrong."""
        return self._frame.path

    def build(self, draft: Draft) -> Built | None:
        """The component, or None when something is wrong with it, which is told."""
        before = len(self._problems)
        if draft.whole and (problem := segment_problem(draft.id)):
            self._problems.add(draft.place, f"{shown(draft.id)} {problem}")
        if draft.id == KERNEL:
            self._problems.add(draft.place, "is the kernel's own name; give it another")
        parts = draft.body.items()
        words = like(
            draft.body, {key: part for key, part in parts if key in COMPONENT["properties"]}
        )
        settings = like(draft.body, {key: part for key, part in parts if key not in words.value})
        plugin = self._plugin(draft, words)
        if plugin:
            settings = self._migrated(draft, words, settings, plugin)
        sound = self._words(draft, words)
        references = self._settings(draft, settings, plugin) if plugin else ()
        path = self._path(draft, words) if sound else None
        tags = self._tags(draft, words, path or "", plugin) if plugin else ()
        if plugin is None or path is None or len(self._problems) > before or not draft.whole:
            return None
        component = self._component(draft, words, settings, path, tags, references)
        if len(self._problems) > before:
            return None
        inputs = [settings.get(name) for name in plugin.schema.inputs]
        names = [node for node in inputs if node is not None and isinstance(node.value, str)]
        names += [reference.node for reference in references if reference.kind == "tag"]
        return Built(component, draft, tuple(dict.fromkeys(names)))

    def _tell(self, node: Node, text: str, draft: Draft) -> None:
        self._problems.add(node, text, draft.subject)

    def _plugin(self, draft: Draft, words: Node) -> _Plugin | None:
        node = words.get("use")
        if node is None:
            self._tell(draft.body, "`use` is missing", draft)
            return None
        written = split_use(node.value) if isinstance(node.value, str) else None
        if written is None or not written[0]:
            if isinstance(node.value, str) and node.value:
                self._tell(
                    node, f"{shown(node.value)} is no plugin, such as modbus or modbus@2", draft
                )
            return None  # the grammar says what it should be
        use = written[0]
        try:
            schema = self._schemas(use)
        except AdmissionError as error:
            self._tell(node, str(error), draft)
            return None
        if schema is None:
            near = self._problems.nearest(use, self._installed)
            installed = ", ".join(self._installed) or "none"
            self._tell(node, f"no plugin offers `{use[:60]}`; installed: {installed}{near}", draft)
            return None
        if schema.kind != draft.kind:
            home = next(section for section, kind in SECTIONS.items() if kind == schema.kind)
            self._tell(node, f"`{use}` is {ARTICLE[schema.kind]}; it belongs under `{home}`", draft)
            return None
        try:
            if use not in self._plugins:
                self._plugins[use] = _Plugin(schema, self._kernel_tag, self._problems)
        except ValueError as error:
            self._tell(node, f"the schema of plugin `{use}` is broken: {error}", draft)
            return None
        return self._plugins[use]

    def _migrated(self, draft: Draft, words: Node, settings: Node, plugin: _Plugin) -> Node:
        """The settings as this version of the plugin wants them."""
        node = words.value["use"]
        _, written = split_use(node.value) or ("", None)
        schema = plugin.schema.settings
        if written is not None and written > (known := version_of(schema)):
            text = f"`{plugin.schema.use}` here knows settings up to version {known}; install a newer version of it"
            self._tell(node, text, draft)
            return settings

        def error(place: Node, text: str) -> None:
            self._tell(place, text, draft)

        def note(place: Node, text: str) -> None:
            self.notes.add(place, text, draft.subject)

        return migrate(settings, schema, written, error, note)

    def _words(self, draft: Draft, words: Node) -> bool:
        sound = self._kernel.check(words).tell(self._problems, draft.subject)
        for word, node in words.items():
            if word not in WORDS[draft.kind]:
                self._tell(node, f"has no meaning in {ARTICLE[draft.kind]}", draft)
        return sound

    def _settings(self, draft: Draft, settings: Node, plugin: _Plugin) -> tuple[Reference, ...]:
        findings = plugin.settings.check(settings, also=WORDS[draft.kind])
        findings.tell(self._problems, draft.subject)
        for reference in findings.references:
            if reference.kind == "calendar":
                self._calendar(reference.node, draft)
        return findings.references

    def _calendar(self, node: Node, draft: Draft, *others: str) -> None:
        if problem := self._frame.calendar_problem(node.value, self._problems, *others):
            self._tell(node, problem, draft)

    def _path(self, draft: Draft, words: Node) -> str | None:
        node = words.get("path")
        text = node.value if node else draft.id
        if text is HOLE:
            return None
        if problem := path_problem(text):
            self._tell(node or draft.place, f"{shown(text)}: {problem}", draft)
            return None
        return join(self._frame.path, text)

    def _tags(self, draft: Draft, words: Node, path: str, plugin: _Plugin) -> tuple[TagSpec, ...]:
        can = plugin.schema.capabilities
        for word, capabilities in NEEDS.items():
            if (node := words.get(word)) is not None and not set(capabilities) & set(can):
                self._tell(node, f"`{plugin.schema.use}` can't {' or '.join(capabilities)}", draft)
        scans = Scans(self._scan_classes(words), words.get("scan"), self._problems)
        specs = []
        for name, node in (words.get("tags") or words).items() if words.get("tags") else ():
            spec = plugin.tags.read(name, node, path, scans, draft.subject)
            if spec is not None:
                specs.append(spec)
            if (write := node.get("write")) is not None and "write" not in can:
                self._tell(write, f"`{plugin.schema.use}` can't write", draft)
        return tuple(specs)

    def _scan_classes(self, words: Node) -> dict[str, int]:
        own = words.get("scan_classes")
        return {**self._frame.scan_classes, **(durations(own) if own else {})}

    def _names(self, draft: Draft, words: Node) -> None:
        """Names that stand for something elsewhere."""
        expected, process, scan = (words.get(word) for word in ("expected", "process", "scan"))
        if expected is not None:
            self._calendar(expected, draft, "always", "never")
        if process is not None and (problem := segment_problem(process.value)):
            self._tell(process, f"{shown(process.value)} {problem}", draft)
        if scan is not None:
            Scans(self._scan_classes(words), None, self._problems).of(scan, draft.subject)

    def _component(
        self,
        draft: Draft,
        words: Node,
        settings: Node,
        path: str,
        tags: tuple[TagSpec, ...],
        references: tuple[Reference, ...],
    ) -> Component:
        given = words.plain()
        self._names(draft, words)
        named = {reference.node.value for reference in references if reference.kind == "calendar"}
        named.add(given.get("expected"))
        return Component(
            id=draft.id,
            kind=draft.kind,
            use=given["use"].partition("@")[0],
            type=draft.type,
            path=path,
            settings=settings.plain(),
            tags=tags,
            browse=_browse(given.get("browse")),
            scan_classes=self._scan_classes(words),
            expected=given.get("expected", "always"),
            process=given.get("process", ""),
            placement=given.get("placement", "process"),
            deliver=tuple(join(self._frame.path, text) for text in given.get("deliver", ())),
            buffer=Buffer(**fields(given["buffer"], BUFFER)) if "buffer" in given else None,
            calendars={
                name: self._frame.calendars[name] for name in named if name in self._frame.calendars
            },
            references=tuple(_pointers(settings, references)),
            entry=draft.subject.entry if draft.subject else draft.id,
            line=draft.place.line,
            file=draft.place.file,
        )


def durations(node: Node) -> dict[str, int]:
    """Names with durations; those that are none are left out, the grammar tells of them."""
    found = {}
    for name, part in node.items():
        try:
            found[name] = duration(part.value)
        except ValueError:
            continue
    return found


def _browse(written: Any) -> Browse | None:
    if isinstance(written, dict):
        return Browse(**fields(written, BROWSE))
    return Browse() if written else None


def _pointers(
    settings: Node, references: Iterable[Reference]
) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Where in the settings the references stand."""
    kinds = {reference.node: reference.kind for reference in references if reference.kind != "tag"}
    stack: list[tuple[Node, tuple[str | int, ...]]] = [(settings, ())] if kinds else []
    while stack:
        node, steps = stack.pop()
        if node in kinds:
            yield kinds[node], steps
        parts = enumerate(node.value) if isinstance(node.value, list) else node.items()
        stack += [(part, (*steps, step)) for step, part in parts]
