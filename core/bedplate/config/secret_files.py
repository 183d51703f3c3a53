"""Files that hold secrets: one of one secret, an age file of many, and the identity that opens it.

Rule: what others of the machine may read or change is no secret any more, so it is refused, with its path. Nothing of
what a file holds gets into a message. age (C2SP/age) is read by pyrage, an extra; `age` itself makes and edits files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bedplate.config.document import read

MAX_SECRET_BYTES = 64 * 1024
MAX_AGE_BYTES = 1 << 20
OTHERS, ANYBODY_ELSE = 0o007, 0o077
MISSING = "age files are opened with the package pyrage: pip install 'bedplate[age]'"
NO_NAMES = "holds no plain names and texts"


def private_content(path: Path, open_to: int = OTHERS, most: int = MAX_SECRET_BYTES) -> bytes:
    """What a file holds. open_to: the bits of its mode that may not be set. Raises OSError, whose strerror says why."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if problem := mode_problem(os.fstat(descriptor).st_mode, open_to):
            raise OSError(0, problem)
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(0, f"larger than {most >> 10} KiB")
    return content


def mode_problem(mode: int, open_to: int = OTHERS) -> str:
    """Why a file of this mode holds no secret; empty when it may."""
    if not mode & open_to:
        return ""
    fit = "0600" if open_to & 0o070 else "0640 or less"
    return f"is open to others (mode {mode & 0o777:04o}); make it {fit} and change the secret"


def aged(file: Path, name: str, identity: Path | None) -> str:
    """The secret of a name in an age file. Raises KeyError when it has none, OSError whose strerror says why."""
    if identity is None:
        raise OSError(0, "needs `secrets: {identity: FILE}` at the top of the deployment file")
    try:
        import pyrage
    except ImportError:
        raise OSError(0, MISSING) from None
    keys = _identities(pyrage, identity)
    content = private_content(file, 0o002, MAX_AGE_BYTES)  # it is encrypted: all may read it
    try:
        plain = pyrage.decrypt(content, keys)
    except pyrage.DecryptError:
        raise OSError(0, f"is damaged, or locked for another key than {identity}") from None
    return _named(plain, name)


def _identities(age: Any, file: Path) -> list[Any]:
    """As age-keygen writes them. Raises OSError."""
    try:
        text = private_content(file, ANYBODY_ELSE).decode("ascii", "replace")
    except OSError as error:
        raise OSError(0, f"identity {file}: {error.strerror}") from None
    lines = [line.strip() for line in text.splitlines()]
    try:
        keys = [
            age.x25519.Identity.from_str(one) for one in lines if one and not one.startswith("#")
        ]
    except age.IdentityError:
        keys = []
    if not keys:
        raise OSError(0, f"identity {file}: holds no key of age-keygen")
    return keys


def _named(content: bytes, name: str) -> str:
    root, problems = read(content, "")
    if problems or root is None or not isinstance(root.value, dict):
        line = f" (line {problems[0].line})" if problems else ""
        raise OSError(0, f"{NO_NAMES}{line}")
    node = root.value[name]
    if not isinstance(node.value, str):
        raise OSError(0, f"{NO_NAMES} (line {node.line}): put the value in quotes")
    return str(node.value)
