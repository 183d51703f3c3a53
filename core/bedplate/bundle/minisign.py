"""Keys and signatures as the program minisign writes and reads them: Ed25519 over BLAKE2b-512, with a trusted comment.

Owns the three file forms and nothing else: whose keys are trusted is told in publishers.py. Only the prehashed
signatures ("ED") are made and taken, which minisign makes by default since 0.10. Ed25519 itself is the package
`cryptography`, which comes with the extra `bundle`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

MAX_BYTES = 8 * 1024
MAX_COMMENT = 1024  # characters
MEMORY, WORK = 1 << 27, 1 << 22  # scrypt N = 2^17, r = 8, p = 1 in libsodium's two figures
MAX_MEMORY = 1 << 31  # bytes: minisign itself takes 2^30
UNTRUSTED, TRUSTED = "untrusted comment: ", "trusted comment: "
_SECRET = struct.Struct("<2s2s2s32sQQ104s")


class SignatureError(BedplateError):
    """A key or a signature is wrong. The text says what, and which file."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """id: 8 bytes by which a signature names its key; no secret and no proof."""

    id: bytes
    point: bytes

    @property
    def name(self) -> str:
        """As minisign prints it."""
        return self.id[::-1].hex().upper()

    @property
    def text(self) -> str:
        """One line of base64, which is what publishers print on their pages."""
        return base64.b64encode(b"Ed" + self.id + self.point).decode()

    def file(self) -> bytes:
        return f"{UNTRUSTED}minisign public key {self.name}\n{self.text}\n".encode()


@dataclass(frozen=True, slots=True)
class SecretKey:
    id: bytes
    seed: bytes = field(repr=False)

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.id, _private(self.seed).public_key().public_bytes_raw())

    def file(self, password: str, random: Callable[[int], bytes]) -> bytes:
        """As minisign keeps it; an empty password leaves it open."""
        secret = self.seed + self.public.point
        check = hashlib.blake2b(b"Ed" + self.id + secret, digest_size=32).digest()
        clear = self.id + secret + check
        if password:
            salt = random(32)
            kind, work, memory = b"Sc", WORK, MEMORY
            clear = _xor(clear, _stretch(password, salt, work, memory))
        else:
            kind, work, memory, salt = b"\0\0", 0, 0, bytes(32)
        packed = _SECRET.pack(b"Ed", kind, b"B2", salt, work, memory, clear)
        comment = "minisign encrypted secret key" if password else "minisign secret key"
        return f"{UNTRUSTED}{comment}\n{base64.b64encode(packed).decode()}\n".encode()


@dataclass(frozen=True, slots=True)
class Signature:
    """comment: the trusted one, which is signed too."""

    key: bytes
    comment: str
    over_content: bytes
    over_comment: bytes

    @property
    def key_name(self) -> str:
        return self.key[::-1].hex().upper()

    def file(self) -> bytes:
        one = base64.b64encode(b"ED" + self.key + self.over_content).decode()
        two = base64.b64encode(self.over_comment).decode()
        return (
            f"{UNTRUSTED}signature from bedplate bundle\n{one}\n{TRUSTED}{self.comment}\n{two}\n"
        ).encode()


def make_key(random: Callable[[int], bytes]) -> SecretKey:
    return SecretKey(random(8), random(32))


def sign(content: bytes, key: SecretKey, comment: str) -> Signature:
    """Deterministic: the same content, key and comment give the same bytes."""
    if not comment.isprintable() or len(comment) > MAX_COMMENT:
        raise SignatureError("the trusted comment must be one printable line")
    private = _private(key.seed)
    over = private.sign(hashlib.blake2b(content).digest())
    return Signature(key.id, comment, over, private.sign(over + comment.encode()))


def verify(content: bytes, signature: Signature, key: PublicKey) -> str:
    """The trusted comment. Raises SignatureError when key and signature don't belong together or anything differs."""
    if signature.key != key.id:
        raise SignatureError(f"signed by key {signature.key_name}, not by {key.name}")
    invalid, public = _public(key.point)
    try:
        public.verify(signature.over_content, hashlib.blake2b(content).digest())
    except invalid:
        raise SignatureError(
            f"the signature of key {key.name} is not for this content: it was changed after it was signed"
        ) from None
    try:
        public.verify(signature.over_comment, signature.over_content + signature.comment.encode())
    except invalid:
        raise SignatureError(f"the comment signed by key {key.name} was changed") from None
    return signature.comment


