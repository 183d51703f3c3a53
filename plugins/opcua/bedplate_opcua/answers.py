"""Encoded answers of a server: heads, and what a PublishResponse holds (OPC 10000-4 §5.14.5, §7.25).

Rule: only what is on the way of every value is read here; the rest is left to asyncua.
Raises what asyncua and struct raise when the bytes are broken.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary

from bedplate_opcua.stack import ua
from bedplate_opcua.values import Values

_I32 = struct.Struct("<i")
_U32 = struct.Struct("<I")
_MESSAGE = struct.Struct("<IqI")
_PLAIN_HEAD: Final = struct.Struct("<4xqIIBi3s")
"""NodeId of four bytes, time, handle, result, no diagnostics, no texts, no additional header."""
DATA_CHANGE: Final = ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary
STATUS_CHANGE: Final = ua.ObjectIds.StatusChangeNotification_Encoding_DefaultBinary


@dataclass(slots=True)
class Publication:
    """What one PublishResponse says beside the values. status: of a subscription that ended, else 0."""

    subscription: int
    sequence: int
    keep_alive: bool
    status: int = 0


def read_head(answer: Any) -> bytes:
    """What follows the ResponseHeader. answer: the Buffer that asyncua gives. Raises UaStatusCodeError."""
    data = bytes(answer)
    if len(data) >= _PLAIN_HEAD.size and data[0] == 1:
        _, _, result, diagnostics, texts, additional = _PLAIN_HEAD.unpack_from(data)
        if not result and not diagnostics and texts <= 0 and additional == b"\0\0\0":
            return data[_PLAIN_HEAD.size :]
    nodeid_from_binary(answer)
    struct_from_binary(ua.ResponseHeader, answer).ServiceResult.check()
    return bytes(answer)


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """Length of an array, 0 when there is none, and where its first element begins."""
    (length,) = _I32.unpack_from(data, at)
    return max(length, 0), at + 4


def read_publication(data: bytes, values: Values) -> Publication:
    """Reads the Parameters of a PublishResponse; the values go to the gatherer."""
    (subscription,) = _U32.unpack_from(data, 0)
    available, at = read_length(data, 4)
    at += 4 * available + 1  # MoreNotifications: we ask again in any case
    return read_message(data, at, subscription, values)


def read_message(data: bytes, at: int, subscription: int, values: Values) -> Publication:
    """Reads a NotificationMessage; the values go to the gatherer."""
    sequence, _, _ = _MESSAGE.unpack_from(data, at)
    notifications, at = read_length(data, at + 12)
    publication = Publication(subscription, sequence, keep_alive=notifications == 0)
    for _ in range(notifications):
        at = _read_notification(data, at, values, publication)
    return publication


def _read_notification(data: bytes, at: int, values: Values, publication: Publication) -> int:
    """Reads one ExtensionObject of NotificationData. Returns where it ends."""
    buffer = Buffer(data, at)
    type_id = nodeid_from_binary(buffer)
    if buffer.read(1) != b"\x01":
        raise ValueError("a notification without a body")
    length, start = read_length(data, buffer.cur_pos)
    end = start + length
    if end > len(data):
        raise ValueError("the message ends within a notification")
    if type_id.Identifier == DATA_CHANGE:
        count, first = read_length(data, start)
        if values.take_items(data, first, count) > end:
            raise ValueError("a notification holds less than it promises")
    elif type_id.Identifier == STATUS_CHANGE:
        (publication.status,) = _U32.unpack_from(data, start)
    return end
