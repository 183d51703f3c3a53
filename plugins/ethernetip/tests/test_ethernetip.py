"""The EtherNet/IP connector against cpppo's simulator, which shares no code with pylogix."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugins.ethernetip.tests.conftest import Controller
from pydantic import TypeAdapter, ValidationError
from tests.faults.babbler import babbler

from bedplate import Refused
from bedplate.model import quality
from bedplate.testing import Plugged, plugged
from bedplate_ethernetip import EthernetIp

VALUES: dict[str, tuple[str, object]] = {
    "dint": ("Count", -70_000),
    "real": ("Level", 12.5),
    "lint": ("Long", -(2**40)),
    "lreal": ("Precise", 0.1),
    "int": ("Small", -32_768),
    "sint": ("Byte", -128),
    "udint": ("Wide", 4_000_000_000),
    "bool": ("Running", True),
    "element": ("Zones[3]", -1.5),
}


@pytest.fixture(scope="module")
def plugin() -> Iterator[Plugged]:
    with plugged(EthernetIp) as one:
        yield one


@pytest.mark.parametrize("case", VALUES)
def test_what_is_written_is_read_back_in_its_type(
    case: str, plugin: Plugged, logix: Controller
) -> None:
    address, value = VALUES[case]
    opened = plugin.connector(logix.settings, {"tag": address})
    opened.write("tag", value)
    reading = opened.read()["tag"]
    assert (reading.value, type(reading.value)) == (value, type(value))
    assert reading.quality == quality.GOOD
    opened.close()


def test_many_tags_are_read_at_once_and_in_order(plugin: Plugged, logix: Controller) -> None:
    opened = plugin.connector(logix.settings, {f"w{i}": f"Words[{i}]" for i in range(300)})
    for index in (0, 17, 299):
        opened.write(f"w{index}", index + 1)
    readings = opened.read()
    assert len(readings) == 300
    assert {name: r.value for name, r in readings.items() if r.value} == {
        "w0": 1,
        "w17": 18,
        "w299": 300,
    }
    opened.close()


def test_a_tag_that_is_not_there_harms_only_itself(plugin: Plugged, logix: Controller) -> None:
    tags = {"here": "Level", "nowhere": "Nobody", "beyond": "Zones[400]", "all": "Name"}
    opened = plugin.connector(logix.settings, tags)
    readings = opened.read()
    assert readings["here"].quality == quality.GOOD
    assert readings["nowhere"].quality == quality.CODES["BadNodeIdUnknown"]
    assert "Path destination unknown: Nobody" in readings["nowhere"].why
    assert quality.is_bad(readings["beyond"].quality)
    opened.close()


REFUSED = {
    "too large": ("Small", 70_000, "70000 does not fit Small"),
    "a fraction into a whole number": ("Count", 1.5, "1.5 does not fit Count"),
    "nowhere": ("Nobody", 1, "Path destination unknown: Nobody"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    case: str, plugin: Plugged, logix: Controller
) -> None:
    address, value, why = REFUSED[case]
    opened = plugin.connector(logix.settings, {"tag": address})
    before = opened.read()["tag"].value
    with pytest.raises(Refused, match=why):
        opened.write("tag", value)
    after = opened.read()["tag"].value
    assert after == before or math.isnan(after)
    opened.close()


def test_a_controller_that_is_away_is_unreachable_and_comes_back(
    plugin: Plugged, fragile: Controller
) -> None:
    opened = plugin.connector(fragile.settings, {"tag": "Level"})
    fragile.stop()
    with pytest.raises(ConnectionError):
        opened.read()
    with pytest.raises(ConnectionError, match="refused"):
        plugin.connector(fragile.settings, {"tag": "Level"})
    fragile.start()
    assert plugin.connector(fragile.settings, {"tag": "Level"}).read()["tag"].value == 0.0


def test_a_controller_that_hangs_is_unreachable_after_the_timeout(
    plugin: Plugged, fragile: Controller
) -> None:
    opened = plugin.connector({**fragile.settings, "timeout": "500ms"}, {"tag": "Level"})
    fragile.freeze()
    with pytest.raises(ConnectionError):
        opened.read()
    fragile.thaw()


GARBAGE = [
    b"",
    b"\x00",
    b"\xff" * 24,
    bytes(24),
    bytes(60),
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x6f\x00\x04\x00" + bytes(24),
]


@pytest.mark.parametrize("answer", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_no_value_and_no_fault(answer: bytes, plugin: Plugged) -> None:
    with babbler(answer or b"\x01") as port, pytest.raises(ConnectionError):
        plugin.connector(
            {"host": "127.0.0.1", "port": port, "timeout": "300ms"}, {"t": "Level"}
        ).read()


def test_who_hangs_up_in_the_middle_of_a_frame_is_not_waited_for(plugin: Plugged) -> None:
    half = b"\x65\x00\x64\x00" + bytes(20)  # a hundred more bytes are announced
    with babbler(half, hangs_up=True) as port, pytest.raises(ConnectionError):
        plugin.connector({"host": "127.0.0.1", "port": port, "timeout": "20s"}, {"t": "Level"})


ADDRESS = TypeAdapter(EthernetIp.Address)
GOOD = ["Speed", "Program:Main.Speed", "Zones[3].Temp", "Grid[1,2,3]", "Flags.4", "A.B.C"]
WRONG = ["", "3Speed", "Speed[", "Program:.x", "a b", "Zones[-1]", "x" * 300, "Program:Main"]


@pytest.mark.parametrize("address", GOOD)
def test_names_of_tags_are_addresses(address: str) -> None:
    assert ADDRESS.validate_python(address) == address


@pytest.mark.parametrize("address", WRONG)
def test_what_is_no_name_of_a_tag_is_refused_at_its_line(address: str) -> None:
    with pytest.raises(ValidationError):
        ADDRESS.validate_python(address)


@given(st.text(max_size=30))
def test_no_text_is_worse_than_refused(text: str) -> None:
    refused = False
    try:
        told = ADDRESS.validate_python(text)
    except ValidationError:
        refused = True
    assert refused or told == text