def read_public(content: bytes, name: str) -> PublicKey:
    """A key file, or the one line of base64 alone. name: how to call it. Raises SignatureError."""
    lines = _lines(content, name)
    packed = _decode(lines[1 if lines[0].startswith(UNTRUSTED) and len(lines) > 1 else 0], name)
    if len(packed) != 42 or packed[:2] != b"Ed":
        raise SignatureError(f"{name}: is no public key of minisign")
    return PublicKey(packed[2:10], packed[10:])


def read_secret(content: bytes, name: str, password: Callable[[], str]) -> SecretKey:
    """A secret key file. password: asked only when the key is locked. Raises SignatureError."""
    lines = _lines(content, name)
    packed = _decode(lines[-1], name)
    if len(packed) != _SECRET.size:
        raise SignatureError(f"{name}: is no secret key of minisign")
    form, kind, check_kind, salt, work, memory, clear = _SECRET.unpack(packed)
    if form != b"Ed" or check_kind != b"B2" or kind not in (b"Sc", b"\0\0"):
        raise SignatureError(f"{name}: is a key of a kind that Bedplate does not know")
    if kind == b"Sc":
        clear = _xor(clear, _stretch(password(), salt, work, memory))
    id, secret, check = clear[:8], clear[8:72], clear[72:]
    wanted = hashlib.blake2b(b"Ed" + id + secret, digest_size=32).digest()
    if kind == b"Sc" and not hmac.compare_digest(check, wanted):
        raise SignatureError(f"{name}: the password is wrong")
    key = SecretKey(id, secret[:32])
    if key.public.point != secret[32:]:  # minisign leaves the checksum of an open key empty
        raise SignatureError(f"{name}: it is damaged")
    return key


def read_signature(content: bytes, name: str) -> Signature:
    """Raises SignatureError."""
    lines = _lines(content, name)
    if len(lines) != 4 or not lines[2].startswith(TRUSTED):
        raise SignatureError(f"{name}: is no signature of minisign")
    packed, over_comment = _decode(lines[1], name), _decode(lines[3], name)
    if packed[:2] == b"Ed":
        raise SignatureError(
            f"{name}: is of minisign's old form, which is not taken; sign it again without -l"
        )
    if len(packed) != 74 or packed[:2] != b"ED" or len(over_comment) != 64:
        raise SignatureError(f"{name}: is no signature of minisign")
    return Signature(packed[2:10], lines[2].removeprefix(TRUSTED), packed[10:], over_comment)


def _lines(content: bytes, name: str) -> list[str]:
    if len(content) > MAX_BYTES:
        raise SignatureError(f"{name}: larger than {MAX_BYTES >> 10} KiB")
    try:
        lines = content.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise SignatureError(f"{name}: is no text") from None
    return [line.removesuffix("\r") for line in lines]


def _decode(line: str, name: str) -> bytes:
    try:
        return base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError(f"{name}: is damaged, a line is no base64") from None


def _stretch(password: str, salt: bytes, work: int, memory: int) -> bytes:
    """libsodium's scryptsalsa208sha256: its two limits name N and p, r is 8."""
    if not 0 < memory <= MAX_MEMORY or work > MAX_MEMORY:
        raise SignatureError("the key asks for more memory than a key may")
    work = max(32768, work)
    most = work // 32 if work < memory // 32 else memory // 1024
    exponent = max(1, most.bit_length() - 1)
    parallel = 1 if work < memory // 32 else max(1, (work // 4 >> exponent) // 8)
    try:
        return hashlib.scrypt(
            password.encode(),
            salt=salt,
            n=1 << exponent,
            r=8,
            p=parallel,
            maxmem=(1 << exponent) * 1024 * (parallel + 1) + (1 << 20),
            dklen=104,
        )
    except (ValueError, MemoryError) as error:
        raise SignatureError(f"the key's password can't be tried: {error}") from None


def _xor(one: bytes, two: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, two, strict=True))


def _private(seed: bytes) -> Ed25519PrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise SignatureError(MISSING) from None
    return Ed25519PrivateKey.from_private_bytes(seed)


def _public(point: bytes) -> tuple[type[Exception], Ed25519PublicKey]:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise SignatureError(MISSING) from None
    try:
        return InvalidSignature, Ed25519PublicKey.from_public_bytes(point)
    except ValueError:
        raise SignatureError("the public key is damaged") from None


MISSING = "signatures need the package cryptography: pip install 'bedplate[bundle]'"
