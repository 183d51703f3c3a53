"""Which bytes to ask for, so that many tags come with few requests. Values only; asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bedplate_s7.address import Place
from bedplate_s7.codec import Form

MAX_GAP = 16  # unused bytes that one request may span; a request costs more than they do
MAX_BYTES = 4096  # of one block; the library asks for it in parts that fit the connection


@dataclass(frozen=True, slots=True)
class Point:
    """A tag: where it lies and what it is."""

    place: Place
    form: Form

    @property
    def end(self) -> int:
        return self.place.byte + self.form.size


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes of one area, and the tags in them by their number in what was asked."""

    area: str
    db: int
    start: int
    size: int
    members: tuple[int, ...]


def blocks_of(points: Sequence[Point], numbers: Iterable[int]) -> list[Block]:
    """Blocks that hold these points, each point whole in one."""
    home = sorted(
        numbers, key=lambda n: (points[n].place.area, points[n].place.db, points[n].place.byte)
    )
    blocks: list[Block] = []
    for number in home:
        point = points[number]
        if blocks and _joins(blocks[-1], point):
            last = blocks[-1]
            size = max(last.size, point.end - last.start)
            blocks[-1] = Block(last.area, last.db, last.start, size, (*last.members, number))
        else:
            place = point.place
            blocks.append(Block(place.area, place.db, place.byte, point.form.size, (number,)))
    return blocks


def _joins(block: Block, point: Point) -> bool:
    return (
        (block.area, block.db) == (point.place.area, point.place.db)
        and point.place.byte - (block.start + block.size) <= MAX_GAP
        and point.end - block.start <= MAX_BYTES
    )
