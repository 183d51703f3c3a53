"""The wire contract seen from outside: a plugin written from protos/ alone and one in Python behave alike."""

from __future__ import annotations

import asyncio
import math
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contract.strangers import (
    WITHIN,
    node_as_python,
    plugin_host,
    started,
    stranger,
)
from tests.runtime.plant import OFFERS, RigOffer, code, plant, state, until, value

from bedplate.connector.v1 import connector_pb2
from bedplate.model import Body, quality
from bedplate.plugin.v1 import plugin_pb2
from bedplate.wire import decode_batch, decode_event, twin, value_message

LANGUAGES = ["node", "python"]
Close, Ping, Shutdown = (
    twin(kind) for kind in (plugin_pb2.Close, plugin_pb2.Ping, plugin_pb2.Shutdown)
)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_says_hello_and_serves_from_open_to_close(language: str, tmp_path: Path) -> None:
    async with stranger(language, tmp_path) as one:
        assert one.attachment.hello.plugin == "stranger"
        assert one.attachment.hello.runtime.startswith(language)

        opened = await one.open(a="1.5", b="missing", c="-2")
        assert opened.answer.code == plugin_pb2.CODE_OK
        read = (await one.read(1, 2, 3)).read
        (batch,) = map(decode_batch, read.batches)
        assert batch.tags().tolist() == [1, 2, 3]
        assert not len(batch.time)  # the kernel stamps
        values = batch.value.tolist()
        assert (values[0], math.isnan(values[1]), values[2]) == (1.5, True, -2.0)
        assert batch.qualities().tolist() == [0, quality.CODES["BadNotFound"], 0]
        assert [(p.tag, p.text) for p in read.problems] == [(2, "no such register")]

        assert (await one.ask(close=Close())).answer.code == plugin_pb2.CODE_OK


@pytest.mark.parametrize("language", LANGUAGES)
async def test_close_is_legal_at_any_time_and_twice(language: str, tmp_path: Path) -> None:
    async with stranger(language, tmp_path) as one:
        for _ in range(2):
            assert (await one.ask(close=Close())).answer.code == plugin_pb2.CODE_OK
        assert (await one.open(a="1")).answer.code == plugin_pb2.CODE_OK
        assert (await one.open(a="2")).answer.code == plugin_pb2.CODE_OK  # replaces the first
        (batch,) = map(decode_batch, (await one.read(1)).read.batches)
        assert batch.value.tolist() == [2.0]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_is_not_open_is_unreachable_not_a_fault(language: str, tmp_path: Path) -> None:
    async with stranger(language, tmp_path) as one:
        assert (await one.read(1)).answer.code == plugin_pb2.CODE_UNREACHABLE
        await one.open(a="1")
        await one.ask(close=Close())
        assert (await one.read(1)).answer.code == plugin_pb2.CODE_UNREACHABLE


@pytest.mark.parametrize("language", LANGUAGES)
async def test_wrong_settings_are_invalid_at_their_place(language: str, tmp_path: Path) -> None:
    async with stranger(language, tmp_path) as one:
        answer = (await one.open(how="wrong")).answer

        assert answer.code == plugin_pb2.CODE_INVALID
        assert [(p.pointer, p.text) for p in answer.problems] == [("/how", "must not be wrong")]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_ask_that_is_not_known_is_unsupported_open_or_not(
    language: str, tmp_path: Path
) -> None:
    async with stranger(language, tmp_path) as one:
        assert (await one.unknown()).answer.code == plugin_pb2.CODE_UNSUPPORTED
        await one.open(a="1")
        assert (await one.unknown()).answer.code == plugin_pb2.CODE_UNSUPPORTED
        write = twin(connector_pb2.Write)(tag=1)
        write.value.MergeFromString(value_message(1.0).SerializeToString())
        assert (await one.ask(write=write)).answer.code == plugin_pb2.CODE_UNSUPPORTED
        assert (await one.read(1)).answer.code == plugin_pb2.CODE_OK


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_ask_of_many_at_once_is_answered_once(language: str, tmp_path: Path) -> None:
    async with stranger(language, tmp_path) as one:
        await one.open(a="1")
        pings: list[Any] = [one.ask("", ping=Ping()) for _ in range(100)]
        replies = await asyncio.gather(*pings, *(one.read(1) for _ in range(100)))

        assert {reply.answer.code for reply in replies} == {plugin_pb2.CODE_OK}
        assert len({reply.answer.id for reply in replies}) == 200
        assert not one.attachment.gone.done()  # a second answer would have been a breach


