"""What controls look at, and what they say of it."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bedplate.admission.candidate import Offer
from bedplate.admission.startup_code import StartupCode, startup_code
from bedplate.audit.discipline import discipline
from bedplate.config import Deployment
from bedplate.endpoints import Endpoint
from bedplate.isolation import Machine, this_machine

State = Literal["held", "weak", "told"]


@dataclass(frozen=True, slots=True)
class Proof:
    """control: its name, the same in every version · state: told is a fact that nobody can change here, or that was
    not tried · came: what came back · do: what would cure it, for what is weak."""

    control: str
    state: State
    tried: str
    came: str
    do: str = ""
    group: str = ""


Control = Callable[["Scene"], Iterator[Proof]]


def held(control: str, tried: str, came: str) -> Proof:
    return Proof(control, "held", tried, came)


def weak(control: str, tried: str, came: str, do: str) -> Proof:
    return Proof(control, "weak", tried, came, do)


def told(control: str, tried: str, came: str) -> Proof:
    return Proof(control, "told", tried, came)


@dataclass(frozen=True, slots=True)
class Scene:
    """home: folder of token and trust · running: its kernel, None when it does not run here · uid: of the user of
    Bedplate · refused: plugins that may not be started, and why · levels: process → how its kernel says that it is
    confined · the rest: how the machine is asked."""

    deployment: Deployment
    offers: Mapping[str, Offer]
    home: Path
    running: Endpoint | None = None
    uid: int = field(default_factory=os.geteuid)
    refused: Sequence[str] = ()
    levels: Mapping[str, str] = field(default_factory=dict)
    machine: Callable[..., Machine] = this_machine
    now: Callable[[], float] = time.time
    startup: Callable[[], Sequence[StartupCode]] = startup_code
    discipline: Callable[[], str] = discipline
    core_limit: Callable[[int], int] = lambda pid: resource.prlimit(pid, resource.RLIMIT_CORE)[0]
    site: Sequence[Path] = ()

    @property
    def users(self) -> frozenset[int]:
        """Whose files are Bedplate's own."""
        return frozenset((0, self.uid))

    @property
    def folder(self) -> Path:
        return self.deployment.source.folder
