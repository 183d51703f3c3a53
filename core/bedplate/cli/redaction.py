"""Taking secrets out of whatever is to be shown to others.

Three nets, one below the other: values that are known (references of a deployment resolved, tokens of this user) go
from every text, in the spellings in which programs print them; values beside a name such as password go where they
stand; and what looks like a secret by itself does (a private key, a password within a URL). What is none of these, such
as a password in a sentence of a log that no deployment knows, can't be found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from bedplate.config.secrets import SHOWN, reference_problem
from bedplate.config.veil import Veil

WORDS = frozenset(
    (
        *("password", "passwd", "pwd", "pass", "passphrase", "secret", "token", "apikey", "key"),
        *("psk", "pin", "credential", "credentials", "community"),
    )
)
SHORTEST = 4  # characters of a known value that is looked for everywhere; a shorter one would take half the text along
_BESIDE = re.compile(
    r"(?i)\b([\w-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|authorization|credential)[\w-]*\"?'?\s*[:=]\s*)"
    r"(\"[^\"]*\"|'[^']*'|(?:bearer |basic )?[^\s,;}\]]+)"
)
_IN_URL = re.compile(r"(?<=://)[^/\s@'\"]+(?=@)")
_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
)


class Redactor:
    """Collects what is secret, then takes it out. names: settings that hold a secret whatever they are called."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names = set(names)
        self._hidden: set[str] = set()
        self._veil: Veil | None = None  # of all that is hidden; made when it is wanted

    def also(self, names: Iterable[str]) -> None:
        """These settings hold a secret too."""
        self._names.update(names)

    def hide(self, value: str) -> None:
        """From now on this value is seen nowhere."""
        self._hidden.add(value)
        self._veil = None

    def text(self, text: str) -> str:
        """The text without them."""
        self._veil = self._veil or Veil(self._hidden, SHORTEST)
        text = _KEY.sub(SHOWN, self._veil(text))
        text = _IN_URL.sub(SHOWN, text)
        return _BESIDE.sub(lambda match: match[1] + _kept(match[2]), text)

    def tree(self, value: Any, resolve: Callable[[str], str | None], name: str = "") -> Any:
        """A deployment without its inline secrets. References stay, and what they name is hidden. resolve: reference →
        value, None when it can't be had."""
        if isinstance(value, dict):
            if set(value) == {"secret"} and not reference_problem(value["secret"]):
                self.hide(resolve(value["secret"]) or "")
                return dict(value)
            return {str(k): self.tree(part, resolve, str(k)) for k, part in value.items()}
        if isinstance(value, list):
            return [self.tree(part, resolve, name) for part in value]
        if value is not None and not isinstance(value, bool) and self.is_secret(name):
            self.hide(str(value))
            return SHOWN
        for part in _IN_URL.findall(value) if isinstance(value, str) else ():
            self.hide(part.partition(":")[2])
        return value

    def loose(self, text: str) -> None:
        """What stands beside such a name in a text that is no YAML."""
        for name, value in re.findall(r"([\w-]+)[\"']?\s*[:=]\s*([^\s#,}]+)", text):
            if self.is_secret(name):
                self.hide(value.strip("\"'"))

    def is_secret(self, name: str) -> bool:
        """Whether what stands beside this name is one."""
        return name in self._names or bool(WORDS & set(re.split(r"[^a-z]+", name.lower())))


def secret_names(schema: Any) -> Iterator[str]:
    """The settings of a JSON Schema that are written and never read, at any depth."""
    if isinstance(schema, dict):
        for name, part in (schema.get("properties") or {}).items():
            if isinstance(part, dict) and "writeOnly" in json.dumps(part):
                yield name
        for part in schema.values():
            yield from secret_names(part)


def _kept(word: str) -> str:
    """What stands beside a name: a reference is no secret."""
    return word if not reference_problem(word.strip("\"'")) or SHOWN in word else SHOWN
