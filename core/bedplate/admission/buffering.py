"""Whether the buffers of readers can be as they are written. Values only; starts nothing.

A history has none: it is what the others are there to protect. `block` holds back the sources of a full sink, and is
for sources that can send again what they were held back with (`replay = "cursor"`): others would just be blind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bedplate.admission.candidate import Offer
from bedplate.config.deployment import Component, Deployment
from bedplate.errors import Problem
from bedplate.model import Selector

HISTORY = "a history loses nothing by a limit of its own; leave it out, and say in its own settings how long it keeps"


def problems(deployment: Deployment, offers: Mapping[str, Offer]) -> list[Problem]:
    """What can't be as it is written, by file and line."""
    found = []
    for component in deployment.components:
        if component.buffer is None:
            continue
        if "query" in offers[component.use].capabilities:
            found.append(_problem(deployment, component, "buffer", HISTORY))
        if component.buffer.backlog == "live_first" and not getattr(
            offers[component.use], "lanes", False
        ):
            text = f"`{component.use}` does not say that it keeps lanes apart; write in_order"
            found.append(_problem(deployment, component, "buffer.backlog", text))
        blind = next(_blind(component, deployment, offers), None)
        if blind and component.buffer.when_full == "block":
            text = (
                f"`{blind.use}` can't send again what it was held back with, so block would blind {blind.id}"
                f" (line {blind.line}); write drop_oldest"
            )
            found.append(_problem(deployment, component, "buffer.when_full", text))
    return sorted(found)


def _blind(
    sink: Component, deployment: Deployment, offers: Mapping[str, Offer]
) -> Iterator[Component]:
    """Sources of this sink that can't be held: they keep nothing of what comes meanwhile, or a little. One that browses
    may have any tag."""
    wanted = Selector(sink.deliver)
    for one in deployment.of_kind("connector"):
        if one.deliver or offers[one.use].replay == "cursor":
            continue
        if one.browse or any(wanted.matches(tag.path) for tag in one.tags):
            yield one


def _problem(deployment: Deployment, component: Component, word: str, text: str) -> Problem:
    """At the line of the word where it is known, else of the component."""
    lines = deployment.source.lines
    for home in (f"types.{component.type}", f"connectors.{component.entry}"):
        for path in (f"{home}.{word}", f"{home}.buffer"):
            if path in lines:
                return Problem(deployment.source.file, lines[path], f"{home}.{word}", text)
    return Problem(component.file, component.line, f"{component.id}.{word}", text)
