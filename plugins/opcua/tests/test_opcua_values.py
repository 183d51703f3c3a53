"""Our reading of encoded values, held against asyncua's, and against broken bytes."""

from __future__ import annotations

import struct
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncua
import pytest
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate import Batch, DataType
from bedplate_opcua.answers import read_head, read_publication
from bedplate_opcua.odd_values import iso
from bedplate_opcua.stack import BROKEN
from bedplate_opcua.values import Values

ua: Any = asyncua.ua
V = ua.VariantType
NOW = 1_800_000_000_000_000_000

_PLAIN = st.one_of(
    st.tuples(st.just(V.Boolean), st.booleans()),
    st.tuples(st.just(V.Int16), st.integers(-(2**15), 2**15 - 1)),
    st.tuples(st.just(V.UInt32), st.integers(0, 2**32 - 1)),
    st.tuples(st.just(V.Int64), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(V.UInt64), st.integers(0, 2**64 - 1)),
    st.tuples(st.just(V.Float), st.floats(width=32)),
    st.tuples(st.just(V.Double), st.floats()),
    st.tuples(st.just(V.String), st.text()),
    st.tuples(st.just(V.ByteString), st.binary()),
    st.tuples(st.just(V.Guid), st.uuids()),
    st.tuples(st.just(V.DateTime), st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))),
    st.tuples(st.just(V.LocalizedText), st.text().map(ua.LocalizedText)),
    st.tuples(st.just(V.Null), st.none()),
    st.tuples(st.just(V.Double), st.lists(st.floats(), max_size=3)),
)
_MOMENTS = st.none() | st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))
_STATUS = st.none() | st.integers(0, 2**32 - 1)


@st.composite
def data_values(draw: st.DrawFn) -> Any:
    kind, value = draw(_PLAIN)
    status = draw(_STATUS)
    return ua.DataValue(
        ua.Variant(value, kind) if draw(st.booleans()) or value is not None else None,
        None if status is None else ua.StatusCode(status),
        draw(_MOMENTS),
        draw(_MOMENTS),
    )


ITEMS = st.lists(st.tuples(st.integers(1, 5), data_values()), max_size=40)


def gathered(types: dict[int, DataType] | None = None) -> Values:
    return Values(types or {}, lambda handle, what: None, lambda: NOW)


def response(items: list[tuple[int, Any]], subscription: int = 7, sequence: int = 3) -> bytes:
    """A PublishResponse as asyncua encodes it."""
    notification = ua.DataChangeNotification()
    for handle, value in items:
        one = ua.MonitoredItemNotification()
        one.ClientHandle, one.Value = handle, value
        notification.MonitoredItems.append(one)
    answer = ua.PublishResponse()
    answer.Parameters.SubscriptionId = subscription
    answer.Parameters.NotificationMessage.SequenceNumber = sequence
    if items:
        answer.Parameters.NotificationMessage.NotificationData = [notification]
    return bytes(struct_to_binary(answer))


def rows(batches: list[Batch]) -> list[tuple[int, DataType, Any, int, int]]:
    found = []
    for batch in batches:
        columns = zip(
            batch.tags(), batch.value.tolist(), batch.qualities(), batch.times(), strict=True
        )
        found += [(int(t), batch.data_type, v, int(q), int(s)) for t, v, q, s in columns]
    return found


def ns(moment: datetime) -> int:
    return (
        (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC))
        // timedelta(microseconds=1)
        * 1000
    )


