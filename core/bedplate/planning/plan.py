"""A plan: what going from the deployment that runs to another one does to each component.

Values only. `planner` makes them; `Kernel.reconcile` does what they say; the server and the command line show them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass


class Step(enum.StrEnum):
    """What happens to one component; the words of protos/bedplate/api/v1/deployments.proto."""

    UNTOUCHED = "untouched"  # its session, its process, its counters and its cursor go on
    CREATE = "create"  # it did not run before
    RECONFIGURE = (
        "reconfigure"  # within its session: no value is missed, nothing is asked of its plugin
    )
    REWIRE = "rewire"  # its session is opened again with what it reads now; its cursor stays
    RESTART = "restart"  # its session ends and another one begins
    REMOVE = "remove"  # it runs no longer


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One component. why: in words, never a secret; empty when untouched · changed: which of the component's words
    differ (names of fields of Component, or "artefact", "secrets", "files", "process"), for whoever does the step ·
    gap_seconds: without values, estimated; 0 for none · machines: paths of assets that feel it · process: name, as it
    will be · new_process: a process is started for this step ·
    was: id or path it had before, where `moved` says so."""

    component: str
    step: Step
    why: str = ""
    changed: frozenset[str] = frozenset()
    gap_seconds: float = 0.0
    machines: tuple[str, ...] = ()
    process: str = ""
    new_process: bool = False
    was: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """against: number of the deployment that runs · steps: one for each component of both deployments, in the order
    they are done, untouched ones last · problems: not empty: it can't be applied · notices: what nobody should forget ·
    moves: (from, to), paths of assets or tags whose history is to follow, those of deployments before left out · guard:
    what changes of who may write what, a line each."""

    against: int = 0
    steps: tuple[PlannedStep, ...] = ()
    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    moves: tuple[tuple[str, str], ...] = ()
    guard: tuple[str, ...] = ()

    @property
    def touched(self) -> tuple[PlannedStep, ...]:
        """What is to be done, in order."""
        return tuple(one for one in self.steps if one.step is not Step.UNTOUCHED)

    def of(self, step: Step) -> Iterator[PlannedStep]:
        return (one for one in self.steps if one.step is step)

    def step(self, component: str) -> Step:
        """What happens to one. Raises KeyError for one that neither deployment has."""
        for one in self.steps:
            if one.component == component:
                return one.step
        raise KeyError(component)
