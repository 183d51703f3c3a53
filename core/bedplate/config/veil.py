"""Takes secrets whose values are known out of text, in the spellings in which programs print them.

Owns how a value may look in a text. Rule: made once for its values, then one search for each text. It does not guess:
what is not one of its values stays.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from bedplate.config.secrets import SHOWN

SHORTEST = 6  # characters: a shorter value would take half the text along
_CORE = 8  # characters of Base64 that stand for a value alone, wherever it lies in what was encoded


class Veil:
    """Of these values; one that is shorter is not looked for."""

    def __init__(self, values: Iterable[str] = (), shortest: int = SHORTEST) -> None:
        parts = {one for value in values for one in _parts(value, shortest)}
        found = {text for part in parts for text in spellings(part)}
        self._spelled = sorted(found, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, self._spelled))) if found else None

    def __bool__(self) -> bool:
        return self._known is not None

    def __call__(self, text: str) -> str:
        """The text with *** for each."""
        return self._known.sub(SHOWN, text) if self._known and text else text

    def cut(self, text: str) -> str:
        """The same for a text that was cut off where a secret may have begun."""
        text = self(text)
        most = max((_begun(text, one) for one in self._spelled), default=0)
        return text[:-most] + SHOWN if most else text


def _begun(text: str, value: str) -> int:
    """How many of the first characters of a value a text ends with; few are no sign of it: 0."""
    sizes = range(min(len(value), len(text) + 1) - 1, 3, -1)
    return next((size for size in sizes if text.endswith(value[:size])), 0)


def _parts(value: str, shortest: int) -> Iterator[str]:
    """The whole, and each line of it."""
    for part in {value, *value.splitlines()}:
        if len(part.strip()) >= shortest:
            yield part.strip()


def spellings(value: str) -> Iterator[str]:
    """As programs print a text."""
    raw = value.encode("utf-8", "surrogatepass")
    yield value
    yield from (
        quote(value, safe="", errors="replace"),
        quote(value, errors="replace"),
        quote_plus(value, errors="replace"),
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
        repr(raw)[2:-1],
    )
    yield from (json.dumps(value, ensure_ascii=False)[1:-1], value.replace("'", "''"))
    yield from (raw.hex(), raw.hex().upper())
    for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        yield encoded.decode().rstrip("=")
    yield from _within_base64(raw)


def _within_base64(raw: bytes) -> Iterator[str]:
    """What of it is the same whatever stands before and behind, as in the `user:password` of HTTP."""
    for before in range(3):
        end = (before + len(raw)) // 3 * 3 - before
        whole = base64.b64encode(bytes(before) + raw[:end]).decode()
        core = whole[-(-before * 4 // 3) :]
        if len(core) >= _CORE:
            yield core
            yield core.translate(str.maketrans("+/", "-_"))
