"""A connector's session: calls beside others, notes of the end, settings with their secrets."""

from __future__ import annotations

import asyncio
import json
import queue
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from tests.remote.wired import WITHIN, Close, Open, opened, wired

from bedplate.connector.v1 import connector_pb2
from bedplate.contracts import Connector, Node
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.opening import with_secrets
from bedplate.runtime.source import all_pages
from bedplate.wire import twin

Read, Subscribe, Write = (
    twin(kind) for kind in (connector_pb2.Read, connector_pb2.Subscribe, connector_pb2.Write)
)


class Waiting(Connector):
    """A blocking library: its subscription hangs in a queue until something comes."""

    def open(self) -> None:
        self.coming: queue.Queue[str] = queue.Queue()

    def subscribe(self, tags: list[Any], send: Any) -> None:
        while (what := self.coming.get()) != "end":
            if what == "bug":
                raise ZeroDivisionError("a bug")

    def write(self, tag: Any, value: Any) -> None:
        self.coming.put(value)

    def read(self, tags: list[Any]) -> list[Any]:
        return [1.0 for _ in tags]

    def close(self) -> None:
        self.coming.put("end")


class Spent(Waiting):
    """Asks a thing for more that has no more."""

    def read(self, tags: list[Any]) -> list[Any]:
        return [next(iter(())) for _ in tags] or [next(iter(()))]


async def test_next_of_nothing_more_is_a_bug_and_not_a_silence() -> None:
    attachment = wired("connector", spent=Spent)
    tag = twin(plugin_pb2.Tag).FromString(TAG.SerializeToString())
    await opened(attachment, "spent", tags=[tag])
    async with asyncio.timeout(WITHIN):
        answer = (await attachment.ask("c", WITHIN, read=Read(tags=[1]))).answer
    assert answer.code == plugin_pb2.CODE_FAULT
    assert "StopIteration" in answer.text


TAG = plugin_pb2.Tag(handle=1, name="t", address="a", writable=True)


def write(value: str) -> Any:
    message = connector_pb2.Write(tag=1)
    message.value.text = value
    return Write.FromString(message.SerializeToString())


async def subscribed() -> Any:
    attachment = wired("connector", waiting=Waiting)
    tag = twin(plugin_pb2.Tag).FromString(TAG.SerializeToString())
    await opened(attachment, "waiting", tags=[tag])
    reply = await attachment.ask("c", WITHIN, subscribe=Subscribe())
    assert reply.answer.code == plugin_pb2.CODE_OK
    return attachment


async def test_a_subscription_that_blocks_holds_up_no_other_call() -> None:
    attachment = await subscribed()
    async with asyncio.timeout(3):
        assert (await attachment.ask("c", 2, read=Read(tags=[1]))).answer.code == plugin_pb2.CODE_OK
        assert (await attachment.ask("c", 2, write=write("x"))).answer.code == plugin_pb2.CODE_OK
        assert (await attachment.ask("c", 2, close=Close())).answer.code == plugin_pb2.CODE_OK


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("end", plugin_pb2.CODE_UNREACHABLE, "subscribe returned"),
        ("bug", plugin_pb2.CODE_FAULT, "ZeroDivisionError: a bug"),
    ],
)
async def test_a_subscription_that_ends_is_told_with_its_code(
    what: str, code: int, words: str
) -> None:
    attachment = await subscribed()
    notes: asyncio.Queue[Any] = asyncio.Queue()
    attachment.note = notes.put_nowait
    await attachment.ask("c", WITHIN, write=write(what))
    note = await asyncio.wait_for(notes.get(), WITHIN)

    assert (note.lost, note.code, note.text) == (True, code, words)
    reply = await attachment.ask("c", WITHIN, read=Read(tags=[1]))
    assert reply.answer.code == plugin_pb2.CODE_UNREACHABLE


class Keeping(Connector):
    """A reader that keeps its own cursor."""

    def cursor(self) -> int:
        return 42


class Heir(Keeping):
    pass


@pytest.mark.parametrize("cls", [Keeping, Heir, Waiting])
async def test_a_cursor_counts_also_when_it_is_inherited(cls: type[Connector]) -> None:
    attachment = wired("connector", one=cls)

    reply = await opened(attachment, "one")
    assert reply.open.position == (0 if cls is Waiting else 42)


async def test_an_offer_that_there_is_not_is_invalid_and_says_which_there_are() -> None:
    attachment = wired("connector", one=Keeping, two=Heir)
    reply = await attachment.ask("c", WITHIN, open=twin(plugin_pb2.Open)(use="three"))

    assert reply.answer.code == plugin_pb2.CODE_INVALID
    assert "it offers one, two" in reply.answer.text


class Told(Connector):
    class Config(BaseModel):
        number: int
        inner: dict[str, str] = {}


