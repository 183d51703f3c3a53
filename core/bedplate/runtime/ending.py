"""How a process ended, for the author of its plugin: in one sentence, whatever language it was written in.

Does not decide what becomes of it: the supervisor does.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Sequence

from bedplate.remote.kinds import DO_NOT_RETRY

LINES = 20  # of its output are shown with the sentence
_LOOKED_AT = 60  # of its last lines, for the one that says why
# Java, Python, JavaScript and .NET; Go and Rust; C and the loader
_TELLING = re.compile(
    r"^(?:Exception in thread |Unhandled exception\. |panic: |fatal error: |thread '.*' panicked at "
    r"|(?:[\w$]+\.)*(?:[A-Z]\w*)?(?:Error|Exception|Refused|Invalid)\b"
    r"|.*error while loading shared libraries|.*: undefined symbol)"
)
_CONFINED = ("L2", "L3")
_REFUSED = re.compile(
    r"EACCES|EPERM|ENOENT|permission denied|operation not permitted|no such file|cannot find|not found"
    r"|no module named|access is denied|network is unreachable",
    re.IGNORECASE,
)
_MEANING = {
    "SIGSEGV": ", a fault in native code",
    "SIGBUS": ", a fault in native code",
    "SIGILL": ", an instruction that this processor does not know",
    "SIGABRT": ", it gave up by itself",
    "SIGKILL": ", by the system if there was no memory left, or by somebody",
    "SIGSYS": ", a call of the system that it may not make",
}


def sentence(plugin: str, code: int, lines: Sequence[str], *, attached: bool) -> str:
    """code: as of subprocess, a signal is negative · lines: the last ones that it printed."""
    when = "" if attached else " before it attached"
    why = telling(lines)
    again = "; it is not tried again as things are" if code == DO_NOT_RETRY else ""
    return f"process of {plugin} {_how(code)}{when}{again}" + (f": {why}" if why else "")


def evidence(plugin: str, level: str, lines: Iterable[str]) -> tuple[str, ...]:
    """Its last lines; with a hint, when they look as if it had asked for more than its manifest permits."""
    last = tuple(lines)[-LINES:]
    if level not in _CONFINED or not any(_REFUSED.search(line) for line in last):
        return last
    hint = f"(at {level} it has what its manifest permits and nothing else: bedplate plugins show {plugin})"
    return (*last, hint)


def telling(lines: Sequence[str]) -> str:
    """The line that most likely says why: the last that names an error, else the last with something in it."""
    said = [line.strip() for line in lines if line.strip() and not line.startswith("…")]
    named = (line for line in reversed(said[-_LOOKED_AT:]) if _TELLING.match(line))
    return next(named, said[-1] if said else "")


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}{_MEANING.get(name, '')}"
