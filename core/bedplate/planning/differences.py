"""In what two components differ, in words, and what that costs: the table of steps.

    what differs                                                         step
    nothing that counts                                                  untouched
    kernel's words: unit, scale, range, deadband, states, counter,       reconfigure (`live_change`)
      description, limits of `write`, expected, buffer, type, and of
      a polled source its scan classes
    what a reader gets (`deliver`), or an analytic reads: which assets,  rewire
      which tags, their units and states
    settings, addresses, tags, `use`, path, plugin, secrets, files,      restart
      process, placement, and whatever is not named here

The order of tags, scan classes and calendars that nothing of the component uses, and where it stood in the file count
for nothing. Secrets are named and never shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bedplate.config.canonical import digest
from bedplate.config.deployment import Asset, Component, Deployment, TagSpec, resolve_settings
from bedplate.config.inputs import named_inputs
from bedplate.planning.live_change import LIVE, differing, live_change
from bedplate.planning.plan import Step
from bedplate.planning.standing import Standing

LATER = frozenset({"tags", "settings", "calendars", "scan_classes", "process"})  # told last
REWIRED = frozenset({"deliver", "inputs"})
SHOWN = 40  # characters of a value
SECRET = re.compile(r"password|passwd|token|secret|key|credential", re.IGNORECASE)
LOGIN = re.compile(r"(?<=://)[^/@\s]+@")


def reduced(component: Component, deployment: Deployment) -> Component:
    """The same without what nothing of it uses: of assets the inputs alone, of scan classes and calendars those that
    count."""
    settings = resolve_settings(component, deployment)
    named = (named_inputs(settings, asset.tags) for asset in component.assets)
    assets = (
        Asset(asset.path, asset.type, inputs)
        for asset, inputs in zip(component.assets, named, strict=True)
    )
    classes = {name: ns for name, ns in component.scan_classes.items() if name == "normal"}
    return replace(
        component,
        settings=settings,
        references=(),
        assets=tuple(assets),
        scan_classes=classes if component.browse else {},
        tags=tuple(sorted(component.tags, key=lambda tag: tag.name)),
    )


def fingerprint(component: Component, standing: Standing) -> str:
    """Equal: untouched. The canonical hash (RFC 8785) of its configuration, plugin, secrets and files."""
    whole = reduced(component, standing.deployment)
    secrets = standing.secrets.get(component.id, {})
    files = standing.files.get(component.id, {})
    own = whole.hash(
        artefact=standing.plugin(component.use).artefact,
        secrets=[f"{name}={version}" for name, version in sorted(secrets.items())],
        files=[f"{name}={version}" for name, version in sorted(files.items())],
    )
    return digest([own, inputs(component, standing.deployment)])


def inputs(component: Component, deployment: Deployment) -> list[Any]:
    """What an analytic is told of the tags it reads: [path, unit, states]."""
    if not component.assets:
        return []
    specs = {tag.path: tag for one in deployment.components for tag in one.tags}
    paths = {
        path for asset in reduced(component, deployment).assets for path in asset.tags.values()
    }
    found = (specs.get(path) for path in sorted(paths))
    return [
        [tag.path, tag.unit, {str(number): name for number, name in tag.states.items()}]
        for tag in found
        if tag is not None
    ]


class Change:
    """From one component to another of the same id. words: what differs, as PlannedStep.changed."""

    def __init__(self, before: Component, old: Standing, after: Component, new: Standing) -> None:
        self.before, self.after = reduced(before, old.deployment), reduced(after, new.deployment)
        self._old, self._new = old, new
        words = set(differing(self.before, self.after))
        if inputs(before, old.deployment) != inputs(after, new.deployment):
            words.add("inputs")
        if words & {"assets"}:
            words.discard("assets")
            words.add("inputs")
        self._beside = frozenset(self._differing_beside())
        self.words = frozenset(words) | self._beside

    def _differing_beside(self) -> Iterator[str]:
        id_, old, new = self.after.id, self._old, self._new
        was, now = old.plugin(self.before.use), new.plugin(self.after.use)
        if was.artefact and now.artefact and was.artefact != now.artefact:
            yield "artefact"
        for word in ("secrets", "files"):
            before, after = getattr(old, word).get(id_), getattr(new, word).get(id_)
            if before is not None and after is not None and before != after:
                yield word
        if old.homes and new.homes and old.home(id_).key != new.home(id_).key:
            yield "process"

    def step(self) -> Step:
        """The least that does it."""
        if not self.words:
            return Step.UNTOUCHED
        polled = "subscribe" not in self._new.plugin(self.after.use).capabilities
        if not self._beside and not self.words & REWIRED and self._live(polled):
            return Step.RECONFIGURE
        if self.words <= REWIRED | LIVE - {"tags"}:
            return Step.REWIRE
        return Step.RESTART

    def _live(self, polled: bool) -> bool:
        return live_change(self.before, self.after, polled=polled)

    def why(self) -> str:
        """All of it in one line, as people would say it."""
        return " · ".join(self._told())

    def _told(self) -> Iterator[str]:
        for word in sorted(self.words - LATER):
            yield from getattr(self, f"_of_{word}", lambda word=word: self._plain(word))()
        if "settings" in self.words:
            yield from settings_told(self.before.settings, self.after.settings)
        if "tags" in self.words:
            yield from tags_told(self.before.tags, self.after.tags)
        if "calendars" in self.words and not {"settings", "expected"} & self.words:
            yield "its calendar"
        if "scan_classes" in self.words:
            yield "scan class of what it browses"
        if "process" in self.words and not {"placement", "use"} & self.words:
            was = self._old.home(self.after.id).name
            yield f"process {was} → {self._new.home(self.after.id).name}"

    def _plain(self, word: str) -> Iterator[str]:
        yield f"{word} {shown(getattr(self.before, word))} → {shown(getattr(self.after, word))}"

    def of_artefact(self) -> str:
        """How its plugin differs."""
        was, now = self._old.plugin(self.before.use), self._new.plugin(self.after.use)
        if was.version != now.version:
            return f"plugin {self.after.use} {was.version} → {now.version}"
        return f"plugin {self.after.use} {now.version} has other files"

    def _of_artefact(self) -> Iterator[str]:
        yield self.of_artefact()

    def _of_secrets(self) -> Iterator[str]:
        yield from self._of_versions("secret", self._old.secrets, self._new.secrets)

    def _of_files(self) -> Iterator[str]:
        yield from self._of_versions("file", self._old.files, self._new.files)

    def _of_versions(
        self,
        what: str,
        old: Mapping[str, Mapping[str, str]],
        new: Mapping[str, Mapping[str, str]],
    ) -> Iterator[str]:
        before, after = old[self.after.id], new[self.after.id]
        for name in sorted(before.keys() & after.keys()):
            if before[name] != after[name]:
                yield f"{what} {name} has changed"

    def _of_deliver(self) -> Iterator[str]:
        yield from sets_told("delivers", self.before.deliver, self.after.deliver)

    def _of_inputs(self) -> Iterator[str]:
        before, after = ([a.path for a in one.assets] for one in (self.before, self.after))
        told = [*sets_told("reads", before, after)]
        yield from told or ["what it reads of its machines"]

    def _of_buffer(self) -> Iterator[str]:
        yield "its buffer"

    def _of_browse(self) -> Iterator[str]:
        yield "what it browses"

    def _of_kind(self) -> Iterator[str]:
        yield from ()


def settings_told(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Settings of a plugin that differ; values of those that may be secret are not shown."""
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) == after.get(name) and (name in before) == (name in after):
            continue
        if SECRET.search(name):
            yield f"{name} differs"
        elif name not in before:
            yield f"{name} {shown(after[name])} is new"
        elif name not in after:
            yield f"{name} is left to its default"
        else:
            yield f"{name} {shown(before[name])} → {shown(after[name])}"