def expected(value: Any) -> Any:
    """What a value of asyncua is in a column."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    return value.Text if isinstance(value, ua.LocalizedText) else value


@settings(max_examples=150)
@given(ITEMS)
def test_columns_hold_what_asyncua_reads(items: list[tuple[int, Any]]) -> None:
    encoded = response(items)
    values = gathered()
    publication = read_publication(read_head(Buffer(encoded)), values)
    assert (publication.subscription, publication.sequence) == (7, 3)
    assert publication.keep_alive == (not items)
    ours = rows(values.batches())
    assert len(ours) == len(items)
    decoded = struct_from_binary(ua.PublishResponse, Buffer(encoded))
    data = decoded.Parameters.NotificationMessage.NotificationData
    for handle in range(1, 6):
        mine = [row for row in ours if row[0] == handle]
        theirs = (
            [one.Value for one in data[0].MonitoredItems if one.ClientHandle == handle]
            if data
            else []
        )
        for data_type in DataType:
            got = [row for row in mine if row[1] is data_type]
            want = [one for one in theirs if type_of(one) is data_type]
            assert len(got) == len(want)
            for row, one in zip(got, want, strict=True):
                same_sample(row, one)


def type_of(value: Any) -> DataType:
    return next(row[1] for row in rows(_alone(value)))


def _alone(value: Any) -> list[Batch]:
    values = gathered()
    read_publication(read_head(Buffer(response([(1, value)]))), values)
    return values.batches()


def same_sample(row: tuple[int, DataType, Any, int, int], one: Any) -> None:
    _, _, value, code, time = row
    plain = one.Value is not None and one.Value.Value is not None and not one.Value.is_array
    status = one.StatusCode.value if one.StatusCode is not None else 0
    if plain:
        want = expected(one.Value.Value)
        assert code == status
        assert value == want or (value != value and want != want)
    else:
        assert code & 0x8000_0000
    moment = one.SourceTimestamp or one.ServerTimestamp
    assert time == (ns(moment) if moment else NOW)


@settings(max_examples=300)
@given(ITEMS.filter(bool), st.data())
def test_broken_bytes_raise_only_what_means_a_lost_connection(
    items: list[Any], data: st.DataObject
) -> None:
    encoded = bytearray(response(items))
    for _ in range(data.draw(st.integers(1, 6))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(encoded)))
    values = gathered()
    try:
        read_publication(read_head(Buffer(bytes(encoded[: cut or None]))), values)
        values.batches()
    except BROKEN:
        pass


def test_a_message_that_promises_more_than_it_holds_is_broken() -> None:
    encoded = bytearray(response([(1, ua.DataValue(ua.Variant(1.0, V.Double)))]))
    type_id = b"\x01\x00" + struct.pack("<H", 811)
    count = encoded.index(type_id) + len(type_id) + 5
    for promised in (2, 1000, 2**31 - 1):
        struct.pack_into("<i", encoded, count, promised)
        with pytest.raises(BROKEN):
            read_publication(read_head(Buffer(bytes(encoded))), gathered())


def test_a_tag_keeps_its_order_across_layouts() -> None:
    """With a status and without, a value lies differently; its place in time must not change."""
    moments = [datetime(2026, 1, 1) + timedelta(seconds=s) for s in range(6)]
    codes = [None, 0x480, None, 0x80000000, None, 0x40000000]
    items = [
        (
            1,
            ua.DataValue(
                ua.Variant(float(i), V.Double), None if c is None else ua.StatusCode(c), m
            ),
        )
        for i, (c, m) in enumerate(zip(codes, moments, strict=True))
    ]
    values = gathered()
    read_publication(read_head(Buffer(response(items))), values)
    assert [row[2] for row in rows(values.batches())] == [0, 1, 2, 3, 4, 5]


def test_a_sample_without_a_value_has_the_type_of_its_tag() -> None:
    bad = ua.DataValue(None, ua.StatusCode(0x80310000), datetime(2026, 1, 1))
    values = gathered({1: DataType.TEXT, 2: DataType.BOOL})
    read_publication(read_head(Buffer(response([(1, bad), (2, bad), (3, bad)]))), values)
    kinds = {row[0]: (row[1], row[3]) for row in rows(values.batches())}
    assert kinds == {
        1: (DataType.TEXT, 0x80310000),
        2: (DataType.BOOL, 0x80310000),
        3: (DataType.FLOAT64, 0x80310000),
    }
