"""The table of cases tells the truth about a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.security.cases import CANNOT_RUN, CASES
from tests.security.shown import PROPERTY, Shown

ROOT = Path(__file__).parents[2]


def report(case: str, outcome: str, reason: str = "", when: str = "call") -> pytest.TestReport:
    why = ("test_x.py", 1, f"Skipped: {reason}") if outcome == "skipped" else None
    return pytest.TestReport(
        "test_x",
        ("test_x.py", 1, "test_x"),
        {},
        outcome,  # type: ignore[arg-type]
        why,
        when,  # type: ignore[arg-type]
        user_properties=[(PROPERTY, case)],
    )


def test_there_are_seventy_two_and_excuses_only_for_those() -> None:
    assert [*CASES] == [f"A{n:02}" for n in range(1, 73)]
    assert {*CANNOT_RUN} <= {*CASES}


def test_a_case_is_shown_by_one_test_and_taken_back_by_another_that_fails() -> None:
    shown = Shown()
    shown.note(report("A01", "passed"))
    shown.note(report("A02", "passed"))
    shown.note(report("A02", "failed", when="teardown"))
    shown.note(report("A03", "skipped", "no bubblewrap", when="setup"))
    shown.note(report("A04", "passed", when="setup"))

    assert shown.of("shown") == ["A01"]
    assert shown.of("failed") == ["A02"]
    assert shown.of("skipped") == ["A03"]
    assert "A04" in shown.of("missing")
    assert shown.summary().startswith(
        "security cases: 1 shown, 1 failed (A02), 1 skipped (A03), 69 missing (A04, A05,"
    )
    assert any("1 skipped: no bubblewrap" in line for line in shown.table())


def test_what_is_skipped_or_missing_has_no_excuse_unless_it_is_written_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = Shown()
    for case in CASES:
        shown.note(report(case, "skipped" if case == "A50" else "passed", "no bubblewrap"))
    assert shown.unexcused() == ["A50"]

    monkeypatch.setitem(CANNOT_RUN, "A50", "no machine of CI has it")
    assert shown.unexcused() == []


SUITE = """
import pytest

@pytest.mark.case("A01", "A02")
def test_one():
    pass

@pytest.mark.case("A03")
def test_two():
    pytest.skip("no peer")
"""
SET_UP = """
[pytest]
testpaths = tests_of_a_run
markers = case(*ids): shows
"""


def test_a_whole_run_in_ci_fails_for_what_it_did_not_show(tmp_path: Path) -> None:
    suite = tmp_path / "tests_of_a_run"
    suite.mkdir()
    (suite / "test_it.py").write_text(SUITE)
    (suite / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text(SET_UP)
    said = run(tmp_path, "-n", "1", env={"CI": "1"})

    assert said.returncode == 1, said.stdout + said.stderr
    assert "security cases: 2 shown, 1 skipped (A03), 69 missing (A04" in said.stdout
    assert "1 skipped: no peer" in said.stdout

    narrowed = run(tmp_path, "-k", "one", env={"CI": "1"})
    assert narrowed.returncode == 0
    assert "security cases shown: A01, A02" in narrowed.stdout


def run(folder: Path, *words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env=os.environ | env | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
