"""Which acceptance cases a run has shown: hooks of pytest that gather the marks and print the table at its end.

Marks travel with the reports, so that it works with many workers. A case is shown when a test of it passed and none
failed, skipped when all of its tests were, missing when there was none. In CI a whole run fails for one that is
skipped or missing, unless it stands in CANNOT_RUN.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from tests.security.cases import CANNOT_RUN, CASES

PROPERTY = "security case"
WHOLE = ("", "not bench and not soak")  # -m of the suite, as pyproject.toml has it


@dataclass
class Tally:
    """What became of the tests of one case. skipped: the reasons."""

    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        if self.failed:
            return "failed"
        if self.passed:
            return "shown"
        return "skipped" if self.skipped else "missing"


class Shown:
    def __init__(self) -> None:
        self.tallies = {case: Tally() for case in CASES}

    def note(self, report: pytest.TestReport) -> None:
        for case in dict.fromkeys(v for name, v in report.user_properties if name == PROPERTY):
            tally = self.tallies[str(case)]
            if report.failed:
                tally.failed += 1
            elif report.skipped:
                tally.skipped.append(_reason(report))
            elif report.when == "call":
                tally.passed += 1

    def of(self, state: str) -> list[str]:
        return [case for case, tally in self.tallies.items() if tally.state == state]

    def summary(self) -> str:
        """One line: how many were shown, and by name those that were not."""
        parts = [f"{len(self.of('shown'))} shown"]
        for state in ("failed", "skipped", "missing"):
            if cases := self.of(state):
                parts.append(f"{len(cases)} {state} ({', '.join(cases)})")
        return f"security cases: {', '.join(parts)}"

    def table(self) -> Iterator[str]:
        for case, tally in self.tallies.items():
            tests = f"{tally.passed} tests" if tally.passed != 1 else "1 test"
            told = tests if tally.state == "shown" else tally.state.upper()
            yield f"{case}  {told:<9} {CASES[case].tried} → {CASES[case].expected}"
            for reason in dict.fromkeys(tally.skipped):
                yield f"{'':14} {tally.skipped.count(reason)} skipped: {reason}"

    def unexcused(self) -> list[str]:
        """What fails a whole run in CI."""
        return [case for case in self.of("skipped") + self.of("missing") if case not in CANNOT_RUN]


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return "expected to fail"


def cases_of(item: pytest.Item) -> Iterator[str]:
    for mark in item.iter_markers("case"):
        for case in mark.args:
            if case not in CASES:
                raise pytest.UsageError(f"{item.nodeid} shows {case}, which there is not")
            yield case


def is_whole(config: pytest.Config) -> bool:
    """Nothing was left out by the command line."""
    option = config.option
    narrowed = (
        option.keyword
        or option.markexpr not in WHOLE
        or getattr(option, "lf", False)
        or option.deselect
        or option.ignore
    )
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not narrowed


class Plugin:
    """Registered by tests/conftest.py; on a worker only the marks are put where the reports take them along."""

    def __init__(self, config: pytest.Config) -> None:
        self.shown = Shown()
        self._controls = not hasattr(config, "workerinput")
        self._whole = is_whole(config)

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            item.user_properties += [(PROPERTY, case) for case in cases_of(item)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._controls:
            self.shown.note(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        judged = self._controls and self._whole and "CI" in os.environ
        if judged and exitstatus == pytest.ExitCode.OK and self.shown.unexcused():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._whole:
            if shown := self.shown.of("shown"):
                terminalreporter.write_line(f"security cases shown: {', '.join(shown)}")
            return
        terminalreporter.section("security cases")
        for line in self.shown.table():
            terminalreporter.write_line(line)
        for case in CANNOT_RUN:
            if self.shown.tallies[case].state != "shown":
                terminalreporter.write_line(f"{case} IS NOT SHOWN HERE: {CANNOT_RUN[case]}")
        terminalreporter.write_line(self.shown.summary())
        if unexcused := self.shown.unexcused():
            terminalreporter.write_line(
                f"not shown: {', '.join(unexcused)}; in CI that is a failure"
            )
