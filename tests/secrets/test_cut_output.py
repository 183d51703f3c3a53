"""What a plugin prints is cut off somewhere, and half a secret is a secret too."""

from __future__ import annotations

import base64

import pytest

from bedplate.config.veil import Veil
from bedplate.runtime.output import BUDGET, LINE_BYTES, Output

SECRET = "correct-horse-battery-staple"


def printed(*chunks: bytes) -> str:
    output = Output(lambda: 0.0)
    output.veil = lambda: Veil([SECRET])
    for chunk in chunks:
        output.feed(chunk)
    return "\n".join(output.lines)


@pytest.mark.case("A48")
@pytest.mark.parametrize("half", [6, 14, 27])
def test_a_secret_at_the_end_of_the_budget_is_not_shown_by_half(half: int) -> None:
    before = b"x\n" * ((BUDGET - half) // 2 - 1)
    before = before + b"y" * (BUDGET - half - len(before))
    assert SECRET[:half] not in printed(before + SECRET.encode() + b"\n")


@pytest.mark.case("A48")
@pytest.mark.parametrize("half", [6, 14, 27])
def test_a_secret_at_the_end_of_a_long_line_that_comes_in_pieces_is_not_shown_by_half(
    half: int,
) -> None:
    before = b"y" * (LINE_BYTES + 1 - half)
    assert SECRET[: half - 1] not in printed(before + SECRET.encode(), b"and more\n")


@pytest.mark.case("A48")
def test_nor_in_another_spelling() -> None:
    spelled = base64.b64encode(SECRET.encode())
    before = b"y" * (BUDGET - 20)
    assert spelled[:19].decode() not in printed(before[:-10] + b"\n" + b"z" * 9 + spelled)
