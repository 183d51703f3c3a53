"""Runs the checks on one offer, placement by placement, one after the other, each within its time."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bedplate.errors import AdmissionError, BedplateError
from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.catalogue import catalogue
from bedplate.testing.conformance.certificates import can_make, make_certificates
from bedplate.testing.conformance.check import (
    Check,
    Failed,
    NotApplicable,
    NotRun,
)
from bedplate.testing.conformance.profile import Profile
from bedplate.testing.conformance.simulator import Simulator
from bedplate.testing.conformance.subject import Subject
from bedplate.testing.conformance.verdict import (
    FAILED,
    NOT_RUN,
    PASSED,
    SKIPPED,
    Report,
    Verdict,
)
from bedplate.testing.door import Door
from bedplate.testing.runs import SILENT
from bedplate.version import __version__

CHECK_WITHIN = 180.0  # s
Heard = Callable[[Verdict], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to examine. only: ids, empty: all · beside: where the simulator's command is at home · held: to
    its manifest, by the operating system, in every check of a process."""

    placements: tuple[str, ...] = ("process",)
    only: tuple[str, ...] = ()
    beside: Path = Path()
    held: bool = False

    def wants(self, one: Check) -> bool:
        return not self.only or one.id in self.only


async def examine(subject: Subject, profile: Profile, wish: Wish, heard: Heard) -> Report:
    """All checks that are wanted. heard: called with each verdict. Raises BedplateError when the simulator fails."""
    applicable = placements_of(subject, profile)
    chosen = tuple(p for p in wish.placements if p in applicable)
    report = Report(
        *(subject.use, subject.kind, subject.plugin, subject.version, __version__),
        *(chosen, applicable, not wish.only),
    )

    def took(verdict: Verdict) -> None:
        report.verdicts.append(verdict)
        heard(verdict)

    async with AsyncExitStack() as opened:
        made = tempfile.TemporaryDirectory(prefix="bp", ignore_cleanup_errors=True)
        folder = Path(opened.enter_context(made))
        door = Door(folder)
        await door.start(make_certificates(folder) if "remote" in chosen else None)
        opened.push_async_callback(door.stop)
        simulator = await _simulator(profile, wish, opened)
        for placement in chosen:
            place = folder / placement
            place.mkdir()
            bench = Bench(subject, profile, placement, door, place, simulator, held=wish.held)
            try:
                await bench.sweep()
                await _all(bench, wish, took)
            finally:
                await bench.close()
    return report


async def _all(bench: Bench, wish: Wish, took: Heard) -> None:
    """Every check that is wanted. A plugin that does not even attach is told so once."""
    for group, one in catalogue():
        if wish.wants(one) and concerns(one, bench.subject, bench.placement):
            verdict = await judge(bench, group, one)
            took(verdict)
            if verdict.outcome == FAILED and verdict.evidence.startswith(SILENT):
                return


async def _simulator(profile: Profile, wish: Wish, opened: AsyncExitStack) -> Simulator | None:
    if not profile.sim:
        return None
    simulator = Simulator(profile.sim, wish.beside)
    opened.push_async_callback(simulator.close)
    await simulator.start()
    return simulator


def placements_of(subject: Subject, profile: Profile) -> tuple[str, ...]:
    """Where it could run, as far as this kit can try it. Who is no Python plugin says himself that he knows TLS."""
    inline = ("inline",) if subject.importable else ()
    dials = (subject.dials or profile.remote) and can_make()
    return ("process", *inline, *(("remote",) if dials else ()))


def concerns(one: Check, subject: Subject, placement: str) -> bool:
    """Whether a check is about such a plugin at all. What it could declare and does not is skipped, not left out."""
    return (not one.kinds or subject.kind in one.kinds) and placement in one.placements


async def judge(bench: Bench, group: str, one: Check) -> Verdict:
    """One check, and the bench as it was before."""
    began = time.monotonic()
    outcome, evidence = await _tried(bench, one)
    seconds = time.monotonic() - began
    await bench.sweep(spoilt=outcome == FAILED)
    return Verdict(one, group, bench.placement, outcome, seconds, evidence)


async def _tried(bench: Bench, one: Check) -> tuple[str, str]:
    if one.needs and one.needs not in bench.subject.capabilities:
        return SKIPPED, f"it declares no `{one.needs}`"
    try:
        async with asyncio.timeout(CHECK_WITHIN):
            return PASSED, await one.run(bench)
    except Failed as failed:
        return FAILED, str(failed)
    except NotApplicable as why:
        return SKIPPED, str(why)
    except NotRun as why:
        return NOT_RUN, str(why)
    except TimeoutError as error:
        return FAILED, str(error) or f"it did not end within {CHECK_WITHIN:.0f} s"
    except (OSError, AdmissionError, BedplateError) as error:
        return FAILED, str(error) or type(error).__name__


def unknown_ids(only: Sequence[str]) -> list[str]:
    """Ids that no check has."""
    known = {one.id for _, one in catalogue()}
    return [one for one in only if one not in known]
