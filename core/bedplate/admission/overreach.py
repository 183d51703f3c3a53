"""What a deployment gives a plugin beyond what its manifest asks for: refused at check, by line, naming the manifest.

Rule: the operator may give less than a plugin declares, never more, or what was read before granting would be worth
nothing. Tags, commands and secrets are the kernel's own to give; what the operating system gives is bedplate.isolation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from bedplate.admission.candidate import Offer
from bedplate.config.deployment import Component, Deployment
from bedplate.config.inputs import named_inputs
from bedplate.errors import Problem


def overreach(deployment: Deployment, offers: Mapping[str, Offer]) -> list[Problem]:
    """Each once, with whom it reaches."""
    found = [
        (problem, component.entry)
        for component in deployment.components
        if component.use in offers and offers[component.use].file is None
        for problem in _of(component, offers[component.use], deployment)
    ]
    count = Counter(problem for problem, _ in found)
    entries = dict(found)
    return sorted(
        Problem(p.file, p.line, p.path, p.text, f"reaches {n} {entries[p]}" if n > 1 else "")
        for p, n in count.items()
    )


def _of(component: Component, offer: Offer, deployment: Deployment) -> Iterator[Problem]:
    allowed = offer.permissions
    says = f"the manifest of {offer.plugin} {offer.version}"
    for selector in component.deliver:
        if not allowed.may_receive(selector):
            told = f"{selector} is more than tags.subscribe of {says} asks for: {_listed(allowed.tags.subscribe)}"
            yield _problem(component, deployment, "deliver", told)
    for name, path in _inputs(component).items():
        if not allowed.may_receive(path):
            told = f"{name} is {path}, and tags.subscribe of {says} asks for {_listed(allowed.tags.subscribe)} only"
            yield _problem(component, deployment, "", told)
    for setting in _secrets(component.settings):
        if not allowed.may_hold(setting):
            yield _problem(
                component,
                deployment,
                setting,
                f"is a secret, and secrets of {says} does not name it",
            )
    for tag in component.tags:
        where = f"{_home(component)}.tags.{tag.name}"
        if tag.write and not allowed.commands:
            told = f"{says} does not ask for commands, so nothing may be written with it"
            yield Problem(tag.file, tag.line, f"{where}.write", told)
        if not allowed.may_publish(tag.path):
            told = (
                f"{tag.path} is not within tags.publish of {says}: {_listed(allowed.tags.publish)}"
            )
            yield Problem(tag.file, tag.line, where, told)


def _listed(selectors: tuple[str, ...] | None) -> str:
    return ", ".join(selectors or ()) or "nothing"


def _inputs(component: Component) -> dict[str, str]:
    if component.kind != "analytic":
        return {}
    return {
        name: path
        for asset in component.assets
        for name, path in named_inputs(component.settings, asset.tags).items()
    }


def _secrets(settings: Mapping[str, Any]) -> Iterator[str]:
    """Settings that are, or hold, a reference to a secret."""
    for name, value in settings.items():
        if _holds_secret(value):
            yield name


def _holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return set(value) == {"secret"} or any(map(_holds_secret, value.values()))
    return isinstance(value, list | tuple) and any(map(_holds_secret, value))


def _home(component: Component) -> str:
    sections = {"connector": "connectors", "analytic": "analytics", "security": "security"}
    if component.type:
        return f"types.{component.type}"
    return f"{sections.get(component.kind, 'apps')}.{component.entry}"


def _problem(component: Component, deployment: Deployment, word: str, text: str) -> Problem:
    """At the word's own line where the file has it, at the component's where it does not."""
    source = deployment.source
    homes = (_home(component), f"connectors.{component.entry}")
    known = [f"{home}.{word}" for home in homes if f"{home}.{word}" in source.lines]
    if known:
        return Problem(source.file, source.lines[known[0]], known[0], text)
    path = f"{component.id}.{word}" if word else component.id
    return Problem(component.file, component.line, path, text)
