"""Paths of nodes that were found, such that each can be the name of a tag.

Rule: a path comes from the names in the server and nothing else, so that the same server gives the same tags each time.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from bedplate.model.tag import FORBIDDEN, LINES, MAX_SEGMENT_BYTES

NAMELESS: Final = "_"
STEPS: Final = (".", "..")  # between folders, no names
ROOM: Final = 6
"""Bytes kept free for a number behind a name that is taken."""


class Names:
    """Paths given out so far."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def below(self, path: str, name: str) -> str:
        """A path of its own for a node; a name that is taken gets ~2, ~3 … behind it."""
        start = f"{path}/{legal(name)}" if path else legal(name)
        given, number = start, 1
        while given in self._taken:
            number += 1
            given = f"{start}~{number}"
        self._taken.add(given)
        return given


def legal(name: str) -> str:
    """A name made a legal segment of a path: in normal form C, without characters that selectors and paths use."""
    text = unicodedata.normalize("NFC", name.strip())
    kept = "".join(NAMELESS if _illegal(c) else c for c in text)
    while len(kept.encode("utf-8", "replace")) > MAX_SEGMENT_BYTES - ROOM:
        kept = kept[:-1]
    text = unicodedata.normalize("NFC", kept)
    return NAMELESS * len(text) if text in STEPS else text or NAMELESS


def _illegal(character: str) -> bool:
    category = unicodedata.category(character)
    return character in FORBIDDEN or category[0] == "C" or category in LINES
