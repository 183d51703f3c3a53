"""The screen of `bedplate conformance`: groups as they are done, what failed below them, the grade at the end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bedplate.cli.screen import Screen
    from bedplate.testing.conformance.subject import Subject
    from bedplate.testing.conformance.verdict import Report, Verdict

MARKS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "skipped": ("–", "dim"),
    "not run": ("?", "yellow"),
}


class Judging:
    """Hears verdicts. A group is shown once it is over, so that a terminal and a log show the same."""

    def __init__(self, screen: Screen, verbose: bool, *, silent: bool = False) -> None:
        self._screen = screen
        self._verbose = verbose
        self._silent = silent
        self._group: list[Verdict] = []
        self._told: dict[str, str] = {}

    def begin(self, subject: Subject) -> None:
        from rich.text import Text

        if not self._silent:
            can = f" that can {', '.join(subject.capabilities)}" if subject.capabilities else ""
            head = Text(f"{subject.use} ", "bold")
            head.append(f"{subject.kind}{can} · {subject.plugin} {subject.version}", "not bold")
            self._screen.show(head)

    def heard(self, verdict: Verdict) -> None:
        """One check is done."""
        last = self._group[-1] if self._group else None
        if last and (last.group, last.placement) != (verdict.group, verdict.placement):
            self._show_group()
        if not last or last.placement != verdict.placement:
            self._line(f"\n{verdict.placement}", "bold")
        self._group.append(verdict)

    def _show_group(self) -> None:
        """Its line, and below it what needs somebody."""
        if not self._group:
            return
        counts = Counter(v.outcome for v in self._group)
        worst = next((w for w in ("failed", "not run", "passed") if counts[w]), "skipped")
        told = [f"{n} {word}" for word in MARKS if (n := counts[word])]
        seconds = sum(v.seconds for v in self._group)
        mark, style = MARKS[worst]
        from rich.text import Text

        line = Text("  ")
        line.append(mark, style)
        line.append(f" {self._group[0].group:<28}")
        line.append(f"{', '.join(told):<34}", "dim" if worst in ("passed", "skipped") else "")
        line.append(f"{seconds:6.1f} s", "dim")
        if not self._silent:
            self._screen.show(line)
        for verdict in self._group:
            if self._verbose or verdict.outcome in ("failed", "not run"):
                self._show_check(verdict)
        if not self._silent:
            self._screen.flush()
        self._group = []

    def _show_check(self, verdict: Verdict) -> None:
        from rich.padding import Padding
        from rich.text import Text

        if self._silent:
            return
        mark, style = MARKS[verdict.outcome]
        seen = f"{verdict.placement}: {verdict.evidence}"
        before = self._told.setdefault(seen, verdict.check.id)
        again = before != verdict.check.id and not self._verbose
        line = Text()
        line.append(f"{mark} {verdict.check.id} ", style)
        line.append(f"{verdict.check.level:<6} ", "dim")
        line.append(verdict.check.title)
        line.append(f" · as {before}" if again else "", "dim")
        self._screen.show(Padding(line, (0, 0, 0, 4)))
        if again:
            return
        below = Text(verdict.evidence, "" if verdict.outcome == "failed" else "dim")
        self._screen.show(Padding(below, (0, 0, 0, 14)))
        if verdict.outcome == "failed":
            why = Text(f"{verdict.check.anchor}: {verdict.check.why}", "dim")
            self._screen.show(Padding(why, (0, 0, 0, 14)))

    def end(self, report: Report, level: str) -> None:
        """The last group, and the sum of it all."""
        self._show_group()
        if self._silent:
            return
        self._screen.show("")
        for line, style in summary(report, level):
            self._line(line, style)
        self._screen.flush()

    def _line(self, text: str, style: str = "") -> None:
        from rich.text import Text

        if not self._silent:
            self._screen.show(Text(text, style))


def summary(report: Report, level: str) -> list[tuple[str, str]]:
    """(line, style): the counts, the grade, and what stands between the plugin and a better one."""
    counts = Counter(v.outcome for v in report.verdicts)
    seconds = sum(v.seconds for v in report.verdicts)
    told = ", ".join(f"{n} {word}" for word in MARKS if (n := counts[word])) or "no checks"
    head = f"{report.use}: {told} in {', '.join(report.placements)}, {seconds:.0f} s"
    if not report.whole or "process" not in report.placements:
        why = "no process was tried" if report.whole else "only some checks were run"
        return [(head, "bold"), (f"Not graded: {why}.", "dim")]
    grade = report.grade
    if grade == "Full":
        return [(head, "bold"), ("Grade: Full", "bold green")]
    missing = _missing(report, "MUST" if grade == "none" else "")
    style = "bold yellow" if grade == "Basic" else "bold red"
    wanted = "" if grade == "Basic" and level == "basic" else " · wanted: " + level.capitalize()
    return [
        (head, "bold"),
        (f"Grade: {grade}{wanted}", style),
        *((line, "dim") for line in missing),
    ]


def _missing(report: Report, level: str) -> list[str]:
    """What to do for the next grade, in words."""
    todo = [v for v in report.of("failed", "not run") if not level or v.check.level == level]
    failed = list(dict.fromkeys(v.check.id for v in todo if v.outcome == "failed"))
    not_run = list(dict.fromkeys(v.check.id for v in todo if v.outcome == "not run"))
    lines: list[Any] = []
    better = "Basic" if level else "Full"
    if failed:
        lines.append(f"  {better} needs {', '.join(failed)} to pass")
    if not_run:
        lines.append(f"  {better} needs {', '.join(not_run)} to be run")
    places = [p for p in report.applicable if p not in report.placements]
    if places and not level:
        lines.append(f"  Full needs a run in {', '.join(places)}: --placement all")
    return lines
