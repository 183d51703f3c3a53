"""Addresses: what `check` finds from the schema alone, and what `open` refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from plugins.modbus.tests.driving import built
from pydantic import TypeAdapter, ValidationError

import bedplate_modbus
from bedplate import Invalid
from bedplate.config import PluginSchema, parse
from bedplate.errors import ConfigError
from bedplate_modbus import Modbus
from bedplate_modbus.address import resolve

ADDRESS = TypeAdapter(Modbus.Address)
SCHEMA = Draft202012Validator(ADDRESS.json_schema())
TAG = Draft202012Validator(Modbus.TagSettings.model_json_schema())


def taken(address: Any) -> bool:
    try:
        ADDRESS.validate_python(address)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("written", "register_type", "wire"),
    [
        (19026, "holding_register", 19026),
        ("19026", "holding_register", 19026),
        (0, "holding_register", 0),
        (65535, "holding_register", 65535),
        ("400001", "holding_register", 0),
        ("440002", "holding_register", 40001),
        ("465536", "holding_register", 65535),
        ("300001", "input_register", 0),
        ("100010", "discrete_input", 9),
        ("000001", "coil", 0),
    ],
)
def test_every_way_to_write_an_address_has_one_reading(
    written: Any, register_type: str, wire: int
) -> None:
    assert taken(written)
    assert SCHEMA.is_valid(written)
    assert resolve(written, "holding_register") == (register_type, wire)


NOT_ADDRESSES = [
    40001,
    "40001",
    49999,
    40000,
    400001,
    65536,
    -1,
    1.5,
    True,
    None,
    "",
    "4x1",
    "400000",
    "465537",
]
NOT_ADDRESSES += ["200001", "500001", "4000001", "65536", "1e3", " 1", "٤٠٠٠٠١"]


@pytest.mark.parametrize("written", NOT_ADDRESSES)
def test_what_is_no_address_is_found_by_the_schema_and_by_the_plugin(written: Any) -> None:
    assert not SCHEMA.is_valid(written)
    assert not taken(written)


@given(
    st.one_of(
        st.integers(-10, 700_000),
        st.integers(0, 700_000).map(str),
        st.from_regex(r"\A[0-9]{0,7}\Z"),
    )
)
def test_schema_and_plugin_agree_on_every_address(written: Any) -> None:
    assert SCHEMA.is_valid(written) == taken(written)


def test_a_holding_register_that_may_be_modicon_is_refused_with_both_readings() -> None:
    with pytest.raises(ValidationError) as error:
        ADDRESS.validate_python(40001)
    words = error.value.errors()[0]["msg"]
    assert 'wire address 40001 (write "440002")' in words
    assert 'Modicon 40001, which is wire address 0 (write 0 or "400001")' in words


def test_an_input_register_that_may_be_modicon_is_refused_with_both_readings() -> None:
    entry = {"address": 30775, "register_type": "input_register"}
    with pytest.raises(Invalid) as error:
        point(entry)
    assert error.value.tag == "t"
    assert 'wire address 30775 (write "330776")' in str(error.value)
    assert 'wire address 774 (write 774 or "300775")' in str(error.value)
    assert point({"address": 30775}).address == 30775


def test_an_address_that_only_looks_like_modicon_says_how_to_write_it() -> None:
    with pytest.raises(ValueError, match='for wire address 40000 write "440001"'):
        resolve(40000, "holding_register")


FILE = """\
bedplate: 1
name: line
connectors:
  meter:
    use: modbus
    host: 10.20.1.232.1
    byte_ordr: CDAB
    tags:
      fine: {address: "440002", data_type: string, length: 4}
      both: {address: 40001}
      text: {address: 5, data_type: string}
      type: {address: 5, data_type: float31}
