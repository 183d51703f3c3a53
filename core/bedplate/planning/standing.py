"""What a plan must know of a deployment beside its file: plugins, secrets, referenced files and processes.

Values only; whoever may look at disks, secrets and kernels makes them. What is not known is left out and not compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bedplate.config.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a `use` is. artefact: hash of what it is made of, "" when unknown · version: for people · capabilities: as
    its manifest says."""

    artefact: str = ""
    version: str = ""
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Home:
    """The process, or thread, of a component. key: equal keys share it · name: for people · environment: what it may
    reach and take, one text each; a process that runs can't gain of it."""

    key: str
    name: str
    environment: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """One deployment with what it depends on. plugins: by `use` · homes: by component · secrets: component → reference
    → version · files: component → path → hash."""

    deployment: Deployment
    plugins: Mapping[str, Plugin] = field(default_factory=dict)
    homes: Mapping[str, Home] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def plugin(self, use: str) -> Plugin:
        return self.plugins.get(use, Plugin())

    def home(self, component: str) -> Home:
        return self.homes.get(component, Home("", ""))


@dataclass(frozen=True, slots=True)
class Figures:
    """How long starts took, in seconds, as far as that was seen. opens: component → from the start of a session to its
    first word · starts: process → until it had attached."""

    opens: Mapping[str, float] = field(default_factory=dict)
    starts: Mapping[str, float] = field(default_factory=dict)
