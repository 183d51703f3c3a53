"""From nodes that were found to tags that the deployment wants: pure functions over what `browse` gave.

Rule: a name comes from the node's path and nothing else, so that the same server gives the same tags every time.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from bedplate import Node
from bedplate.model import Selector
from bedplate.model.tag import FORBIDDEN, MAX_SEGMENT_BYTES

NAMELESS: Final = "_"


def legal(name: str) -> str:
    """A name made a legal segment of a path: in normal form C, without characters that selectors and paths use."""
    text = unicodedata.normalize("NFC", name.strip())
    kept = "".join(NAMELESS if _illegal(c) else c for c in text)
    while len(kept.encode("utf-8", "replace")) > MAX_SEGMENT_BYTES:
        kept = kept[:-1]
    return kept or NAMELESS


def select(nodes: Iterable[Node], include: Sequence[str], exclude: Sequence[str]) -> list[Node]:
    """The variables whose path an `include` matches and no `exclude` does; `name` becomes the name of the tag.

    Selectors as everywhere: * within one level, ** over levels. Where two nodes have the same path the later ones get
    ~2, ~3 … behind it. Raises ValueError for a selector that is none.
    """
    wanted, unwanted = Selector(include), Selector(exclude)
    taken: dict[str, int] = {}
    chosen: list[Node] = []
    for node in nodes:
        if not node.is_variable or not wanted.matches(node.path) or unwanted.matches(node.path):
            continue
        count = taken[node.path] = taken.get(node.path, 0) + 1
        name = node.path if count == 1 else f"{node.path}~{count}"
        chosen.append(replace(node, name=name))
    return chosen


def _illegal(character: str) -> bool:
    return character in FORBIDDEN or unicodedata.category(character)[0] == "C"
