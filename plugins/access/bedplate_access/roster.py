"""Who is known, as it was read from the store at one moment: plain data, and what follows from it.

Nothing here reads a clock or a file. Times are ns UTC, 0 is never; fingerprints are SHA-256 in lower-case hex.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}", re.ASCII)
OWN = "bedplate:"  # begins groups that only this module gives
SCOPE = f"{OWN}scope:"
BOOTSTRAP = "bootstrap"


@dataclass(frozen=True, slots=True)
class Identity:
    """A person or a program. password: its argon2id hash, "" for none."""

    name: str
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    password: str = field(default="", repr=False)
    disabled: bool = False
    created: int = 0
    last_used: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """digest: SHA-256 of it, all that is kept · roles: of those of its owner, never more · paths: selectors, none for
    no limit · bound: fingerprint of the client certificate it must come with, "" for none."""

    id: str
    name: str
    digest: bytes = field(repr=False)
    roles: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    bound: str = ""
    expires: int = 0
    revoked: bool = False
    created: int = 0
    last_used: int = 0

    def ended(self, now: int) -> bool:
        return self.revoked or now >= self.expires


@dataclass(frozen=True, slots=True)
class Certificate:
    """One that was issued here, or made known."""

    fingerprint: str
    name: str
    serial: str = ""
    expires: int = 0
    revoked: bool = False
    created: int = 0
    last_used: int = 0


@dataclass(frozen=True, slots=True)
class Roster:
    """One moment of the store. denied: fingerprints of certificates that nobody may show · authorities: PEM of the
    built-in CA, the newest first."""

    identities: Mapping[str, Identity] = field(default_factory=dict)
    tokens: Mapping[bytes, Token] = field(default_factory=dict)
    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    authorities: tuple[str, ...] = ()

    def able(self, name: str) -> Identity | None:
        """This identity, unless it is disabled or there is none."""
        found = self.identities.get(name)
        return None if found is None or found.disabled else found


def check_name(name: str) -> str:
    """The name again. Raises ValueError for one that can't be somebody's."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name[:60]!r} is no name: letters, digits and _ . @ + -, at most 128, a letter or digit first"
        )
    if reserved(name):
        raise ValueError(f"{name!r} is the kernel's own")
    return name


def reserved(name: str) -> bool:
    """Whether only the kernel is called so."""
    return name.lower().startswith("local-")
