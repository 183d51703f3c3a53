"""The S7 connector against Snap7's server, and what it wrote as nodes7 reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from plugins.s7.tests.conftest import Controller
from tests.faults.babbler import babbler

from bedplate import Invalid, Refused
from bedplate.model import quality
from bedplate.testing import Plugged, plugged
from bedplate_s7 import S7

VALUES: dict[str, tuple[dict[str, Any], object]] = {
    "real": ({"address": "DB1.DBD0", "data_type": "real"}, 21.5),
    "int": ({"address": "DB1.DBW4", "data_type": "int"}, -7),
    "bit 0": ({"address": "DB1.DBX6.0"}, True),
    "bit 1": ({"address": "%DB1.DBX6.1"}, False),
    "bit 2": ({"address": "DB1.DBX6.2"}, True),
    "word": ({"address": "DB1.DBW8"}, 65_535),
    "dint": ({"address": "DB1.DBD10", "data_type": "dint"}, -70_000),
    "dword": ({"address": "DB1.DBD14"}, 4_000_000_000),
    "lreal": ({"address": "DB1.DBB18", "data_type": "lreal"}, 0.1),
    "lint": ({"address": "DB1.DBB26", "data_type": "lint"}, -(2**40)),
    "sint": ({"address": "DB1.DBB34", "data_type": "sint"}, -128),
    "byte": ({"address": "DB1.DBB34"}, 128),
    "char": ({"address": "DB1.DBB35", "data_type": "char"}, "A"),
    "string": ({"address": "DB1.DBB36", "data_type": "string", "length": 20}, "Grün!"),
    "wstring": ({"address": "DB1.DBW60", "data_type": "wstring", "length": 8}, "a€Z"),
    "time": ({"address": "DB1.DBD80", "data_type": "time"}, 90_000),
    "marker": ({"address": "MW20"}, 4711),
    "input": ({"address": "E0.7"}, True),
}


@pytest.fixture(scope="module")
def plugin() -> Iterator[Plugged]:
    with plugged(S7) as one:
        yield one


@contextmanager
def opened(plugin: Plugged, plc: Controller, tags: dict[str, Any]) -> Iterator[Any]:
    one = plugin.connector(plc.settings, tags)
    try:
        yield one
    finally:
        one.close()


def test_every_type_reads_what_another_language_put_there(plugin: Plugged, plc: Controller) -> None:
    with opened(plugin, plc, {name: tag for name, (tag, _) in VALUES.items()}) as one:
        readings = one.read()
    assert {name: r.value for name, r in readings.items()} == {n: v for n, (_, v) in VALUES.items()}
    assert {name for name, r in readings.items() if r.quality != quality.GOOD} == set()


WRITTEN: dict[str, tuple[dict[str, Any], object, str, object]] = {
    "real": ({"address": "DB1.DBD100", "data_type": "real"}, 12.5, "DB1,REAL100", 12.5),
    "int": ({"address": "DB1.DBW104", "data_type": "int"}, -300, "DB1,INT104", -300),
    "dword": ({"address": "DB1.DBD106"}, 3_000_000_000, "DB1,DWORD106", 3_000_000_000),
    "bit": ({"address": "DB1.DBX110.3"}, True, "DB1,X110.3", True),
    "string": ({"address": "DB1.DBB112", "data_type": "string", "length": 10}, "Öl ok", "DB1,S112.10", "Öl ok"),
}  # fmt: skip


def test_what_is_written_another_client_reads(plugin: Plugged, plc: Controller) -> None:
    with opened(plugin, plc, {name: tag for name, (tag, *_) in WRITTEN.items()}) as one:
        for name, (_, value, *_) in WRITTEN.items():
            one.write(name, value)
        readings = one.read()
    wanted = {name: (value, other) for name, (_, value, _, other) in WRITTEN.items()}
    seen = plc.other(*(address for _, _, address, _ in WRITTEN.values()))
    found = {
        name: (readings[name].value, seen[address]) for name, (_, _, address, _) in WRITTEN.items()
    }
    assert found == wanted


def test_writing_a_bit_touches_no_other(plugin: Plugged, plc: Controller) -> None:
    before = plc.bytes()
    with opened(plugin, plc, {"bit": "DB1.DBX200.5"}) as one:
        one.write("bit", True)
        assert plc.bytes()[200] == 0b0010_0000
        one.write("bit", False)
    assert plc.bytes() == before


REFUSED: dict[str, tuple[dict[str, Any], object, str]] = {
    "too large": ({"address": "DB1.DBW104", "data_type": "int"}, 40_000, "40000 does not fit INT"),
    "a fraction": ({"address": "DB1.DBW104", "data_type": "int"}, 1.5, "1.5 is no whole number"),
    "a number into a bit": ({"address": "DB1.DBX6.0"}, 1, "1 is no bool"),
    "not finite": ({"address": "DB1.DBD100", "data_type": "real"}, float("inf"), "inf is not finite"),
    "too long": ({"address": "DB1.DBB112", "data_type": "string", "length": 4}, "Wasser", "has 6 characters"),
    "no such character": ({"address": "DB1.DBB112", "data_type": "string"}, "€", "has characters that STRING does not"),
    "no such block": ({"address": "DB77.DBW0"}, 1, "the controller refused it"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    case: str, plugin: Plugged, plc: Controller
) -> None:
    tag, value, why = REFUSED[case]
    before = plc.bytes()
    with opened(plugin, plc, {"tag": tag}) as one, pytest.raises(Refused, match=why):
        one.write("tag", value)
    assert plc.bytes() == before


def test_missing_bytes_harm_nobody_else_and_stay_told(plugin: Plugged, plc: Controller) -> None:
    near = {f"w{i}": f"DB1.DBW{1000 + 2 * i}" for i in range(20)}  # the block ends at 1024
    odd = {"address": "DB1.DBB90", "data_type": "string", "length": 4}
    with opened(plugin, plc, {**near, "nowhere": "DB9.DBW0", "odd": odd}) as one:
        for _ in range(2):
            readings = one.read()
            bad = {name for name, r in readings.items() if not r.good}
            assert bad == {f"w{i}" for i in range(12, 20)} | {"nowhere", "odd"}
        assert "PUT/GET" in readings["nowhere"].why
        assert readings["odd"].quality == quality.CODES["BadDecodingError"]


CONTRADICTIONS = [
    ({"address": "DB1.DBX0.1", "settings": {"data_type": "int"}}, "is a bit, int is not"),
    ({"address": "DB1.DBW0", "settings": {"data_type": "bool"}}, "is no bit, bool is one"),
]


@pytest.mark.parametrize(("tag", "why"), CONTRADICTIONS, ids=["bit", "word"])
def test_a_type_that_cannot_lie_there_is_invalid(
    tag: dict[str, Any], why: str, plugin: Plugged, plc: Controller
) -> None:
    with pytest.raises(Invalid, match=why):
        plugin.connector(plc.settings, {"tag": tag})


def test_a_controller_that_is_away_is_unreachable_and_comes_back(
    plugin: Plugged, fragile: Controller
) -> None:
    one = plugin.connector(fragile.settings, {"tag": "DB1.DBW8"})
    fragile.stop()
    with pytest.raises(ConnectionError):
        one.read()
    with pytest.raises(ConnectionError, match="refused"):
        plugin.connector(fragile.settings, {"tag": "DB1.DBW8"})
    fragile.start()
    assert plugin.connector(fragile.settings, {"tag": "DB1.DBW8"}).read()["tag"].value == 65_535


def test_a_controller_that_hangs_is_unreachable_after_the_timeout(
    plugin: Plugged, fragile: Controller
) -> None:
    one = plugin.connector({**fragile.settings, "timeout": "500ms"}, {"tag": "DB1.DBW8"})
    fragile.freeze()
    with pytest.raises((ConnectionError, TimeoutError)):
        one.read()
    fragile.thaw()


GARBAGE = [
    b"\xff" * 40, bytes(40), b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x03\x00\x00\x07\x02\xf0\x80",
]  # fmt: skip


@pytest.mark.parametrize("answer", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_no_value_and_no_fault(answer: bytes, plugin: Plugged) -> None:
    with babbler(answer) as port:
        settings = {"host": "127.0.0.1", "port": port, "timeout": "300ms"}
        with pytest.raises((ConnectionError, TimeoutError)):
            plugin.connector(settings, {"tag": "DB1.DBW0"})


NUMBER = slice(11, 13)  # of a question, where it stands
CONFIRM = bytes.fromhex("03000016 11d0 0001 0001 00 c0010a c1020100 c2020102")
SETUP = (
    bytes.fromhex("0300001b 02f080 3203 0000")
    + b"NN"
    + bytes.fromhex("00080000 0000 f000 0001 0001 01e0")
)
READ = (
    bytes.fromhex("0300001b 02f080 3203 0000")
    + b"NN"
    + bytes.fromhex("00020006 0000 0401 ff040010 0007")
)
WRONG = {
    "nothing": bytes.fromhex("03000007 02f080"),
    "of another question": READ.replace(b"NN", b"\x7f\x7f"),
    "to a write": READ.replace(b"\x04\x01\xff", b"\x05\x01\xff"),
    "shorter": READ.replace(b"\xff\x04\x00\x10", b"\xff\x04\x00\x08"),
    "no S7": READ.replace(b"\x32", b"\x33"),
}  # fmt: skip


def test_a_greeting_that_is_answered_with_an_error_is_no_fault(plugin: Plugged) -> None:
    spoilt = SETUP.replace(bytes.fromhex("00080000 0000"), bytes.fromhex("00080000 4002"))
    with (
        babbler(CONFIRM, spoilt, number=NUMBER) as port,
        pytest.raises(ConnectionError, match="4002"),
    ):
        plugin.connector({"host": "127.0.0.1", "port": port, "timeout": "300ms"}, {"t": "MW20"})


@pytest.mark.parametrize("case", WRONG)
def test_an_answer_that_is_none_is_no_word_of_the_controller(case: str, plugin: Plugged) -> None:
    with babbler(CONFIRM, SETUP, READ, number=NUMBER) as port:
        settings = {"host": "127.0.0.1", "port": port, "timeout": "5s"}
        assert plugin.connector(settings, {"tag": "DB1.DBW0"}).read()["tag"].value == 7
    with babbler(CONFIRM, SETUP, READ, WRONG[case], number=NUMBER) as port:
        settings["port"] = port
        one = plugin.connector(settings, {"tag": "DB1.DBW0"})
        with pytest.raises((ConnectionError, TimeoutError)):
            one.read()
