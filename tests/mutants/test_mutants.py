"""The kit is judged by mutants: each check catches the plugin that breaks its rule, and lets the good one pass."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.mutants.bench import GOOD, PROFILES, all_judged, judged
from tests.mutants.mutant import Mutant
from tests.mutants.mutants import MUTANTS

from bedplate.testing.conformance.catalogue import catalogue
from bedplate.testing.conformance.verdict import FAILED, Report


@pytest.fixture(scope="session")
def reports(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Of every mutant that was asked for, examined a few at a time."""
    folder = tmp_path_factory.mktemp("mutants")
    wanted = [
        item.callspec.params["mutant"]
        for item in request.session.items
        if hasattr(item, "callspec") and "mutant" in item.callspec.params
    ]
    jobs = [partial(_examined, mutant, folder) for mutant in wanted]
    done = asyncio.run(all_judged(jobs))
    return {str(mutant): report for mutant, report in zip(wanted, done, strict=True)}


async def _examined(mutant: Mutant, folder: Path) -> Report:
    program = folder / f"{mutant.caught_by}.py"
    program.write_text(mutant.of(GOOD.read_text()))
    return await judged(mutant.role, program, mutant.caught_by, change=dict(mutant.change))


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
@pytest.mark.timeout(300)
def test_a_mutant_is_caught_by_its_check(mutant: Mutant, reports: dict[str, Any]) -> None:
    report = reports[str(mutant)]

    assert isinstance(report, Report), report
    outcomes = [(v.check.id, v.outcome, v.evidence) for v in report.verdicts]
    assert [outcome[:2] for outcome in outcomes] == [(mutant.caught_by, FAILED)], outcomes


@pytest.mark.parametrize("role", PROFILES)
@pytest.mark.timeout(300)
async def test_the_good_plugin_is_full(role: str) -> None:
    report = await judged(role, GOOD)

    assert not [(v.check.id, v.evidence) for v in report.of("failed", "not run")]
    assert report.grade == "Full"


def test_every_check_has_a_mutant() -> None:
    assert [
        check.id for _, check in catalogue() if check.id not in {m.caught_by for m in MUTANTS}
    ] == []
