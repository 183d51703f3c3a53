"""Who is let in to see something does not hold up the kernel by what he asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

import pytest

from bedplate.errors import CallError
from bedplate.server.selection import nearest, selection, unknown
from bedplate.server.sought import Sought

PATHS = [f"acme/hall{n % 40}/press{n % 400}/tag{n}" for n in range(10_000)]
TOO_MANY = [f"hall{n % 40}" for n in range(400_000)]  # fits into a request


async def everything(paths: Collection[str]) -> Collection[str]:
    return paths


def sought(texts: Sequence[str]) -> Any:
    return Sought(PATHS, PATHS, everything, whole=False).selectors(texts)


@pytest.mark.case("A32")
@pytest.mark.parametrize("ask", [lambda texts: selection(texts, PATHS), sought])
@pytest.mark.parametrize("texts", [TOO_MANY, ["**/" + "x" * 4_000_000], ["x" * 4_000_000]])
def test_a_question_without_end_is_refused_before_it_is_looked_into(
    ask: Callable[[Sequence[str]], Any], texts: Sequence[str]
) -> None:
    began = time.perf_counter()
    with pytest.raises(CallError, match="at most 1000") as refused:
        ask(texts)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert len(str(refused.value)) < 200
    assert time.perf_counter() - began < 1


@pytest.mark.case("A32")
def test_a_name_as_long_as_a_request_is_neither_compared_nor_sent_back() -> None:
    name = "x" * 4_000_000
    assert nearest(name, PATHS, 1) == []
    assert len(str(unknown(name, "tag", PATHS))) < 2000


def test_a_thousand_names_are_found() -> None:
    assert all(map(selection(PATHS[:1000], PATHS).matches, PATHS[:1000]))
