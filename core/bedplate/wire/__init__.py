"""The codec between `bedplate.model` and the generated messages."""

from bedplate.wire.batches import decode_batch, encode_batch
from bedplate.wire.records import (
    checksum,
    decode_event,
    decode_table,
    encode_event,
    event_of,
    record_message,
    record_of,
    records_of,
    table_message,
    tag_message,
    tag_of,
    value_message,
    value_of,
)
from bedplate.wire.twin import twin

__all__ = [
    "checksum",
    "decode_batch",
    "decode_event",
    "decode_table",
    "encode_batch",
    "encode_event",
    "event_of",
    "record_message",
    "record_of",
    "records_of",
    "table_message",
    "tag_message",
    "tag_of",
    "twin",
    "value_message",
    "value_of",
]
