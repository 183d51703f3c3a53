"""Secrets by reference: the file says where a secret is, never what it is.

A reference is `env:NAME`, `file:/path`, `age:FILE#name`, or of a scheme that a plugin's hook resolves; it is resolved
late, when a component opens. A Secret shows itself as *** in every way Python has of showing things. It guards against
showing, not against code in the same process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Never

from bedplate.config.secret_files import MAX_SECRET_BYTES, aged, private_content
from bedplate.errors import BedplateError

SHOWN = "***"
BUILT_IN = ("env", "file", "age")
_SCHEME = re.compile(r"[a-z][a-z0-9+-]{1,30}", re.ASCII)

Resolver = Callable[[str], str]
Hook = Callable[[str], str | None]


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
    """Resolves references. Blocking, once a hook is asked.

    folder: what relative files start from · more: further schemes, text after the colon → value; they raise OSError or
    KeyError when they can't · identity: what opens age files · hook: asked for a reference of any other scheme, None:
    nobody knows it; raises OSError.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        more: Mapping[str, Resolver] | None = None,
        *,
        identity: Path | None = None,
        hook: Hook | None = None,
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._identity = identity
        self._hook = hook
        self._schemes: dict[str, Resolver] = {
            "env": self._from_environment,
            "file": self._from_file,
            "age": self._from_age,
            **(more or {}),
        }

    def resolve(self, reference: str) -> Secret:
        """The secret a reference names; never an empty one. Raises SecretError."""
        if problem := reference_problem(reference, self._schemes, others=True):
            raise SecretError(f"secret {problem}")
        scheme, _, rest = reference.partition(":")
        try:
            value = self._schemes[scheme](rest) if scheme in self._schemes else self._ask(reference)
        except KeyError:
            raise SecretError(f"secret {reference}: not there") from None
        except (OSError, ValueError) as error:
            raise SecretError(f"secret {reference}: {_why(error)}") from None
        if not value:
            raise SecretError(f"secret {reference}: is empty")
        return Secret(value, reference)

    def _from_environment(self, name: str) -> str:
        return self._environ[name]

    def _from_file(self, name: str) -> str:
        return _line_end_off(private_content(self._folder / name).decode("utf-8"))

    def _from_age(self, rest: str) -> str:
        file, _, name = rest.rpartition("#")
        return aged(self._folder / file, name, self._identity)

    def _ask(self, reference: str) -> str:
        scheme = reference.partition(":")[0]
        if self._hook is None:
            raise SecretError(f"secret {scheme}: is of a plugin, which only a running kernel asks")
        value = self._hook(reference)
        if value is None:
            raise SecretError(f"secret {scheme}: no plugin knows it (bedplate_resolve_secret)")
        if len(value.encode()) > MAX_SECRET_BYTES:
            raise OSError(0, f"larger than {MAX_SECRET_BYTES >> 10} KiB")
        return value


def _line_end_off(text: str) -> str:
    """One line end at the end belongs to the editor, not to the secret."""
    return text.removesuffix("\n").removesuffix("\r")


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "not text in UTF-8; store bytes as Base64, if the plugin can take that"


def reference_problem(
    reference: object, schemes: Iterable[str] = BUILT_IN, *, others: bool = False
) -> str:
    """Why a text is no reference to a secret; empty when it is one. others: a scheme may be a plugin's. Does not repeat
    the text: it may be the secret."""
    scheme, colon, rest = str(reference).partition(":")
    known = (*schemes,)
    anothers = others and _SCHEME.fullmatch(scheme) and not get_close_matches(scheme, known)
    if not isinstance(reference, str) or not colon or not (scheme in known or anothers):
        *most, last = (f"{name}:" for name in known)
        return f"must start with {', '.join(most)} or {last}"
    if scheme == "env" and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", rest, re.ASCII):
        return "env: needs the name of a variable"
    if scheme == "age" and not all(rest.rpartition("#")):
        return "age: needs a file and a name, age:FILE#name"
    if not rest or "\0" in rest:
        return f"{scheme}: names nothing" if scheme in known else "names nothing"
    return ""


def file_of(reference: str) -> str:
    """The file in which a secret lies, as it is written; empty: it lies in none."""
    scheme, _, rest = reference.partition(":")
    return {"file": rest, "age": rest.rpartition("#")[0]}.get(scheme, "")


def references(value: Any) -> Iterator[str]:
    """Every reference within settings, each as often as it stands there."""
    if isinstance(value, Mapping):
        if set(value) == {"secret"}:
            yield str(value["secret"])
        else:
            for part in value.values():
                yield from references(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from references(part)


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
