"""docs/security.md names a case or a test for each control, and each case somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.pages import text
from tests.security.cases import CASES

PAGE = Path("docs/security.md")


def section(title: str) -> list[str]:
    """The rows of the table below a heading."""
    part = text(PAGE).partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [line for line in part.splitlines() if line.startswith("| ")][1:]


def test_every_case_stands_in_the_page_and_no_other() -> None:
    assert set(re.findall(r"\bA[0-9]{2}\b", text(PAGE))) == {*CASES}


def test_every_control_names_what_shows_it() -> None:
    rows = section("Controls")
    silent = [row for row in rows if not re.search(r"\bA[0-9]{2}\b|`test_", row.split(" | ")[-1])]

    assert len(rows) >= 30
    assert silent == []


def test_every_threat_has_something_against_it_or_says_what_remains() -> None:
    rows = section("Threat model")

    assert len(rows) >= 14
    assert [row for row in rows if not re.search(r"A[0-9]{2}|[a-z]{4,} \|$", row)] == []


def test_it_is_mapped_and_says_that_nobody_has_assessed_it() -> None:
    assert "mapped to SL-C 2" in text(PAGE)
    assert "Nobody has assessed it" in text(PAGE)
