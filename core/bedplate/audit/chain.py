"""A line of the chain, as bytes. Each holds its number and the hash of the one before it, ends with its own hash and
with a MAC of that by a key that is changed, and forgotten, with each line.

h(i) = SHA-256(h(i-1) ‖ i as 8 bytes ‖ record) · mac(i) = HMAC-SHA256(k(i), h(i)) · k(i+1) = SHA-256(k(i)). The record
is the line without hash and mac; ASCII, so that no control character, line end or change of direction gets through.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bedplate.audit.entry import time_ns_of
from bedplate.strict_json import loads

WORDS = ("time", "action", "verdict", "who", "text")  # that every line has
GENESIS = "0" * 64  # before the first line
_TAIL = re.compile(rb',"hash":"([0-9a-f]{64})","mac":"([0-9a-f]{64})"\}\Z')
_HEAD = re.compile(rb'\{"index":([1-9][0-9]{0,17}),"prev":"([0-9a-f]{64})",')
_TAIL_BYTES = len(',"hash":"","mac":""}') + 128


@dataclass(frozen=True, slots=True)
class Link:
    """A line as it was read. record: what its hash is over."""

    index: int
    prev: str
    hash: str
    mac: str
    record: bytes

    @property
    def sound(self) -> bool:
        """Its hash is that of its content."""
        return hash_of(self.prev, self.index, self.record) == self.hash

    @property
    def canonical(self) -> bool:
        """Written as this module writes, with a time and the words that every line has."""
        try:
            found = loads(self.record)
            if not isinstance(found, dict) or _dumped(found) != self.record:
                return False
            time_ns_of(str(found["time"]))
            return all(isinstance(found[word], str) for word in WORDS)
        except (ValueError, KeyError):
            return False

    def fields(self) -> dict[str, Any]:
        """Its fields, hash and mac too. Raises ValueError."""
        found: dict[str, Any] = loads(self.record)
        return found | {"hash": self.hash, "mac": self.mac}


def link(line: bytes) -> Link | None:
    """line: without its line end. None: no line of a chain."""
    head, tail = _HEAD.match(line), _TAIL.search(line[-_TAIL_BYTES:])
    if not head or not tail:
        return None
    record = line[:-_TAIL_BYTES] + b"}"
    return Link(int(head[1]), head[2].decode(), tail[1].decode(), tail[2].decode(), record)


def seal(record: Mapping[str, Any], index: int, prev: str, key: bytes) -> tuple[bytes, str]:
    """The line with its line end, and its hash."""
    content = _dumped({"index": index, "prev": prev, **record})
    hash_ = hash_of(prev, index, content)
    tail = f',"hash":"{hash_}","mac":"{mac_of(key, hash_)}"}}\n'
    return content[:-1] + tail.encode(), hash_


def hash_of(prev: str, index: int, record: bytes) -> str:
    return hashlib.sha256(bytes.fromhex(prev) + index.to_bytes(8, "big") + record).hexdigest()


def mac_of(key: bytes, hash_: str) -> str:
    return hmac.digest(key, bytes.fromhex(hash_), "sha256").hex()


def next_key(key: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        key = hashlib.sha256(key).digest()
    return key


def _dumped(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode("ascii")