"""


def test_check_finds_what_is_wrong_from_the_schema_that_ships() -> None:
    shipped = Path(bedplate_modbus.__file__).with_name("config.schema.json")
    offer = json.loads(shipped.read_text())["offers"]["modbus"]
    schema = PluginSchema(
        "modbus", "connector", ("read", "write"), offer["settings"], offer["tag"], offer["address"]
    )
    with pytest.raises(ConfigError) as error:
        parse(FILE.encode(), "line.yaml", Path(), lambda use: schema, ["modbus"])
    lines = str(error.value).splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"line.yaml:{n}" for n in (6, 7, 10, 11, 12)]
    assert "neither an IP address nor a host name" in lines[0]
    assert "did you mean `byte_order`?" in lines[1]
    assert "40001 has two readings" in lines[2]
    assert '"440002" is wire address 40001, "400001" is wire address 0' in lines[2]
    assert "`length` is missing" in lines[3]
    assert '"float31" is none of bool, bit,' in lines[4]


def point(entry: dict[str, Any], **config: Any) -> Any:
    from bedplate_modbus.point import point_of

    modbus = built(1, {"t": entry}, **config)
    return point_of(modbus.tags[0], modbus.config)


WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"address": "400001", "register_type": "coil"},
        "is a holding_register, and register_type says coil",
    ),
    ({"address": 1, "register_type": "coil", "data_type": "float32"}, "a coil holds one bool"),
    ({"address": 1, "data_type": "string"}, "length: .* and data_type: string go together"),
    ({"address": 1, "length": 3}, "length: .* and data_type: string go together"),
    ({"address": 1, "data_type": "bit"}, "bit: 0 to 15 and data_type: bit go together"),
    ({"address": 1, "data_type": "int16", "bit": 3}, "bit: 0 to 15 and data_type: bit go together"),
    ({"address": 65535, "data_type": "float32"}, "go beyond 65535"),
    (
        {"address": 1, "data_type": "string", "length": 60},
        "needs 60 registers.*max_registers is 50",
    ),
    ({"address": "300001", "writable": True}, "an? input_register can't be written"),
    ({"address": "100001", "writable": True}, "a discrete_input can't be written"),
]


@pytest.mark.parametrize(("entry", "words"), WRONG)
async def test_open_refuses_what_cannot_be_right_before_it_contacts_anything(
    entry: dict[str, Any], words: str
) -> None:
    with pytest.raises(Invalid, match=words) as error:
        await built(1, {"fine": {"address": 3}, "wrong": entry}, max_registers=50).open()
    assert error.value.tag == "wrong"


def test_what_a_tag_does_not_say_its_device_says() -> None:
    device = {
        "unit_id": 7,
        "register_type": "input_register",
        "data_type": "int32",
        "byte_order": "CDAB",
    }
    plain = point({"address": 5}, **device)
    assert (plain.unit, plain.register_type, plain.form.data_type) == (7, "input_register", "int32")
    own = point(
        {"address": "400006", "unit_id": 0, "data_type": "float64", "byte_order": "DCBA"}, **device
    )
    assert (own.unit, own.register_type, own.address) == (0, "holding_register", 5)
    assert (own.form.data_type, own.form.byte_order) == ("float64", "DCBA")
    assert point({"address": 5, "register_type": "coil"}, **device).form.data_type == "bool"
    assert point({"address": 5, "bit": 3}, **device).form.data_type == "bit"


@pytest.mark.parametrize(
    ("entry", "fits"),
    [
        ({}, True),
        ({"data_type": "string", "length": 4}, True),
        ({"data_type": "string"}, False),
        ({"data_type": "bit", "bit": 15}, True),
        ({"data_type": "bit"}, False),
        ({"data_type": "float31"}, False),
        ({"byte_order": "ABDC"}, False),
        ({"unit_id": 256}, False),
        ({"bit": 16}, False),
        ({"scale": 2}, False),
    ],
)
def test_the_schema_of_a_tag_says_what_fits(entry: dict[str, Any], fits: bool) -> None:
    assert TAG.is_valid(entry) == fits


def test_durations_are_texts_in_the_file_and_bounds_hold() -> None:
    config = {"host": "10.0.0.1", "request_timeout": "250ms"}
    assert Modbus.Config.model_validate(config).request_timeout == 0.25
    for wrong in (
        {"request_timeout": "0s"},
        {"max_registers": 126},
        {"unit_id": 300},
        {"slave": 1},
    ):
        with pytest.raises(ValidationError):
            Modbus.Config.model_validate(config | wrong)
    schema = Modbus.Config.model_json_schema()["properties"]
    assert schema["request_timeout"]["x-bedplate-duration"]
    assert schema["request_timeout"]["default"] == "3s"
    assert schema["host"]["x-bedplate-host"]
    assert all("description" in entry for entry in schema.values())
