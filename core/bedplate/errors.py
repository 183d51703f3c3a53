"""Every exception of Bedplate, and nothing else.

    BedplateError
    ├── ConfigError          the deployment file is wrong; carries every problem found, with file and line
    ├── AdmissionError       a plugin cannot be admitted; says why and what would cure it
    ├── Invalid              a plugin refuses its settings or addresses; never retried
    ├── Refused              the other side said no to one tag or one command
    ├── Denied               the gate said no
    │   ├── Unauthenticated  the gate does not know who asks
    │   └── NotReady         the gate can't say yet: a security module is starting
    ├── ProtocolError        the peer broke the contract (wrong-peer, not wrong-us)
    ├── JournalError         the journal cannot take or give records
    └── CallError            a call of the API failed; carries the gRPC code by name

Connection loss has no class of its own: plugins raise OSError, EOFError or TimeoutError, as their libraries do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class BedplateError(Exception):
    """Root of the tree. The text is for people: what was wrong, where, what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file.

    file: name as given by the user; line: from 1, 0 when the file as a whole is meant; path: dotted path in the
    file; reach: whom it hits ("reaches 40 presses"), empty when only itself.
    """

    file: str
    line: int
    path: str
    text: str
    reach: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        head = f"{where}  {self.path}: {self.text}" if self.path else f"{where}  {self.text}"
        return f"{head}          ({self.reach})" if self.reach else head


class ConfigError(BedplateError):
    """The deployment file is wrong. problems: all of them, by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class AdmissionError(BedplateError):
    """A plugin cannot be admitted."""


class Invalid(BedplateError):
    """A plugin refuses its settings. Raise it from `open`.

    pointer: JSON pointer into the settings ("/host"), or empty; tag: name of the tag whose address is wrong.
    """

    def __init__(self, text: str, *, pointer: str = "", tag: str = "") -> None:
        super().__init__(text)
        self.pointer = pointer
        self.tag = tag


class Refused(BedplateError):
    """The device said no: fails that tag or command alone.

    position: in `deliver`, of the record that will never be taken; those before it are. 0: of which is not known.
    """

    def __init__(self, text: str = "", *, position: int = 0) -> None:
        super().__init__(text)
        self.position = position


class Denied(BedplateError):
    """The gate said no. The text names no rule to the caller; the audit log does."""


class Unauthenticated(Denied):
    """The gate does not know who asks."""


class NotReady(Denied):
    """The gate can't say yes or no yet: a security module is starting. Denied like any other, and worth another try."""


class ProtocolError(BedplateError):
    """The peer broke the contract."""


class JournalError(BedplateError):
    """The journal cannot take or give records."""


class ReconcileError(BedplateError):
    """A deployment could not be put in the place of the one that runs. The text says why, and what runs now."""


class CallError(BedplateError):
    """A call of the API failed. code: name of the gRPC status ("UNAVAILABLE")."""

    def __init__(self, text: str, *, code: str = "") -> None:
        super().__init__(text)
        self.code = code