@pytest.mark.parametrize("language", LANGUAGES)
async def test_shutdown_is_answered_and_ends_the_process_in_order(
    language: str, tmp_path: Path
) -> None:
    async with stranger(language, tmp_path) as one:
        await one.open(a="1")
        reply = await one.ask("", shutdown=Shutdown(grace_ms=1000))

        assert reply.answer.code == plugin_pb2.CODE_OK
        assert await one.exit_code() == 0
        assert await asyncio.wait_for(one.attachment.gone, WITHIN)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_exits_when_stdin_ends(language: str, tmp_path: Path) -> None:
    async with stranger(language, tmp_path) as one:
        assert one.process.stdin
        one.process.stdin.close()

        assert await one.exit_code() == 0
        assert await asyncio.wait_for(one.attachment.gone, WITHIN)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_exits_when_the_kernel_ends_the_stream(language: str, tmp_path: Path) -> None:
    async with stranger(language, tmp_path) as one:
        one.attachment.end("enough")

        assert await one.exit_code() == 0


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_token_that_is_not_taken_is_told_by_exit_code_78(
    language: str, tmp_path: Path
) -> None:
    async with plugin_host() as host, started(host, language, tmp_path, "wrong") as process:
        assert await asyncio.wait_for(process.wait(), WITHIN) == 78


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_frozen_plugin_is_silence_not_an_answer(language: str, tmp_path: Path) -> None:
    async with stranger(language, tmp_path) as one:
        os.kill(one.process.pid, signal.SIGSTOP)
        with pytest.raises(TimeoutError, match="no answer within"):
            await one.ask("", within=0.05, ping=Ping())
        os.kill(one.process.pid, signal.SIGCONT)

        assert (await one.ask("", ping=Ping())).answer.code == plugin_pb2.CODE_OK
        assert not one.attachment.gone.done()  # the late answer is forgotten, no breach


# in a kernel ----------------------------------------------------------------------------------------------------------

TEXT = """
connectors:
  box: {use: counter, how: HOW, scan_classes: {fast: 50ms}, tags: {a: {address: "1.5", scan: fast}}}
  other: {use: blocking, scan_classes: {fast: 50ms}, tags: {n: {address: a, scan: fast}}}
"""


def with_stranger(folder: Path) -> dict[str, Any]:
    offer = RigOffer(
        *("counter", "connector", ("read",), ""),
        plugin="stranger",
        file=folder / "stranger.js",  # no manifest, so it is not confined to what none says
        python=node_as_python(folder),
    )
    return OFFERS | {"counter": offer}


async def test_a_kernel_runs_a_plugin_that_knows_nothing_but_the_contract(tmp_path: Path) -> None:
    async with plant(
        tmp_path, TEXT.replace("HOW", "well"), offers=with_stranger(tmp_path)
    ) as kernel:
        await until(lambda: state(kernel, "box") == "up" and value(kernel, "box/a") == 1.5)

        assert code(kernel, "box/a") == quality.GOOD


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("answers twice", "broke the contract: answered ask"),
        ("publishes for another", "broke the contract: published for 'somebody', which is none"),
    ],
)
async def test_a_kernel_ends_a_plugin_that_breaks_the_contract_and_nobody_else(
    tmp_path: Path, how: str, words: str
) -> None:
    text = TEXT.replace("HOW", how)
    async with plant(tmp_path, text, offers=with_stranger(tmp_path)) as kernel:
        box = kernel.components["box"]
        await until(lambda: words in box.life.reason)
        first = box.place.run.pid
        await until(lambda: box.place.run.pid != first and box.place.breaches > 1)
        before = value(kernel, "other/n")

        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)
        await until(lambda: (value(kernel, "other/n") or 0) > (before or 0))
        assert kernel.components["other"].place.breaches == 0


BROKEN = """
import bedplate.remote.analytic_side as side
from bedplate import Analytic
from bedplate.model import Event, EventKind
from pydantic import BaseModel

side.encode_event = lambda event: b"no event at all"

class Sums(Analytic):
    class Config(BaseModel):
        of: str = ""

    def process(self, stretch):
        yield Event(self.asset.path + "/x", EventKind.NOTE, stretch.until)
"""


async def test_an_event_that_cannot_be_decoded_never_gets_into_the_journal(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    sums = replace(OFFERS["sums"], plugin="broken", file=tmp_path / "broken.py")
    text = """
types: {box: {use: counter, tags: {n: {address: a}}}}
connectors: {box: {type: box, each: {one: {}}}}
analytics: {sums: {use: sums, for: box, of: n}}
"""
    async with plant(tmp_path, text, offers=OFFERS | {"sums": sums}) as kernel:
        await until(lambda: "event is no protobuf message" in kernel.components["sums"].life.reason)
        await kernel.engine.synced(kernel.engine.state().appended)
        records = await kernel.engine.read(0)

    assert records
    for record in records:
        if record.kind is Body.EVENT:
            decode_event(record.payload)


async def test_a_batch_that_cannot_be_decoded_is_a_fault_of_that_component(tmp_path: Path) -> None:
    text = TEXT.replace("HOW", "sends no batch")
    async with plant(tmp_path, text, offers=with_stranger(tmp_path)) as kernel:
        box = kernel.components["box"]
        await until(lambda: "batch column float64" in box.life.reason)

        assert box.place.breaches == 0
