"""Every data type in four byte orders: golden values, and round trips for any bytes and any value."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate import Bad, DataType, Refused
from bedplate.model import quality
from bedplate_modbus import decode_all
from bedplate_modbus.codec import ORDERS, Column, Format, encode

NUMBERS = ["int8_high", "int8_low", "uint8_high", "uint8_low", "int16", "uint16", "int32", "uint32"]
NUMBERS += ["int64", "uint64", "float16", "float32", "float64"]
WIRE = {
    "ABCD": "12 34 56 78 9a bc de f0",
    "CDAB": "de f0 9a bc 56 78 12 34",
    "BADC": "34 12 78 56 bc 9a f0 de",
    "DCBA": "f0 de bc 9a 78 56 34 12",
}


def decode(form: Format, wire: bytes) -> Any:
    return Column([form], [0]).decode(np.frombuffer(wire, np.uint8))[0]


@pytest.mark.parametrize("order", ORDERS)
def test_the_letters_of_a_byte_order_say_which_byte_comes_when(order: str) -> None:
    whole = bytes.fromhex(WIRE[order])
    assert decode(Format("uint64", order), whole) == 0x123456789ABCDEF0
    words = {"ABCD": "1234 5678", "CDAB": "5678 1234", "BADC": "3412 7856", "DCBA": "7856 3412"}
    assert decode(Format("uint32", order), bytes.fromhex(words[order])) == 0x12345678
    half = {"ABCD": "1234", "CDAB": "1234", "BADC": "3412", "DCBA": "3412"}
    assert decode(Format("uint16", order), bytes.fromhex(half[order])) == 0x1234


@pytest.mark.parametrize(
    ("data_type", "wire", "value"),
    [
        ("int16", "ff fe", -2),
        ("uint16", "ff fe", 65534),
        ("int32", "ff ff ff fe", -2),
        ("uint32", "ff ff ff fe", 2**32 - 2),
        ("int64", "80 00 00 00 00 00 00 00", -(2**63)),
        ("uint64", "ff ff ff ff ff ff ff ff", 2**64 - 1),
        ("float16", "3c 01", 1.0009765625),
        ("float32", "46 42 08 00", 12418.0),
        ("float64", "40 09 21 fb 54 44 2d 18", math.pi),
        ("int8_high", "9c 07", -100),
        ("int8_low", "9c 07", 7),
        ("uint8_high", "9c 07", 156),
        ("uint8_low", "9c 87", 135),
        ("bool", "00 00", False),
        ("bool", "01 00", True),
    ],
)
def test_values_are_what_the_bytes_mean(data_type: str, wire: str, value: Any) -> None:
    found = decode(Format(data_type), bytes.fromhex(wire))
    assert (found == value, found.dtype.kind) == (True, np.asarray(value).dtype.kind)


def test_the_byte_orders_of_a_meter_stand_side_by_side() -> None:
    found = decode_all([0x4642, 0x0800], "float32")
    shown = {order: f"{value:.3g}" for order, value in found.items()}
    assert shown == {"ABCD": "1.24e+04", "CDAB": "3.86e-34", "BADC": "49.5", "DCBA": "7.58e-40"}
    assert decode_all([0x4142, 0x4300], "string")["ABCD"] == "ABC"


@pytest.mark.parametrize(
    ("registers", "data_type"), [([1], "float32"), ([1, 2], "int16"), ([1], "x")]
)
def test_registers_that_hold_no_such_type_are_refused(registers: list[int], data_type: str) -> None:
    with pytest.raises(ValueError, match=f"hold no {data_type}"):
        decode_all(registers, data_type)


@pytest.mark.parametrize("order", ORDERS)
def test_a_bit_is_counted_from_the_least_significant_in_every_byte_order(order: str) -> None:
    for bit in range(16):
        swapped = order in ("BADC", "DCBA")
        wire = (1 << bit).to_bytes(2, "little" if swapped else "big")
        found = [decode(Format("bit", order, bit=b), wire) for b in range(16)]
        assert found == [b == bit for b in range(16)]


@given(st.data(), st.sampled_from(NUMBERS), st.sampled_from(ORDERS))
def test_what_was_read_is_written_back_as_the_same_bytes(
    data: st.DataObject, data_type: str, order: str
) -> None:
    form = Format(data_type, order)
    wire = data.draw(st.binary(min_size=2 * form.count, max_size=2 * form.count))
    value = decode(form, wire).item()
    if math.isfinite(value):
        again, mask = encode(form, value)
        assert again == bytes(byte & own for byte, own in zip(wire, mask, strict=True))


@given(st.data(), st.sampled_from(ORDERS))
def test_what_is_written_is_read_back(data: st.DataObject, order: str) -> None:
    data_type = data.draw(st.sampled_from(NUMBERS))
    form = Format(data_type, order)
    if form.kind is DataType.FLOAT64:
        width = 16 * form.count
        value: Any = data.draw(st.floats(width=width, allow_nan=False, allow_infinity=False))
    else:
        limits = np.iinfo(data_type.split("_")[0])
        value = data.draw(st.integers(int(limits.min), int(limits.max)))
    assert decode(form, encode(form, value)[0]) == value


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=10))
def test_texts_come_back_in_both_byte_orders_of_a_text(text: str) -> None:
    for order in ORDERS:
        wire, _ = encode(Format("string", order, length=20), text)
        assert decode(Format("string", order, length=20), wire) == text
    plain = encode(Format("string", "CDAB", length=20), text)[0]
    assert plain == text.encode().ljust(40, b"\0")


@given(st.lists(st.tuples(st.sampled_from(ORDERS), st.binary(min_size=4, max_size=4)), min_size=1))
def test_a_column_of_mixed_byte_orders_is_what_each_is_alone(rows: list[tuple[str, bytes]]) -> None:
    raw = np.frombuffer(b"".join(wire for _, wire in rows), np.uint8)
    forms = [Format("float32", order) for order, _ in rows]
    together = Column(forms, range(0, len(raw), 4)).decode(raw)
    alone = [struct.unpack(">f", _abcd(order, wire))[0] for order, wire in rows]
    np.testing.assert_array_equal(together, np.array(alone))
    assert together.dtype == np.float64


def _abcd(order: str, wire: bytes) -> bytes:
    return bytes(wire[order.index(letter)] for letter in "ABCD")


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (Format("uint16"), 70000),
        (Format("uint16"), -1),
        (Format("int16"), 3.5),
        (Format("int16"), math.nan),
        (Format("int16"), math.inf),
        (Format("int16"), True),
        (Format("int16"), "3"),
        (Format("int64"), 2**63),
        (Format("uint64"), 10**400),
        (Format("uint8_high"), 256),
        (Format("float16"), 65520.0),
        (Format("float32"), 1e39),
        (Format("float32"), math.nan),
        (Format("float64"), 10**400),
        (Format("bool"), 2),
        (Format("bit", bit=3), 0.5),
        (Format("string", length=2), "fünf"),
        (Format("string", length=2), "a\0b"),
        (Format("string", length=2), 5),
        (Format("bool", coil=True), "on"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(form: Format, value: Any) -> None:
    with pytest.raises(Refused):
        encode(form, value)


def test_the_refusal_says_what_would_fit() -> None:
    with pytest.raises(Refused, match=r"70000 does not fit uint16 \(whole numbers 0 to 65535\)"):
        encode(Format("uint16"), 70000)


def test_a_whole_number_is_written_to_an_integer_even_when_it_comes_as_a_float() -> None:
    assert encode(Format("int16"), 3.0)[0] == b"\0\3"


def test_a_text_that_is_no_utf_8_is_bad_with_its_bytes() -> None:
    found = decode(Format("string", length=2), b"\xff\xfeab")
    assert isinstance(found, Bad)
    assert found.code == quality.BAD_DECODING
    assert "ff fe 61 62" in found.why


def test_a_signalling_nan_is_a_nan_without_a_warning() -> None:
    assert math.isnan(decode(Format("float32"), bytes.fromhex("7f800001")))
