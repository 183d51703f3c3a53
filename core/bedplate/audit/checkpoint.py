"""A checkpoint: which line was the last, signed. Kept by somebody else, it shows that a log was cut off or written
anew, which the log by itself can't. Ed25519; the key is made at the first start and lies beside the log, mode 0600."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bedplate.errors import BedplateError
from bedplate.private import put_private
from bedplate.strict_json import loads

NAME = "signing.key"
LONGEST = 1000  # bytes of one


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """log: which one, by its public key · index, head: of the last line · time: RFC 3339 · signature: hex."""

    log: str
    index: int
    head: str
    time: str
    signature: str = ""

    def signed(self) -> bytes:
        """What the signature is over."""
        row = {"audit": self.log, "index": self.index, "head": self.head, "time": self.time}
        return json.dumps(row, separators=(",", ":")).encode()

    def line(self) -> bytes:
        return self.signed()[:-1] + f',"signature":"{self.signature}"}}\n'.encode()


class Signer:
    """The key of one log."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw().hex()
        self.log = log_of(self.public)

    def checkpoint(self, index: int, head: str, time: str) -> Checkpoint:
        made = Checkpoint(self.log, index, head, time)
        signature = self._private.sign(made.signed()).hex()
        return Checkpoint(self.log, index, head, time, signature)


def signer(folder: Path) -> Signer:
    """Of the log in this folder; makes the key when there is none. Raises OSError; BedplateError: it is none."""
    path = folder / NAME
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        made = Ed25519PrivateKey.generate()
        put_private(path, made.private_bytes_raw().hex().encode() + b"\n")
        return Signer(made)
    try:
        return Signer(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(raw.decode("ascii"))))
    except ValueError:
        raise BedplateError(f"{path} is no signing key of an audit log") from None


def log_of(public: str) -> str:
    """Short name of a log."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:16]


def read_checkpoints(path: Path, public: str) -> Iterator[Checkpoint]:
    """Those of this log whose signature is right. What is none is somebody else's. Raises OSError."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    with open(path, "rb") as stream:
        for line in stream:
            found = _parse(line)
            if found and found.log == log_of(public) and _right(key, found):
                yield found


def _parse(line: bytes) -> Checkpoint | None:
    at = line.find(b'{"audit":')  # a collector may have put its own words before it
    if at < 0 or len(line) - at > LONGEST:
        return None
    try:
        row = loads(line[at:])
        return Checkpoint(
            str(row["audit"]),
            int(row["index"]),
            str(row["head"]),
            str(row["time"]),
            str(row["signature"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _right(key: Ed25519PublicKey, found: Checkpoint) -> bool:
    try:
        key.verify(bytes.fromhex(found.signature), found.signed())
    except (InvalidSignature, ValueError):
        return False
    return True
