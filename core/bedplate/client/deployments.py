"""Deployments as values of Python: what a plan says, how applying goes, which were applied before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedplate.api.v1 import deployments_pb2 as messages
from bedplate.errors import CallError


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """A deployment that was applied. number: 0, it could not be kept · applied: ns UTC · file_differs: how the file now
    differs from what runs; empty: it does not, or this one does not run."""

    number: int
    applied: int
    by: str
    file_differs: str = ""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """What happens to one component. step: untouched, create, reconfigure, rewire, restart, remove · gap_seconds:
    without values, estimated · machines: paths of assets that feel it · was: path it had before, if `moved` says so."""

    component: str
    step: str
    why: str = ""
    gap_seconds: float = 0.0
    machines: tuple[str, ...] = ()
    process: str = ""
    was: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying would do. against: number of the deployment that runs · problems: not empty, it can't be applied ·
    guard: what changes of who may write what."""

    against: int
    steps: tuple[PlannedStep, ...] = ()
    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    guard: tuple[str, ...] = ()

    @property
    def touched(self) -> tuple[PlannedStep, ...]:
        return tuple(one for one in self.steps if one.step != "untouched")


@dataclass(frozen=True, slots=True)
class ApplyProgress:
    """How applying goes. component: empty for the whole · step: as of PlannedStep, empty for the whole · state: begins,
    done, failed, healthy, rolling back, rolled back, applied · number: of the deployment, with the last one."""

    component: str
    step: str
    state: str
    text: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class DeploymentFile:
    """A deployment as its file and the tables it names. name: of the file, for problems."""

    name: str
    content: bytes
    tables: Mapping[str, bytes]

    @classmethod
    def read(cls, file: Path | str) -> DeploymentFile:
        """Raises CallError when the file can't be read; a table that can't is told by the plan."""
        from bedplate.config.table import table_reader
        from bedplate.config.tables import tables_named

        path = Path(file)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CallError(f"{path}: {error.strerror or error}", code="NOT_FOUND") from None
        read_table, tables = table_reader(path.absolute().parent), {}
        for name in tables_named(content, str(path)):
            try:
                tables[name] = read_table(name)
            except OSError:
                continue
        return cls(str(path), content, tables)


def plan_request(file: Path | str | None, number: int) -> Any:
    """Raises CallError when the file can't be read."""
    return messages.PlanRequest(file=_message(file), number=number)


def apply_request(
    file: Path | str | None, number: int, if_deployment: int | None, health: float
) -> Any:
    """The same."""
    request = messages.ApplyRequest(file=_message(file), number=number, health_seconds=health)
    if if_deployment is not None:
        request.if_deployment = if_deployment
    return request


def _message(file: Path | str | None) -> Any:
    if file is None:
        return None
    read = DeploymentFile.read(file)
    return messages.DeploymentFile(name=read.name, content=read.content, tables=dict(read.tables))


def plan_of(message: Any) -> Plan:
    """The plan in a response."""
    return Plan(
        message.against,
        tuple(map(_step, message.steps)),
        tuple(message.problems),
        tuple(message.notices),
        tuple(message.guard),
    )


def _step(message: Any) -> PlannedStep:
    return PlannedStep(
        message.component,
        _name(message.step),
        message.why,
        message.gap_seconds,
        tuple(message.machines),
        message.process,
        message.was,
    )


def apply_progress(message: Any) -> ApplyProgress:
    """One response of an apply."""
    step = _name(message.step) if message.step else ""
    return ApplyProgress(message.component, step, message.state, message.text, message.number)


def deployment_of(message: Any) -> DeploymentStatus:
    return DeploymentStatus(message.number, message.applied, message.by, message.file_differs)


def list_request() -> Any:
    return messages.ListDeploymentsRequest()


def _name(step: int) -> str:
    return str(messages.Step.Name(step)).removeprefix("STEP_").lower()
