"""A plan without a kernel: against what was applied last from this file, or against nothing. Contacts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bedplate.admission.reading import Written, admit, read_deployment
from bedplate.config import Deployment
from bedplate.errors import AdmissionError, ConfigError
from bedplate.planning.plan import Plan
from bedplate.planning.planner import plan
from bedplate.planning.room import Room, room
from bedplate.planning.standing import Standing
from bedplate.planning.store import Applied
from bedplate.server.installation import store_of
from bedplate.server.platform import prepare
from bedplate.server.surroundings import surroundings


@dataclass(frozen=True, slots=True)
class Offline:
    """The plan, and what it is against; None: nothing was ever applied."""

    plan: Plan
    applied: Applied | None
    room: Room


def offline(file: Path, given: Sequence[Path] = ()) -> Offline:
    """Raises ConfigError with all that is wrong with the file, AdmissionError."""
    prepared = prepare(file, given)
    wanted = surroundings(prepared.deployment, prepared.admission.offers)
    store = store_of(file)
    kept = store.newest()
    running, told = None, [*store.broken]
    if kept:
        try:
            running = _standing(file, given, Written(kept.content, kept.tables))
        except (ConfigError, AdmissionError) as error:
            told.append(f"deployment {kept.number} can't be read here any more: {error}")
    moved = kept.moves.pairs if kept else ()
    made = plan(running, wanted, against=kept.number if kept else 0, moved=moved)
    notices = (*told, *made.problems, *made.notices)
    again = Plan(made.against, made.steps, (), notices, made.moves, made.guard)
    return Offline(again, kept, _room(prepared.deployment))


def _standing(file: Path, given: Sequence[Path], written: Written) -> Standing:
    found, deployment = read_deployment(file, given, written)
    return surroundings(deployment, admit(found, deployment).offers)


def _room(deployment: Deployment) -> Room:
    return room(deployment)
