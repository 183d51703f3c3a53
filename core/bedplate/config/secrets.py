"""Secrets by reference: the file says where a secret is, never what it is.

A reference is `env:NAME` or `file:/path`; it is resolved late, when a component opens. A Secret shows itself as *** in
every way Python has of showing things. It guards against showing, not against code in the same process.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Never

from bedplate.errors import BedplateError

MAX_SECRET_BYTES = 64 * 1024
SHOWN = "***"

Resolver = Callable[[str], str]


class SecretError(BedplateError):
    """A secret can't be had. Names the reference, never the value."""


class Secret:
    """A secret's value, taken out by `reveal` alone."""

    __slots__ = ("_value", "reference")

    def __init__(self, value: str, reference: str = "") -> None:
        self._value = value
        self.reference = reference

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return SHOWN

    def __format__(self, spec: str) -> str:
        return format(SHOWN, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce_ex__(self, protocol: Any) -> Never:
        raise TypeError("a secret is not copied to anywhere")


class Secrets:
    """Resolves references.

    folder: what a relative `file:` starts from · more: further schemes, text after the colon → value, such as those a
    hook brings; they raise OSError or KeyError when they can't.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str], more: Mapping[str, Resolver] | None = None
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._schemes: dict[str, Resolver] = {
            "env": self._from_environment,
            "file": self._from_file,
            **(more or {}),
        }

    def resolve(self, reference: str) -> Secret:
        """The secret a reference names. Raises SecretError."""
        if problem := reference_problem(reference, self._schemes):
            raise SecretError(f"secret {problem}")
        scheme, _, rest = reference.partition(":")
        try:
            return Secret(self._schemes[scheme](rest), reference)
        except KeyError:
            raise SecretError(f"secret {reference}: not there") from None
        except (OSError, ValueError) as error:
            why = (
                error.strerror
                if isinstance(error, OSError) and error.strerror
                else "not text in UTF-8"
            )
            raise SecretError(f"secret {reference}: {why}") from None

    def _from_environment(self, name: str) -> str:
        return self._environ[name]

    def _from_file(self, name: str) -> str:
        descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
        if len(content) > MAX_SECRET_BYTES:
            raise OSError(0, f"larger than {MAX_SECRET_BYTES >> 10} KiB")
        return content.decode("utf-8").removesuffix("\n").removesuffix("\r")


def reference_problem(reference: object, schemes: Iterable[str] = ("env", "file")) -> str:
    """Why a text is no reference to a secret; empty when it is one. Does not repeat the text: it may be the secret."""
    scheme, colon, rest = str(reference).partition(":")
    if not isinstance(reference, str) or not colon or scheme not in (*schemes,):
        return f"must start with {' or '.join(f'{name}:' for name in schemes)}"
    if scheme == "env" and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", rest, re.ASCII):
        return "env: needs the name of a variable"
    if not rest or "\0" in rest:
        return f"{scheme}: names nothing"
    return ""


def redact(value: Any, secrets: Iterable[Secret] = ()) -> Any:
    """A copy that may be shown: secrets as ***, in text too. secrets: those whose values may have got into text."""
    hidden = sorted({secret.reveal() for secret in secrets} - {""}, key=len, reverse=True)
    return _redact(value, hidden)


def _redact(value: Any, hidden: list[str]) -> Any:
    if isinstance(value, Secret):
        return SHOWN
    if isinstance(value, str):
        for text in hidden:
            value = value.replace(text, SHOWN)
        return value
    if isinstance(value, Mapping):
        return {_redact(key, hidden): _redact(part, hidden) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact(part, hidden) for part in value]
    return value
