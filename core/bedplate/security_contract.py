"""What security modules promise, in Python: the part of bedplate.contracts that is about who and whether.

Rule: a module may only add denials; silence, errors and missing answers are denials.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import BaseModel

from bedplate.settings import Migration, NoSettings


class Verdict(enum.IntEnum):
    UNSPECIFIED = 0
    ALLOW = 1
    DENY = 2
    ABSTAIN = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks, as the kernel established it, or as a module that authenticates says.

    id: one person or program, however it comes · roles: of the kernel's: viewer, operator, engineer, admin, auditor,
    plugin · method: how it was proved · groups: of a directory or an issuer · credential: fingerprint of what it was
    proved by, no secret · until: ns UTC when it ends, 0: by nothing but a change.
    """

    id: str
    roles: tuple[str, ...] = ()
    peer: str = ""
    method: str = ""
    groups: tuple[str, ...] = ()
    credential: str = ""
    until: int = 0


@dataclass(frozen=True, slots=True)
class Credential:
    """What somebody shows, one of three: a bearer token; name and password; a TLS client certificate (DER) whose chain,
    dates and purpose the kernel has verified. bound: SHA-256 of the client certificate that came beside a token or
    password, empty: none."""

    token: str = field(default="", repr=False)
    name: str = ""
    password: str = field(default="", repr=False)
    certificate: bytes = b""
    peer: str = ""
    bound: bytes = b""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """In place of a Subject, for a password: token: for further calls, good as long as this module says."""

    subject: Subject
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Check:
    """action: "live.subscribe", "alarms.acknowledge" · resource: full path of one tag, asset, device or source of
    an alarm, never a selector; empty: the platform, and the call as such: a call that shows things is asked about first
    by it, and is allowed when there is anything that it could show."""

    action: str
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a module says to one check. reason: the rule, by its id · remember: seconds (at most 3,600) that the kernel
    may answer the same check of the same subject by itself."""

    verdict: Verdict
    reason: str = ""
    remember: float = 0.0


class SecurityModule:
    """Says whether, and who where it overrides `authenticate`. May only add denials; an exception, a time-out, a
    missing decision and silence are denials.

    Unlike other kinds its calls may overlap. Set before `open`: config, component, note, forget, files.
    """

    Config: ClassVar[type[BaseModel]] = NoSettings
    migrations: ClassVar[Sequence[Migration]] = ()  # of Config, from older versions of the plugin

    config: Any
    component: str
    note: Callable[[str], None]
    files: Mapping[str, bytes] = MappingProxyType({})  # that settings name, as they were applied
    forget: Callable[[], None]  # who somebody is or may has changed: the kernel asks anew, at once

    def open(self) -> Any:
        """Prepares."""

    def authenticate(self, credential: Credential) -> Any:
        """Who this is, as a Subject (for a password a LoggedIn), or None: nobody this module knows. Within 2 s, and
        in the same time for a wrong password as for an unknown name. The kernel asks again every 2 s of use."""
        raise NotImplementedError

    def authorize(self, subject: Subject, checks: Sequence[Check]) -> Any:
        """One Decision for each check, in order. Within 500 ms."""
        raise NotImplementedError

    def close(self) -> Any:
        """Releases what `open` made."""
