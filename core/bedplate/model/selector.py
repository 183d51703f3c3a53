"""Selectors: which tags a reader wants.

`*` stands for any part of one level, `**` for any number of levels, also none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=4096)
def compile_selector(selector: str) -> re.Pattern[str]:
    """Regular expression of one selector over whole paths. Raises ValueError when a level is empty."""
    levels = selector.split("/")
    if not all(levels):
        raise ValueError(f"selector {selector!r} has an empty level")
    pattern = ""
    for index, level in enumerate(levels):
        last = index == len(levels) - 1
        if level == "**":
            pattern += ".*" if last else "(?:[^/]+/)*"
            continue
        if "**" in level:
            raise ValueError(f"selector {selector!r}: ** must stand alone between slashes")
        pattern += re.escape(level).replace(r"\*", "[^/]*") + ("" if last else "/")
    if len(levels) > 1 and levels[-1] == "**":  # a/** also means a itself
        pattern = pattern.removesuffix("/.*") + "(?:/.*)?"
    return re.compile(pattern, re.DOTALL)


class Selector:
    """Several selectors as one question. No selectors match nothing; "**" matches all."""

    def __init__(self, selectors: Iterable[str]) -> None:
        self.texts = tuple(selectors)
        self._patterns = [compile_selector(text) for text in self.texts]
        self.all = "**" in self.texts

    def matches(self, path: str) -> bool:
        return self.all or any(pattern.fullmatch(path) for pattern in self._patterns)


def is_selector(text: str) -> bool:
    return "*" in text


def tails(text: str, paths: Iterable[str]) -> list[str]:
    """Paths of which text is the whole or a tail of whole levels; the whole wins."""
    found = [path for path in paths if path == text or path.endswith("/" + text)]
    return [text] if text in found else found
