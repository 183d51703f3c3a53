"""What takes known secrets out of text: in the spellings in which programs print them, and nothing else."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.config.veil import SHORTEST, Veil

CANARY = 'hunter2 "canary" & \\ß'


@pytest.mark.case("A48")
@pytest.mark.parametrize(
    "spelt",
    [
        str,
        repr,
        json.dumps,
        lambda v: json.dumps(v, ensure_ascii=False),
        quote,
        lambda v: quote(v, safe=""),
        lambda v: repr(v.encode()),
        lambda v: v.encode().hex(),
        lambda v: v.encode().hex().upper(),
        lambda v: base64.b64encode(v.encode()).decode(),
        lambda v: base64.urlsafe_b64encode(v.encode()).decode(),
    ],
)
def test_a_secret_is_seen_in_no_spelling(spelt: object) -> None:
    assert callable(spelt)
    text = spelt(CANARY)

    shown = Veil([CANARY])(f"login with {text} failed")

    assert "***" in shown
    assert shown.startswith("login with ")
    assert shown.endswith(" failed")
    assert not [part for part in ("hunter2", "canary", text.strip("\"'b")) if part in shown]


@pytest.mark.case("A48")
@given(st.text(min_size=9, max_size=40), st.text(max_size=5), st.text(max_size=5))
def test_a_secret_is_not_seen_in_what_base64_makes_of_its_surroundings(
    value: str, before: str, behind: str
) -> None:
    """As in `Authorization: Basic`, which is Base64 of user:password."""
    if len(value.strip()) < 9:
        return
    text = base64.b64encode(f"{before}{value.strip()}{behind}".encode()).decode()

    assert "***" in Veil([value])(text)


@given(st.text(max_size=SHORTEST - 1), st.text())
def test_what_is_too_short_is_left_alone(value: str, text: str) -> None:
    assert not Veil([value])
    assert Veil([value])(text) == text


@given(st.lists(st.text(min_size=SHORTEST, max_size=20), max_size=3), st.text(), st.text())
def test_no_value_stands_in_the_text_afterwards(
    values: list[str], before: str, behind: str
) -> None:
    kept = [value.strip() for value in values if len(value.strip()) >= SHORTEST]

    shown = Veil(values)(before + "".join(values) + behind)

    assert not [value for value in kept if value in shown.replace("***", "\0")]


def test_a_key_of_many_lines_is_not_seen_line_by_line() -> None:
    key = "-----BEGIN KEY-----\nMC4CAQAwBQYDK2Vw\nBCIEIHunter2Hunter\n-----END KEY-----\n"

    shown = Veil([key])("\n".join(f"12:00 plugin: {line}" for line in key.splitlines()))

    assert shown == "\n".join(["12:00 plugin: ***"] * 4)


def test_the_beginning_of_one_that_was_cut_off_is_not_seen() -> None:
    assert Veil([CANARY]).cut("…login with hunter2 ") == "…login with ***"
    assert Veil([CANARY]).cut("…login with hun") == "…login with hun"
