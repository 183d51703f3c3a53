"""Batches on the wire: every value survives, the twin's bytes are protobuf's, and every legal spelling is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.columns import batches, same
from tests.wire.spelling import fields, length_delimited, number_field, split, unpacked

from bedplate.errors import ProtocolError
from bedplate.model import Batch, DataType, Strings
from bedplate.record.v1 import record_pb2
from bedplate.wire import decode_batch, encode_batch

COLUMNS = ("tag", "time", "quality", "server_time", "float64", "int64", "uint64", "end")


@given(batches())
@settings(deadline=None, max_examples=400)
def test_a_batch_survives(batch: Batch) -> None:
    assert same(decode_batch(encode_batch(batch)), batch)


@given(batches())
@settings(deadline=None, max_examples=400)
def test_the_bytes_are_those_of_the_ordinary_class(batch: Batch) -> None:
    encoded = encode_batch(batch)
    ordinary = record_pb2.Batch.FromString(encoded)

    assert ordinary.SerializeToString(deterministic=True) == encoded
    assert ordinary.count == len(batch)
    assert list(ordinary.tag) == batch.tag.tolist()
    assert list(ordinary.time) == batch.time.tolist()
    assert ordinary.data_type == batch.data_type
    assert ordinary.flags == batch.flags


def test_a_long_text_and_many_samples_survive() -> None:
    long = Batch.of([1, 2], [1], ["x" * (1 << 20), "ü\0"])
    many = Batch.of([1], np.arange(100_000), np.arange(100_000) * 0.1)

    assert same(decode_batch(encode_batch(long)), long)
    assert same(decode_batch(encode_batch(many)), many)


def test_decoded_columns_are_views_that_nobody_can_write_through() -> None:
    batch = decode_batch(encode_batch(Batch.of([1], [1], [1.0, 2.0], [0, 1])))

    assert not any(
        column.flags.writeable for column in (batch.tag, batch.time, batch.value, batch.quality)
    )
    assert not batch.value.flags.owndata


# other spellings ------------------------------------------------------------------------------------------------------


@given(batches(most=6), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=300)
def test_packed_columns_that_were_split_read_the_same(batch: Batch, random: Any) -> None:
    assert same(decode_batch(split(encode_batch(batch), random)), batch)


@given(batches(most=6))
@settings(deadline=None, max_examples=300)
def test_unpacked_columns_read_the_same(batch: Batch) -> None:
    assert same(decode_batch(unpacked(encode_batch(batch))), batch)


@given(batches(most=6), st.integers(15, 1000), st.binary(max_size=5))
@settings(deadline=None, max_examples=200)
def test_fields_of_a_later_minor_are_ignored(batch: Batch, number: int, content: bytes) -> None:
    encoded = encode_batch(batch)

    assert same(decode_batch(encoded + length_delimited(number, content)), batch)
    assert same(decode_batch(number_field(number, 7) + encoded), batch)


@given(batches(most=6), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=200)
def test_fields_in_any_order_read_the_same(batch: Batch, random: Any) -> None:
    parts = [raw for _, _, raw in fields(encode_batch(batch))]
    random.shuffle(parts)

    assert same(decode_batch(b"".join(parts)), batch)


def test_a_number_that_is_longer_than_it_must_be_reads_the_same() -> None:
    batch = Batch.of([1], [1], [1.0])
    encoded = encode_batch(batch)
    head = b"\x38\x01"  # data_type = 1
    assert encoded.count(head) == 1

    assert same(decode_batch(encoded.replace(head, b"\x38\x81\x80\x00")), batch)


def test_of_two_texts_the_last_one_counts_as_in_protobuf() -> None:
    encoded = encode_batch(Batch.of([1], [1], ["ab"]))

    assert decode_batch(length_delimited(12, b"xyz") + encoded).value.tolist() == ["ab"]


# what is no batch -----------------------------------------------------------------------------------------------------


def ordinary(**columns: Any) -> bytes:
    plain: dict[str, Any] = {"count": 2, "tag": [1], "time": [1], "data_type": 1}
    return record_pb2.Batch(**(plain | columns)).SerializeToString()


@pytest.mark.parametrize(
    ("encoded", "words"),
    [
        (ordinary(float64=[1.0]), "column float64: 8 bytes for 2 samples"),
        (ordinary(), "column float64: 0 bytes for 2 samples"),
        (ordinary(float64=[1.0, 2.0], tag=[]), "column tag"),
        (ordinary(float64=[1.0, 2.0], tag=[1, 2, 3]), "column tag"),
        (ordinary(float64=[1.0, 2.0], time=[1, 2, 3]), "column time"),
        (ordinary(float64=[1.0, 2.0], quality=[0]), "column quality"),
        (ordinary(float64=[1.0, 2.0], server_time=[1, 2, 3]), "column server_time"),
        (ordinary(float64=[1.0, 2.0], data_type=2), "column int64"),
        (ordinary(float64=[1.0, 2.0], data_type=0), "without data_type"),
        (ordinary(data_type=7), "unknown type 7"),
        (ordinary(data_type=-1), "unknown type -1"),
        (ordinary(data_type=4, bool=b"\0"), "column bool"),
        (ordinary(data_type=5, text=b"ab", end=[1]), "column end"),
        (ordinary(data_type=5, text=b"ab", end=[1, 3]), "ends do not fit"),
        (ordinary(data_type=5, text=b"ab", end=[2, 1]), "ends do not fit"),
        (ordinary(data_type=5, text=b"ab", end=[1, 1]), "ends do not fit"),
        (ordinary(data_type=5, text=b"a\xff", end=[1, 2]), "not UTF-8"),
        (ordinary(data_type=5, text="ü".encode(), end=[1, 2]), "within a character"),
        (ordinary(count=0, tag=[], time=[], data_type=5, text=b"ab"), "ends do not fit"),
        (b"\xff", "no protobuf message"),
        (b"", "without data_type"),
        (ordinary(count=2**32 - 1), "column float64: 0 bytes for 4294967295 samples"),
    ],
)
@pytest.mark.case("A40")
def test_what_does_not_fit_is_the_peers_mistake_and_says_so(encoded: bytes, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        decode_batch(encoded)


def test_any_byte_but_zero_is_true() -> None:
    assert decode_batch(ordinary(data_type=4, bool=b"\x00\xff")).value.tolist() == [False, True]


def test_texts_may_end_where_a_character_does() -> None:
    texts = ["", "ü", "", "温度", "\0", ""]
    batch = decode_batch(encode_batch(Batch.of([1], [1], Strings.of(texts))))

    assert batch.data_type is DataType.TEXT
    assert batch.value.tolist() == texts
