"""Selectors: which tags a reader wants.

`*` stands for any part of one level, `**` for any number of levels, also none. Clients write selectors, so a pattern
must not be able to take long: each star takes the first place that fits and never another (atomic groups), which is
enough as what follows a star may begin anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

ANY_LEVEL = "[^/]+/"


@lru_cache(maxsize=4096)
def compile_selector(selector: str) -> re.Pattern[str]:
    """Regular expression of one selector over whole paths, each level ended by a slash. Raises ValueError when a level
    is empty, and when ** does not stand alone."""
    runs: list[list[str]] = [[]]  # of levels between **
    for level in selector.split("/"):
        if not level:
            raise ValueError(f"selector {selector!r} has an empty level")
        if level == "**":
            runs.append([])
        elif "**" in level:
            raise ValueError(f"selector {selector!r}: ** must stand alone between slashes")
        else:
            runs[-1].append(_level(level) + "/")
    first, *others = ["".join(run) for run in runs]
    if not others:
        return re.compile(first)
    middle = "".join(f"(?>(?:{ANY_LEVEL})*?{run})" for run in others[:-1] if run)
    return re.compile(f"{first}{middle}(?:{ANY_LEVEL})*{others[-1]}")


def _level(level: str) -> str:
    """Pattern of one level, without its slash."""
    first, *others = map(re.escape, level.split("*"))
    if not others:
        return first
    middle = "".join(f"(?>[^/]*?{part})" for part in others[:-1] if part)
    return f"{first}{middle}[^/]*{others[-1]}"


class Selector:
    """Several selectors as one question. No selectors match nothing; "**" matches all."""

    def __init__(self, selectors: Iterable[str]) -> None:
        self.texts = tuple(selectors)
        self._patterns = [compile_selector(text) for text in self.texts]
        self.all = "**" in self.texts

    def matches(self, path: str) -> bool:
        return self.all or any(pattern.fullmatch(path + "/") for pattern in self._patterns)


def is_selector(text: str) -> bool:
    return "*" in text


def tails(text: str, paths: Iterable[str]) -> list[str]:
    """Paths of which text is the whole or a tail of whole levels; the whole wins."""
    found = [path for path in paths if path == text or path.endswith("/" + text)]
    return [text] if text in found else found