async def test_settings_that_do_not_fit_are_invalid_at_their_pointer() -> None:
    attachment = wired("connector", told=Told)
    config = json.dumps({"number": "x"}).encode()
    reply = await attachment.ask(
        "c", WITHIN, open=twin(plugin_pb2.Open)(use="told", config_json=config)
    )

    assert reply.answer.code == plugin_pb2.CODE_INVALID
    assert [p.pointer for p in reply.answer.problems] == ["/number"]


KEYS = st.text("ab/~0 ü", min_size=1, max_size=4)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        st.just("plain"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def leaves(tree: Any, pointer: str = "") -> list[str]:
    """JSON pointers (RFC 6901) of all texts."""
    if isinstance(tree, str):
        return [pointer]
    keys = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [
        leaf
        for key, inner in keys
        for leaf in leaves(inner, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    ]


def replaced(tree: Any) -> Any:
    if isinstance(tree, str):
        return "secret ü"
    if isinstance(tree, dict):
        return {key: replaced(inner) for key, inner in tree.items()}
    return [replaced(inner) for inner in tree]


@given(TREES)
@settings(deadline=None)
def test_secrets_are_put_where_their_pointers_say(tree: dict[str, Any]) -> None:
    secrets = dict.fromkeys(leaves(tree), "secret ü".encode())

    assert with_secrets(json.dumps(tree).encode(), secrets) == replaced(tree)


async def test_a_query_beside_an_open_is_answered_though_open_ends_what_runs_beside() -> None:
    attachment = wired("connector", waiting=Waiting)
    opening = Open(use="waiting", config_json=b"{}", epoch=7)
    async with asyncio.timeout(3):
        first, second = await asyncio.gather(
            attachment.ask("c", WITHIN, open=opening),
            attachment.ask("c", WITHIN, query=twin(connector_pb2.Query)()),
        )
    assert first.answer.code == plugin_pb2.CODE_OK
    assert second.answer.code == plugin_pb2.CODE_UNREACHABLE


class Once(Connector):
    """Hands over one value, and has no more."""

    async def subscribe(self, tags: list[Any], send: Any) -> None:
        await send(tags[0], 4711)
        if self.path == "loses":
            raise ConnectionError("the line is cut")
        await asyncio.Future()


@pytest.mark.parametrize("path", ["", "loses"])
async def test_what_was_handed_over_leaves_before_the_end(path: str) -> None:
    attachment = wired("connector", once=Once)
    order: list[str] = []
    attachment.publication = lambda publication: order.append("value")
    attachment.note = lambda note: order.append("lost")
    tag = twin(plugin_pb2.Tag).FromString(TAG.SerializeToString())
    message = Open(
        use="once", config_json=b"{}", epoch=7, linger_ms=60_000, tags=[tag], path=path, credit=8
    )
    async with asyncio.timeout(3):
        await attachment.ask("c", WITHIN, open=message)
        await attachment.ask("c", WITHIN, subscribe=Subscribe())
        while path and not order:
            await asyncio.sleep(0)
        await attachment.ask("c", WITHIN, close=Close())
    assert order == ["value", "lost"] if path else ["value"]


class Lettered(Connector):
    Address = Annotated[str, Field(pattern="^[A-Z]$")]

    def read(self, tags: list[Any]) -> list[Any]:
        return [1.0 for _ in tags]


async def test_an_address_that_cannot_be_right_is_told_with_its_tag_and_what_is_wrong() -> None:
    attachment = wired("connector", lettered=Lettered)
    tags = [
        twin(plugin_pb2.Tag)(handle=handle, name=name, address=address)
        for handle, name, address in ((4, "good", "W"), (7, "wrong", "no letter"))
    ]
    message = Open(use="lettered", config_json=b"{}", epoch=7, linger_ms=1, tags=tags)
    answer = (await attachment.ask("c", WITHIN, open=message)).answer

    assert answer.code == plugin_pb2.CODE_INVALID
    assert [problem.tag for problem in answer.problems] == [7]
    assert "should match pattern" in answer.problems[0].text


async def test_a_browse_of_many_nodes_comes_in_pages_and_all_of_it() -> None:
    class Large(Connector):
        browsed = 0

        def browse(self, below: str, depth: int) -> list[Node]:
            Large.browsed += 1
            return [Node(str(n), f"n{n}", f"n{n}", is_variable=True) for n in range(12_345)]

    attachment = wired("connector", large=Large)
    await opened(attachment, "large")
    nodes = await all_pages(attachment, "c", "", 3)
    again = await all_pages(attachment, "c", "", 3)

    assert [node.address for node in nodes] == [str(n) for n in range(12_345)]
    assert len(again) == 12_345
    assert Large.browsed == 2  # once for all pages
