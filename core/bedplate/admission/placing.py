"""Whether components can run where the deployment file puts them. Values only; starts nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from bedplate.admission.candidate import Offer
from bedplate.config.deployment import Component, Deployment
from bedplate.errors import Problem


def problems(deployment: Deployment, offers: Mapping[str, Offer]) -> list[Problem]:
    """What can't be as it is written, by file and line."""
    found = [*_not_inline(deployment, offers), *_strangers(deployment, offers)]
    return sorted(dict.fromkeys(found))


def _not_inline(deployment: Deployment, offers: Mapping[str, Offer]) -> Iterator[Problem]:
    for component in deployment.components:
        offer = offers[component.use]
        if component.placement != "inline" or not (why := apart(offer)):
            continue
        text = f"{offer.plugin} {why}, so it can't run inside the kernel; write placement: process"
        yield _problem(deployment, component, "placement", text)


def apart(offer: Offer) -> str:
    """Why an offer can't share the kernel's interpreter; empty when it can."""
    if offer.command:
        return "is no Python plugin"
    if offer.python != sys.executable:
        return "has a Python environment of its own"
    return ""


def _strangers(deployment: Deployment, offers: Mapping[str, Offer]) -> Iterator[Problem]:
    """One process holds one plugin: a name that two are given would be two processes, which nobody could tell apart."""
    first: dict[str, Component] = {}
    for component in deployment.components:
        if not component.process:
            continue
        other = first.setdefault(component.process, component)
        mine, theirs = offers[component.use].plugin, offers[other.use].plugin
        if mine != theirs:
            text = (
                f"`{component.process}` is the process of {theirs} ({other.id}, line {other.line}), and one process"
                f" holds one plugin; give {mine} another name"
            )
            yield _problem(deployment, component, "process", text)


def _problem(deployment: Deployment, component: Component, word: str, text: str) -> Problem:
    """At the line of the word where it is known, else of the component."""
    lines = deployment.source.lines
    sections = ("types." + component.type, *(f"{s}.{component.entry}" for s in _SECTIONS))
    path = next((f"{home}.{word}" for home in sections if f"{home}.{word}" in lines), "")
    if path:
        return Problem(deployment.source.file, lines[path], path, text)
    return Problem(component.file, component.line, f"{component.id}.{word}", text)


_SECTIONS = ("connectors", "analytics", "security", "apps")
