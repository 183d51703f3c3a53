"""Passwords: which ones may be set, and how they are kept and checked. argon2id (RFC 9106), by argon2-cffi.

Rule: length and strangeness count, not classes of characters (NIST SP 800-63B §3.1.1). Known ones are refused by name.
"""

from __future__ import annotations

import unicodedata
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 1024  # characters; bytes
# What people type when twelve characters are asked for, and what manuals print. Compared without case and separators.
_WORDS = (
    "password admin administrator letmein welcome changeme secret default bedplate operator engineer"
    " viewer auditor qwertyuiop asdfghjkl zxcvbnm qwerty qwertz iloveyou monkey dragon football baseball master"
    " sunshine princess superman trustno passwort geheim willkommen hallo scada plant factory siemens simatic"
    " kepware ignition wonderware rockwell modbus opcua raspberry ubuntu root toor test guest user login"
)
KNOWN = sorted(_WORDS.split(), key=len, reverse=True)
PHRASES = (
    "correcthorsebatterystaple",
    "thisisapassword",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "abcdefghijkl",
)


def weakness(password: str, name: str = "") -> str:
    """Why this can't be somebody's password; empty when it can."""
    if len(password) < SHORTEST:
        return f"is shorter than {SHORTEST} characters"
    if len(password.encode("utf-8", "replace")) > LONGEST:
        return f"is longer than {LONGEST} bytes"
    if any(unicodedata.category(one) == "Cc" for one in password):
        return "holds a control character"
    bare = _bare(password)
    if len(set(bare)) < 5:
        return "is too few different characters, over and over"
    if name and _bare(name) and _bare(name) in bare and len(bare) < len(_bare(name)) + 8:
        return "is the name with little beside it"
    return "is on the list of known passwords" if known(password) else ""


def known(text: str) -> bool:
    """Whether it is an example, a default, or what everybody would try first: a known word, or several, and little but
    digits and signs beside them."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    core = plain.strip("".join(one for one in set(plain) if not one.isalpha() and one not in "@$"))
    return any(map(_familiar, (_bare(plain), _bare(core.translate(_ALIKE)))))


def _familiar(bare: str) -> bool:
    if any(phrase in bare for phrase in PHRASES) or (bare and bare in "0123456789" * 3):
        return True
    rest = bare
    for word in KNOWN:
        rest = rest.replace(word, "")
    return rest != bare and sum(one.isalpha() for one in rest) < 3 and len(rest) < 8


_ALIKE = str.maketrans("@$!013457", "asioieast")


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(one for one in plain if one.isalnum())


class Hashing:
    """Keeps and checks them. Slow, and meant to be: some 50 ms and 64 MiB each, so not for the loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()

    @cached_property
    def nobody(self) -> str:
        """The hash that is checked where there is none, so that both take the same time."""
        return self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        return self._hasher.hash(normal(password))

    def verify(self, kept: str, password: str) -> bool:
        """kept: a hash, "" for somebody who has none."""
        try:
            self._hasher.verify(kept or self.nobody, normal(password)[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        return bool(kept)


def normal(password: str) -> str:
    """The same text however a keyboard composed it."""
    return unicodedata.normalize("NFKC", password)
