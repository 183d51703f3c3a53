"""Reading blocks when devices refuse some of their registers.

Rule: a refused block is halved until the tags that cause it are alone; those are Bad with the reason, the others are
read in as few requests as the device bears. What was found is remembered, so that a wrong address costs its search once
a minute, not at every scan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from bedplate_modbus.answer import Unfit, values_in
from bedplate_modbus.link import Link
from bedplate_modbus.plan import Block, Span

AGAIN_AFTER: Final = 60.0  # seconds, then a whole block is tried again

_REQUESTS: Final[dict[str, type[ModbusPDU]]] = {
    "coil": ReadCoilsRequest,
    "discrete_input": ReadDiscreteInputsRequest,
    "holding_register": ReadHoldingRegistersRequest,
    "input_register": ReadInputRegistersRequest,
}


@dataclass(slots=True, eq=False)
class Reading:
    """What one read brought. raw: bytes of the whole plan, 0 where none came · unfit: by index of the tag."""

    raw: bytearray
    unfit: dict[int, Unfit] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Split:
    """Instead of a block. pieces: what to ask · refused: spans that are not asked · until: when to try the whole."""

    pieces: Sequence[Block]
    refused: dict[Span, Unfit]
    until: float


class Reader:
    """Reads blocks over a link. clock: seconds, monotonic."""

    def __init__(self, link: Link, clock: Callable[[], float]) -> None:
        self._link = link
        self._clock = clock
        self._splits: WeakKeyDictionary[Block, _Split] = WeakKeyDictionary()

    async def read(self, block: Block, into: Reading, *, whole: bool = True) -> None:
        """Puts the block's bytes and refusals into the reading. whole: not itself a piece of a refused block.

        Raises TimeoutError when the unit is silent, ConnectionError when the connection is broken.
        """
        split = self._splits.get(block) if self._splits else None
        if split is None or self._clock() >= split.until:
            split = await self._try(block, into, whole)
        else:
            for piece in split.pieces:
                await self.read(piece, into, whole=False)
        if split:
            into.unfit.update((span.index, unfit) for span, unfit in split.refused.items())

    async def ask(self, block: Block) -> bytes:
        """The bytes of a block in one request. Raises Unfit, TimeoutError, ConnectionError."""
        kind = _REQUESTS[block.register_type]
        request = kind(address=block.start, count=block.count, dev_id=block.unit)
        return values_in(await self._link.ask(request), block)

    async def _try(self, block: Block, into: Reading, whole: bool) -> _Split | None:
        """Asks for a block as one. Returns what is refused, None: nothing."""
        if self._splits:
            self._forget(block)
        unfit = await self._fill(block, into)
        if unfit is None:
            return None
        if len(block.spans) == 1 or not unfit.divisible:
            return _Split((), dict.fromkeys(block.spans, unfit), 0.0)
        self._splits[block] = split = await self._divide(block, unfit, into, whole)
        return split

    async def _fill(self, block: Block, into: Reading) -> Unfit | None:
        try:
            into.raw[block.place : block.place + block.length] = await self.ask(block)
        except Unfit as unfit:
            return unfit
        return None

    async def _divide(self, block: Block, unfit: Unfit, into: Reading, whole: bool) -> _Split:
        good: list[Block] = []
        refused: dict[Span, Unfit] = {}
        await self._search(block, unfit, into, good, refused)
        lasting = all(why.divisible for why in refused.values())
        runs = block.between(refused)
        if not whole or len(runs) >= len(good) or runs[0].count == block.count:
            runs = tuple(
                good
            )  # joining them again was tried already, or would be the refused block
        return _Split(runs, refused, self._clock() + AGAIN_AFTER if lasting else 0.0)

    async def _search(
        self,
        block: Block,
        unfit: Unfit,
        into: Reading,
        good: list[Block],
        refused: dict[Span, Unfit],
    ) -> None:
        """Halves a refused block: collects the parts that the device gives, and the spans that it refuses."""
        if len(block.spans) == 1 or not unfit.divisible:
            refused.update(dict.fromkeys(block.spans, unfit))
            return
        for half in block.halves():
            again = await self._fill(half, into)
            if again:
                await self._search(half, again, into, good, refused)
            else:
                good.append(half)

    def _forget(self, block: Block) -> None:
        """Drops what was found for a block, and for the pieces it was divided into."""
        split = self._splits.pop(block, None)
        for piece in split.pieces if split else ():
            self._forget(piece)
