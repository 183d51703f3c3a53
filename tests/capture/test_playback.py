"""The file, the proxy and the playback by themselves."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.capture.devices import counting, device, talk

from bedplate.capture import Playback, Proxy, Recorder, Recording, load, reroute, routes
from bedplate.capture.recording import RECEIVED, SENT, Conversation, parse
from bedplate.errors import BedplateError

HEADER = {"use": "x", "settings": {}, "tags": {}, "endpoints": ["a:1"]}


def recorded(*steps: tuple[str, bytes], ended_by: str = "device") -> Recording:
    conversation = Conversation(0, ended_by=ended_by)
    for direction, content in steps:
        conversation.add(direction, content)
    return Recording(HEADER, [], {1: conversation})


@pytest.mark.parametrize("parts", [(b"ABCD",), (b"A", b"BC", b"D"), (b"AB", b"CD")])
async def test_how_requests_are_cut_into_packets_does_not_matter(parts: tuple[bytes, ...]) -> None:
    playback = Playback(
        recorded(
            (RECEIVED, b"hi "), (SENT, b"AB"), (RECEIVED, b"1"), (SENT, b"CD"), (RECEIVED, b"2")
        ),
        0,
    )
    port = await playback.start()
    try:
        assert await talk(port, *parts, pause=0.01) == b"hi 12"
        assert playback.departures == []
        assert (playback.answered, playback.out_of_order) == (2, 0)
    finally:
        await playback.stop()


async def test_requests_in_another_order_get_their_own_replies_and_are_counted() -> None:
    steps = [(SENT, b"A?"), (RECEIVED, b"1"), (SENT, b"B?"), (RECEIVED, b"2")]
    playback = Playback(recorded(*steps), 0)
    port = await playback.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request, reply in ((b"B?", b"2"), (b"A?", b"1")):
            writer.write(request)
            async with asyncio.timeout(20):
                assert await reader.readexactly(1) == reply
        writer.close()
        assert playback.out_of_order == 2
        assert playback.departures == []
    finally:
        await playback.stop()


async def test_a_request_that_was_never_recorded_is_told_with_both_readings() -> None:
    steps = [(SENT, b"A?"), (RECEIVED, b"1"), (SENT, b"B?"), (RECEIVED, b"2")]
    playback = Playback(recorded(*steps), 0)
    port = await playback.start()
    try:
        assert await talk(port, b"A?", b"C?", pause=0.05) == b"1"
        (departure,) = playback.departures
        assert (departure.request, departure.recorded, departure.sent) == (2, b"B?", b"C?")
        assert str(departure).splitlines()[1:] == [
            "  recorded  42 3f   'B?'",
            "  sent      43 3f   'C?'",
        ]
    finally:
        await playback.stop()


async def test_the_proxy_passes_on_what_comes_and_writes_it_down(tmp_path: Path) -> None:
    file = tmp_path / "a.capture"
    with device(counting) as there, Recorder(file, HEADER) as recorder:
        proxy = Proxy("127.0.0.1", there, 0, recorder, Proxy.numbering())
        port = await proxy.start()
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"W\n")
            async with asyncio.timeout(20):
                assert (await reader.readline()).endswith(b".5\n")
            writer.close()
            await writer.wait_closed()
        await proxy.stop()
    conversations = load(file).conversations

    assert [one.steps[0] for one in conversations.values()] == [(SENT, b"W\n")] * 2
    assert [one.steps[1] for one in conversations.values()] == [
        (RECEIVED, b"0.5\n"),
        (RECEIVED, b"1.5\n"),
    ]


def test_no_recording_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    with pytest.raises(BedplateError, match="is there already"):
        Recorder(tmp_path / "a", HEADER)


FACTS = st.dictionaries(
    st.sampled_from(["t", "open", "to", "sent", "received", "bytes", "close", "by", "why", "read", "session"]),
    st.none() | st.integers(-1, 3) | st.text(max_size=4) | st.lists(st.lists(st.text(max_size=2), max_size=4)),
)  # fmt: skip


@given(st.lists(FACTS.map(lambda f: json.dumps(f).encode()) | st.binary(max_size=20), max_size=8))
def test_a_file_that_is_none_ends_in_one_sentence_that_names_its_line(lines: list[bytes]) -> None:
    header = json.dumps({"bedplate_capture": 1, **HEADER}).encode()
    try:
        parse([header, *lines], "a.capture")
    except BedplateError as error:
        assert str(error).startswith("a.capture:")  # noqa: PT017


def test_a_cut_off_last_line_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text(
        json.dumps({"bedplate_capture": 1, **HEADER}) + '\n{"t":1,"session":1}\n{"t":2,"op'
    )
    assert len(load(file).sessions) == 1


def test_settings_are_led_elsewhere_as_the_manifest_names_them() -> None:
    schema = {"properties": {"port": {"default": 502}}}
    pair = routes(["tcp:$host:$port"], schema, {"host": "10.0.0.1"})
    url = routes(["$endpoint"], {}, {"endpoint": "opc.tcp://me:pw@plc/path?q"})

    assert [place.address for place in pair + url] == ["10.0.0.1:502", "plc:4840"]
    assert reroute({"host": "10.0.0.1"}, pair, [7]) == {"host": "127.0.0.1", "port": 7}
    assert reroute({"endpoint": "opc.tcp://me:pw@plc/path?q"}, url, [7]) == {
        "endpoint": "opc.tcp://me:pw@127.0.0.1:7/path?q"
    }


@pytest.mark.parametrize(
    ("network", "why"),
    [
        (["udp:$host:$port"], "UDP"),
        (["tcp:10.0.0.1:502"], "not in its settings"),
        ([], "no telling"),
    ],
)
def test_what_cannot_be_led_elsewhere_is_refused_with_the_reason(
    network: list[str], why: str
) -> None:
    with pytest.raises(BedplateError, match=why):
        routes(network, {}, {"host": "a", "port": 1})
