"""A connector in another language is short: what an author reads before writing one."""

from __future__ import annotations

import pytest
from tests.languages.examples import EXAMPLES

HOW_TO = EXAMPLES.parent / "how-to" / "other-languages.md"
MADE = {"node_modules", "protos", "pb", ".tools"}


@pytest.mark.parametrize(
    ("example", "suffix"), [("node-connector", ".js"), ("go-connector", ".go")]
)
def test_a_connector_is_under_180_lines_in_all(example: str, suffix: str) -> None:
    folder = EXAMPLES / example
    programs = [
        path for path in folder.rglob(f"*{suffix}") if not MADE & {*path.relative_to(folder).parts}
    ]
    lines = {path.name: len(path.read_text().splitlines()) for path in programs}

    total = sum(lines.values())
    assert 0 < total < 180, lines
    assert f"{total} lines" in (folder / "README.md").read_text()
    assert f"{example}/README.md), {total} lines" in HOW_TO.read_text()
