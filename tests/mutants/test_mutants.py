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
    """Of every mutant and every role of the good plugin that was asked for, examined a few at a time."""
    folder = tmp_path_factory.mktemp("mutants")
    params = [getattr(item, "callspec", None) for item in request.session.items]
    mutants = [one.params["mutant"] for one in params if one and "mutant" in one.params]
    roles = [one.params["role"] for one in params if one and "role" in one.params]
    jobs = [partial(judged, role, GOOD) for role in roles]
    jobs += [partial(_examined, mutant, folder) for mutant in mutants]
    done = asyncio.run(all_judged(jobs))
    return dict(zip([*roles, *map(str, mutants)], done, strict=True))


async def _examined(mutant: Mutant, folder: Path) -> Report:
    program = folder / f"{mutant.caught_by}.py"
    program.write_text(mutant.of(GOOD.read_text()))
    return await judged(mutant.role, program, mutant.caught_by, change=dict(mutant.change))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", PROFILES)
def test_the_good_plugin_is_full(role: str, reports: dict[str, Any]) -> None:
    report = reports[role]

    assert isinstance(report, Report), report
    assert not [(v.check.id, v.evidence) for v in report.of("failed", "not run")]
    assert report.grade == "Full"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_is_caught_by_its_check(mutant: Mutant, reports: dict[str, Any]) -> None:
    report = reports[str(mutant)]

    assert isinstance(report, Report), report
    outcomes = [(v.check.id, v.outcome, v.evidence) for v in report.verdicts]
    assert [outcome[:2] for outcome in outcomes] == [(mutant.caught_by, FAILED)], outcomes


def test_every_check_has_a_mutant() -> None:
    caught = {mutant.caught_by for mutant in MUTANTS}

    assert [check.id for _, check in catalogue() if check.id not in caught] == []
