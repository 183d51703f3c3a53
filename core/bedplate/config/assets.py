"""What spans components: who owns a tag, which assets there are, and what `for:` means to an analytic.

An asset's tags are those of every component at its node, so an analytic for a press can use the meter that hangs there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bedplate.config.components import Built
from bedplate.config.deployment import Asset, Component
from bedplate.config.document import Node
from bedplate.config.problems import Problems, Subject, shown


def check_owners(built: Iterable[Built], problems: Problems) -> None:
    """One component owns a tag, one name one component."""
    names: dict[str, Built] = {}
    owners: dict[str, Component] = {}
    clashes: dict[tuple[str, str], list[tuple[Node, str]]] = {}
    for one in built:
        component, place = one.component, one.draft.place
        first = names.setdefault(component.id, one)
        if first is not one:
            problems.add(
                place, f"the name {shown(component.id)} again, already {_where(first.component)}"
            )
            continue
        if taken := [tag.path for tag in component.tags if tag.path in owners]:
            other = owners[taken[0]]
            more = f" and {len(taken) - 1} more tags" if len(taken) > 1 else ""
            text = f"owns {taken[0]}{more}, as does {other.id} ({_where(other)}); one tag has one owner"
            kinds = (component.type or component.id, other.type or other.id)
            clashes.setdefault(kinds, []).append((place, text))
        owners |= {tag.path: component for tag in component.tags if tag.path not in owners}
    for (place, text), *others in clashes.values():
        problems.add(place, text + (f"; {len(others)} more rows do likewise" if others else ""))


def _where(component: Component) -> str:
    return f"{component.file}:{component.line}"


class Assets:
    """The assets of the deployment's connectors, and where each comes from in the file."""

    def __init__(
        self, connectors: Sequence[Built], types: Iterable[str], problems: Problems
    ) -> None:
        self._problems = problems
        self._types = list(types)
        self._connectors = connectors
        self._tags: dict[str, dict[str, str]] = {}
        self._browsing: set[str] = set()
        for one in connectors:
            component = one.component
            tags = self._tags.setdefault(component.path, {})
            tags |= {tag.name: tag.path for tag in component.tags}
            if component.browse:
                self._browsing.add(component.path)

    def resolve(self, analytic: Built) -> Component:
        """The analytic with its assets; what does not fit is told."""
        node = analytic.draft.body.get("for")
        if node is None:
            for name in analytic.tag_names:
                self._problems.add(
                    name, "names a tag, but of what? say `for:` a type or a connector"
                )
            return analytic.component
        found: dict[str, tuple[Asset, Subject | None]] = {}
        for part in node.value if isinstance(node.value, list) else [node]:
            found |= {asset.path: (asset, subject) for asset, subject in self._of(part)}
        for name in analytic.tag_names:
            self._check_tag(name, found.values())
        return replace(analytic.component, assets=tuple(asset for asset, _ in found.values()))

    def _of(self, node: Node) -> Iterator[tuple[Asset, Subject | None]]:
        """The assets of one type or one connector."""
        known = False
        for one in self._connectors:
            component = one.component
            if node.value in (component.type, component.id):
                known = True
                tags = self._tags[component.path]
                yield Asset(component.path, component.type, dict(tags)), one.draft.subject
        if not known and node.value not in self._types:
            names = [*self._types, *(one.component.id for one in self._connectors)]
            near = self._problems.nearest(str(node.value), names)
            self._problems.add(node, f"no type or connector `{str(node.value)[:60]}`{near}")

    def _check_tag(self, name: Node, assets: Iterable[tuple[Asset, Subject | None]]) -> None:
        for asset, subject in assets:
            if name.value not in asset.tags and asset.path not in self._browsing:
                near = self._problems.nearest(str(name.value), asset.tags)
                what = asset.type or (subject.component if subject else asset.path)
                self._problems.add(
                    name, f"`{str(name.value)[:60]}` is no tag of {what}{near}", subject
                )
