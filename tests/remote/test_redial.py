"""The plugin's side over several streams: sessions go on, answers stay with the stream of their ask."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from bedplate import Analytic, Connector, Output
from bedplate.model import DataType
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.kinds import KINDS
from bedplate.remote.side import PluginSide
from bedplate.runtime.requests import Open, Read
from bedplate.wire import twin

KIND = KINDS["connector"]
Tag = twin(plugin_pb2.Tag)


class Slow(Connector):
    """Each read takes as long as the test wants. opened, closed: how many of them were."""

    opened: ClassVar[int] = 0
    closed: ClassVar[int] = 0
    go: ClassVar[asyncio.Event]

    async def open(self) -> None:
        Slow.opened += 1

    async def read(self, tags: list[Any]) -> list[Any]:
        await Slow.go.wait()
        return [1.0 for _ in tags]

    async def close(self) -> None:
        Slow.closed += 1


class Line:
    """A side, and what it sent."""

    def __init__(self, kind: Any = KIND, **offers: type) -> None:
        Slow.opened = Slow.closed = 0
        Slow.go = asyncio.Event()
        self.kind = kind
        self.sent: list[Any] = []
        self.side = PluginSide(kind, offers, self.sent.append, redials=True)

    def ask(self, id: int, **what: Any) -> None:
        self.side.receive(self.kind.to(asks=[self.kind.ask(id=id, component="c", **what)]))

    async def answer(self, id: int) -> int:
        """The code of the answer to this ask."""
        async with asyncio.timeout(10):
            while True:
                for message in self.sent:
                    for reply in message.replies:
                        if reply.answer.id == id:
                            return int(reply.answer.code)
                await asyncio.sleep(0.005)

    def cut(self) -> None:
        self.side.cut()
        self.sent.clear()


def opening(epoch: int = 1, path: str = "here") -> Any:
    tag = Tag(handle=1, name="t", address="a")
    return Open(use="slow", path=path, epoch=epoch, credit=8, linger_ms=1, tags=[tag])


async def test_an_answer_never_reaches_another_stream() -> None:
    line = Line(slow=Slow)
    line.ask(1, open=opening())
    assert await line.answer(1) == plugin_pb2.CODE_OK
    line.ask(2, read=Read())
    await asyncio.sleep(0.02)
    line.cut()
    line.ask(1, open=opening())
    Slow.go.set()
    assert await line.answer(1) == plugin_pb2.CODE_OK
    line.ask(3, read=Read())
    assert await line.answer(3) == plugin_pb2.CODE_OK
    await asyncio.sleep(0.05)

    assert sorted(r.answer.id for m in line.sent for r in m.replies) == [1, 3]
    assert (Slow.opened, Slow.closed) == (1, 0), "the session went on"
    await line.side.shutdown()


async def test_an_open_that_asks_for_something_else_replaces_the_session() -> None:
    line = Line(slow=Slow)
    line.ask(1, open=opening())
    await line.answer(1)
    line.cut()
    line.ask(1, open=opening(path="there"))
    await line.answer(1)

    assert (Slow.opened, Slow.closed) == (2, 1)
    line.ask(2, open=opening(path="there"))
    await line.answer(2)
    assert (Slow.opened, Slow.closed) == (3, 2), "and on one stream any does"
    await line.side.shutdown()


async def test_a_restarted_kernel_finds_the_session_of_a_source_as_it_was() -> None:
    line = Line(slow=Slow)
    line.ask(1, open=opening(epoch=1))
    await line.answer(1)
    line.cut()
    line.ask(1, open=opening(epoch=2))
    await line.answer(1)

    assert (Slow.opened, Slow.closed) == (1, 0)
    await line.side.shutdown()


async def test_a_session_that_nobody_opens_again_is_closed() -> None:
    line = Line(slow=Slow)
    line.ask(1, open=opening())
    await line.answer(1)
    line.cut()
    await line.side.close_unclaimed()

    assert Slow.closed == 1
    line.ask(1, open=opening())
    await line.answer(1)
    await line.side.close_unclaimed()
    assert (Slow.opened, Slow.closed) == (2, 1), "one that was opened again stays"
    await line.side.shutdown()


class Counted(Analytic):
    made: ClassVar[int] = 0

    def open(self) -> list[Output]:
        Counted.made += 1
        return [Output("n", DataType.INT64)]


async def test_an_analytic_is_opened_anew_after_a_cut() -> None:
    line = Line(KINDS["analytic"], slow=Counted)
    asset = twin(plugin_pb2.Asset)(path="a")
    for _ in range(2):
        line.ask(1, open=Open(use="slow", config_json=b"{}", epoch=1, assets=[asset]))
        assert await line.answer(1) == plugin_pb2.CODE_OK
        line.cut()

    assert Counted.made == 2, "its state is what the kernel committed"
    await line.side.shutdown()
