"""Which requests read a list of tags: blocks of neighbouring registers of one unit and one register type.

Rule: every tag lies whole in exactly one block, and no block is longer than the limits allow (Modbus Application
Protocol V1.1b3, 6.1 and 6.3: 2000 coils, 125 registers). Pure: no I/O, no values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bedplate_modbus.address import RegisterType

COILS = ("coil", "discrete_input")


@dataclass(frozen=True, slots=True)
class Span:
    """Registers or coils of one tag. index: of the tag in the list to read."""

    index: int
    unit: int
    register_type: RegisterType
    address: int
    count: int

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.address + self.count


@dataclass(frozen=True, slots=True)
class Limits:
    """max_gap: unused registers or coils between two spans of a block; the others: length of a block."""

    max_gap: int = 16
    max_registers: int = 125
    max_coils: int = 2000
    one_request_per_tag: bool = False

    def longest(self, register_type: RegisterType) -> int:
        return self.max_coils if register_type in COILS else self.max_registers


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Block:
    """One request. spans: by address · place: where its bytes go in the bytes of the whole plan, `size` of them for
    each register (2) or coil (1)."""

    unit: int
    register_type: RegisterType
    start: int
    count: int
    spans: tuple[Span, ...]
    place: int

    @property
    def size(self) -> int:
        return 1 if self.register_type in COILS else 2

    @property
    def length(self) -> int:
        """Bytes it fills."""
        return self.count * self.size

    def place_of(self, span: Span) -> int:
        return self.place + (span.address - self.start) * self.size

    def part(self, spans: Sequence[Span]) -> Block:
        """A smaller block for some of the spans, whose bytes go to the same places."""
        start = spans[0].address
        count = max(span.end for span in spans) - start
        place = self.place + (start - self.start) * self.size
        return Block(self.unit, self.register_type, start, count, tuple(spans), place)

    def halves(self) -> tuple[Block, Block]:
        """Two blocks with half of the spans each. Needs at least two spans."""
        middle = len(self.spans) // 2
        return self.part(self.spans[:middle]), self.part(self.spans[middle:])

    def between(self, refused: Iterable[Span]) -> tuple[Block, ...]:
        """The blocks that are left, as long as possible, when these spans are taken out."""
        out = set(refused)
        runs: list[list[Span]] = [[]]
        for span in self.spans:
            if span not in out:
                runs[-1].append(span)
            elif runs[-1]:
                runs.append([])
        return tuple(self.part(run) for run in runs if run)


def blocks_of(spans: Iterable[Span], limits: Limits) -> tuple[Block, ...]:
    """The blocks for these spans, by unit, register type and address. Each span must fit the limits by itself."""
    place = 0
    blocks = []
    for run in _runs(spans, limits):
        block = _block(run, place)
        place += block.length
        blocks.append(block)
    return tuple(blocks)


def _block(run: list[Span], place: int) -> Block:
    first = run[0]
    count = max(span.end for span in run) - first.address
    return Block(first.unit, first.register_type, first.address, count, tuple(run), place)


def _runs(spans: Iterable[Span], limits: Limits) -> Iterator[list[Span]]:
    """Spans in order, cut where a block has to end."""
    run: list[Span] = []
    end = 0
    for span in sorted(spans, key=lambda s: (s.unit, s.register_type, s.address, s.count, s.index)):
        if run and not _joins(run[0], end, span, limits):
            yield run
            run, end = [], 0
        run.append(span)
        end = max(end, span.end)
    if run:
        yield run


def _joins(first: Span, end: int, span: Span, limits: Limits) -> bool:
    return (
        not limits.one_request_per_tag
        and (first.unit, first.register_type) == (span.unit, span.register_type)
        and span.address - end <= limits.max_gap
        and max(end, span.end) - first.address <= limits.longest(span.register_type)
    )