def tags_told(before: tuple[TagSpec, ...], after: tuple[TagSpec, ...]) -> Iterator[str]:
    """Tags that come, go, or differ, by what of them does."""
    was, now = ({tag.name: tag for tag in tags} for tags in (before, after))
    if came := [name for name in now if name not in was]:
        yield f"new {_names(came)}"
    if went := [name for name in was if name not in now]:
        yield f"without {_names(went)}"
    words: dict[str, list[str]] = {}
    for name in was.keys() & now.keys():
        for word in differing(was[name], now[name]) - {"name", "path"}:
            words.setdefault(word.removesuffix("_ns"), []).append(name)
    if len(words.get("scan_class", [])) and len(words.get("scan", [])):
        words.pop("scan_class")
    for word, names in sorted(words.items()):
        told = "write limits" if word == "write" else word.replace("_", " ")
        if len(names) == 1:
            one = names[0]
            yield f"{told} of {one}{_values(was[one], now[one], word)}"
        else:
            yield f"{told} of {_names(sorted(names))}"


def _values(before: TagSpec, after: TagSpec, word: str) -> str:
    if word in {"settings", "write"}:
        return ""
    if word == "scan":
        return f" {before.scan_ns / 1e9:g} s → {after.scan_ns / 1e9:g} s"
    return f" {shown(getattr(before, word))} → {shown(getattr(after, word))}"


def sets_told(verb: str, before: Any, after: Any) -> Iterator[str]:
    """What came to a set and what left it."""
    if more := [one for one in after if one not in before]:
        yield f"{verb} {_names(more)} too"
    if less := [one for one in before if one not in after]:
        yield f"{verb} {_names(less)} no more"


def _names(names: list[str]) -> str:
    if len(names) <= 3:
        return ", ".join(names)
    return f"{', '.join(names[:2])} and {len(names) - 2} more"


def shown(value: Any) -> str:
    """A value of the file for people: short, and without a login that stands in a URL."""
    if value is None or value in ("", (), {}):
        return "none"
    text = value if isinstance(value, str) else json.dumps(_open(value), ensure_ascii=False)
    text = LOGIN.sub("***@", text)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _open(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            str(key): "***" if SECRET.search(str(key)) else _open(part)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [_open(part) for part in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
