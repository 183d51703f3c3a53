"""Pings: who answers late is there, who answers no more is not. The loop's time is a fake clock that jumps."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.runtime.test_long_runs import JumpingLoop

from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
from bedplate.remote.kinds import KINDS
from bedplate.runtime.pinging import Pings
from bedplate.testing import FakeClock


def after(seconds: float, every: int = 1, last: int = 10_000) -> Attachment:
    """One whose plugin answers every so many-th ping so late, up to the last."""
    kind, loop = KINDS["connector"], asyncio.get_running_loop()

    def asked(message: Any) -> None:
        for ask in message.asks:
            if ask.id % every == 0 and ask.id <= last:
                reply = kind.reply()
                reply.answer.id, reply.answer.code = ask.id, plugin_pb2.CODE_OK
                loop.call_later(seconds, attachment.receive, kind.come(replies=[reply]))

    attachment = Attachment(kind, asked)
    return attachment


def judged(seconds: float, **more: int) -> tuple[str, float, Pings]:
    """What is said of such a plugin within a minute, after how many seconds, and its pings."""
    clock = FakeClock()
    pings = Pings()

    async def minute() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(60):
                said = await pings.failure(after(seconds, **more))
        except TimeoutError:
            said = ""
        return said, loop.time() - began

    with asyncio.Runner(loop_factory=lambda: JumpingLoop(clock)) as runner:
        said, took = runner.run(minute())
    return said, took, pings


def test_an_answer_that_comes_late_is_an_answer() -> None:
    """It lies behind what the process had sent before: data of a second and more, on a machine with much to do."""
    said, _, pings = judged(2.0)

    assert said == ""
    assert 1.99 < pings.seconds < 2.01


def test_who_leaves_out_a_ping_now_and_then_is_there() -> None:
    said, _, _ = judged(0.01, every=3)

    assert said == ""


def test_who_answers_no_more_is_told_after_three_pings() -> None:
    said, took, _ = judged(0.01, last=10)

    assert said == "did not answer 3 pings"
    assert 13 < took < 14


def test_an_answer_that_comes_too_late_is_none() -> None:
    said, _, _ = judged(4.0)

    assert said == "did not answer 3 pings"


async def test_a_stream_that_is_gone_is_pinged_no_more() -> None:
    attachment = after(0.5)
    asyncio.get_running_loop().call_later(0.1, attachment.end, "the plugin went away")

    assert await Pings().failure(attachment) == ""
