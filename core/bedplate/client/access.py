"""Who somebody is taken for, and who is connected, as the kernel says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """id: one person or program · roles: of the kernel's · groups: of a directory or an issuer · method: token, socket,
    certificate, password, jwt · credential: fingerprint of what it was proved by · peer: as the kernel sees it · until:
    ns UTC when it ends, 0: by nothing but a change."""

    id: str
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    method: str = ""
    credential: str = ""
    peer: str = ""
    until: int = 0


@dataclass(frozen=True, slots=True)
class Login:
    """token: for `connect(token=…)`; ends after 15 min without a call · who: whom it stands for."""

    token: str = field(repr=False)
    who: Identity


@dataclass(frozen=True, slots=True)
class AccessSession:
    """One identity with one credential. since, last: ns UTC of its first and newest call · streams: open now · calls:
    so far."""

    who: Identity
    since: int
    last: int
    streams: int
    calls: int


@dataclass(frozen=True, slots=True)
class AccessCheck:
    """Whether something is allowed now. rules: by which, each with who says so."""

    allowed: bool
    rules: tuple[str, ...] = ()


def identity_of(message: Any) -> Identity:
    return Identity(
        message.id,
        tuple(message.roles),
        tuple(message.groups),
        message.method,
        message.credential,
        message.peer,
        message.until,
    )


def login_of(message: Any) -> Login:
    return Login(message.token, identity_of(message.who))


def session_of(message: Any) -> AccessSession:
    return AccessSession(
        identity_of(message.who), message.since, message.last, message.streams, message.calls
    )
