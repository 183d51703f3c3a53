"""Servers that bear little, and say so or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import asyncua
import pytest
from plugins.opcua.tests.peer import Server, node, subscribed, tags_for, until

from bedplate_opcua.limits import Limits

ua: Any = asyncua.ua
SMALL = {"maxNodesPerRead": 10, "maxMonitoredItemsPerCall": 7, "maxNodesPerBrowse": 2}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(
        tmp_path_factory.mktemp("small"), limits=SMALL, items=20, bulk={"count": 50, "period": 200}
    )
    yield one
    one.kill()


async def test_limits_that_a_server_states_are_kept(small: Server) -> None:
    tags = tags_for(*(f"ns=1;i={100_000 + i}" for i in range(50)), node("Nowhere"))
    async with subscribed(small.url, tags) as (connector, received, task):
        await until(lambda: all(len(received.values(t.handle)) >= 3 for t in tags[:50]))
        assert {s: connector._limits.size(s) for s in ("read", "monitor", "browse")} == {
            "read": 10,
            "monitor": 7,
            "browse": 2,
        }
        assert small.do("sessions")["subscriptions"] == 3
        assert await connector.browse(node("Machine"), 3)
        assert not task.done()


async def test_a_server_that_says_too_many_is_asked_for_less_from_then_on() -> None:
    asked: list[int] = []

    async def grudging(part: Sequence[int]) -> list[int]:
        asked.append(len(part))
        if len(part) > 30:
            raise ua.uaerrors.BadTooManyOperations
        return [n * 2 for n in part]

    limits = Limits(500)
    assert await limits.in_parts("read", "reading", range(150), grudging) == [
        n * 2 for n in range(150)
    ]
    assert asked == [150, 75, 37, 18, 18, 18, 18, 18, 18, 18, 18, 6]


@pytest.mark.parametrize("answer", [[], [1, 2]])
@pytest.mark.case("A58")
async def test_an_answer_of_the_wrong_length_is_a_lost_connection(answer: list[int]) -> None:
    async def broken(part: Sequence[int]) -> list[int]:
        return answer

    with pytest.raises(ConnectionError, match=r"[02] results for 3 items"):
        await Limits(500).in_parts("read", "reading", range(3), broken)
