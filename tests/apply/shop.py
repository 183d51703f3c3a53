"""A shop of fifty components as a value that can be edited at random, and written down as a deployment file."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

TYPES = ("ram", "saw", "oven")
GAINS: tuple[float | None, ...] = (None, 1000.0, 0.001)
HEAD = """
scan_classes: {{fast: 100ms, slow: 300ms}}
types:
{types}
"""
TYPE = """  {name}:
    parameters: {{port: required, word: "", pace: slow, unit: "", expected: always}}
    use: box
    placement: inline
    port: $port
    word: $word
    expected: $expected
    tags:
      number: {{address: n, scan: $pace, unit: $unit}}
"""


@dataclass(frozen=True)
class Box:
    """One machine. gain: of its scale · extra: has a second tag."""

    machine: int
    type: str
    word: str = ""
    pace: str = "slow"
    unit: str = ""
    expected: str = "always"
    gain: float | None = None
    deadband: float = 0.0
    extra: bool = False


@dataclass(frozen=True)
class Shop:
    """boxes, sinks and sums by id; ports of the machines · edits: what was done last, in words."""

    ports: tuple[int, ...]
    boxes: dict[str, Box]
    sinks: dict[str, str]
    sums: dict[str, tuple[str, str]]  # type, word
    edits: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, ports: list[int], count: int) -> Shop:
        boxes = {f"box-{n:02}": Box(n, TYPES[n % 3]) for n in range(count - 7)}
        sinks = {"log": "**", "few": "box-0*/number", "some": "*/number"}
        sums = {f"sum-{n}": (TYPES[n % 3], "") for n in range(4)}
        return cls(tuple(ports), boxes, sinks, sums)

    def text(self) -> str:
        """Its file. What has no entries is left out: an empty section is refused."""
        head = HEAD.format(types="".join(TYPE.format(name=name) for name in TYPES))
        boxes = [line for name in TYPES for line in self._group(name)]
        sinks = [f"  {id_}: {{use: log, placement: inline, folder: FOLDER, deliver: [{s!r}]}}"
                 for id_, s in self.sinks.items()]  # fmt: skip
        sums = [f"  {id_}: {{use: sum, placement: inline, for: {kind}, of: number, word: {word!r}}}"
                for id_, (kind, word) in self.sums.items()]  # fmt: skip
        return head + _section("connectors", boxes + sinks) + _section("analytics", sums)

    def _group(self, name: str) -> list[str]:
        """The lines of the entry that has all boxes of this type."""
        mine = {id_: box for id_, box in self.boxes.items() if box.type == name}
        if not mine:
            return []
        lines = [f"  {name}s:", f"    type: {name}", "    each:"]
        for id_, box in mine.items():
            lines.append(f"      {id_}: {{port: {self.ports[box.machine]}{_row(box)}}}")
        over = {id_: words for id_, box in mine.items() if (words := _override(box))}
        lines += ["    override:"] if over else []
        lines += [f"      {id_}: {{tags: {{{words}}}}}" for id_, words in over.items()]
        return lines

    # --- edits ---

    def edited(self, chance: random.Random) -> Shop:
        """With one to three edits."""
        shop, done = self, []
        for _ in range(chance.choice((1, 1, 2, 3))):
            edit = chance.choice(EDITS) if shop.boxes else _come
            shop, what = edit(shop, chance)
            done.append(what)
        return replace(shop, edits=tuple(done))

    def _with(self, id_: str, **words: Any) -> Shop:
        return replace(self, boxes=self.boxes | {id_: replace(self.boxes[id_], **words)})


def _section(name: str, lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in (f"{name}:", *lines)) if lines else ""


def _row(box: Box) -> str:
    """What differs from the defaults of its type."""
    words = {"word": box.word, "pace": box.pace, "unit": box.unit, "expected": box.expected}
    fresh = Box(0, "")
    said = [
        f", {name}: {value!r}" for name, value in words.items() if value != getattr(fresh, name)
    ]
    return "".join(said)


def _override(box: Box) -> str:
    """The deadband is of the scaled value: half a step of the number, whatever the scale, so that none is left out."""
    words = [f"deadband: {box.deadband * (box.gain or 1)}"] if box.deadband else []
    words += [f"scale: {box.gain}"] if box.gain else []
    tags = [f"number: {{{', '.join(words)}}}"] if words else []
    return ", ".join(tags + ["extra: {address: m, scan: slow}"] * box.extra)


def _live(shop: Shop, chance: random.Random) -> tuple[Shop, str]:
    id_ = chance.choice([*shop.boxes])
    word, values = chance.choice(
        [("gain", GAINS), ("pace", ("fast", "slow")), ("unit", ("kN", "bar", "")),
         ("expected", ("always", "never")), ("deadband", (0.0, 0.5))]
    )  # fmt: skip
    value = chance.choice(values)
    return shop._with(id_, **{word: value}), f"{word} of {id_}: {value}"


def _restart(shop: Shop, chance: random.Random) -> tuple[Shop, str]:
    id_ = chance.choice([*shop.boxes])
    if chance.random() < 0.5:
        return shop._with(id_, extra=not shop.boxes[id_].extra), f"extra tag of {id_}"
    word = f"word {chance.randrange(1000)}"
    return shop._with(id_, word=word), f"{id_}: {word}"


def _come(shop: Shop, chance: random.Random) -> tuple[Shop, str]:
    free = [n for n in range(len(shop.ports)) if f"box-{n:02}" not in shop.boxes]
    if not free:
        return _go(shop, chance)
    n = chance.choice(free)
    box = Box(n, chance.choice(TYPES))
    return replace(shop, boxes=shop.boxes | {f"box-{n:02}": box}), f"new box-{n:02}"


def _go(shop: Shop, chance: random.Random) -> tuple[Shop, str]:
    id_ = chance.choice([*shop.boxes])
    kept = {one: box for one, box in shop.boxes.items() if one != id_}
    return replace(shop, boxes=kept), f"without {id_}"


def _sink(shop: Shop, chance: random.Random) -> tuple[Shop, str]:
    id_ = chance.choice(("few", "some", "third"))
    if id_ in shop.sinks and chance.random() < 0.3:
        sinks = {one: selector for one, selector in shop.sinks.items() if one != id_}
        return replace(shop, sinks=sinks), f"without {id_}"
    selector = f"box-{chance.randrange(4)}*/{chance.choice(('number', 'extra', '*'))}"
    return replace(shop, sinks=shop.sinks | {id_: selector}), f"{id_} delivers {selector}"


def _sum(shop: Shop, chance: random.Random) -> tuple[Shop, str]:
    id_ = f"sum-{chance.randrange(4)}"
    if id_ in shop.sums and chance.random() < 0.3:
        sums = {one: what for one, what in shop.sums.items() if one != id_}
        return replace(shop, sums=sums), f"without {id_}"
    what = TYPES[int(id_[-1]) % 3], f"word {chance.randrange(1000)}"
    return replace(shop, sums=shop.sums | {id_: what}), f"{id_}: {what}"


def _nothing(shop: Shop, chance: random.Random) -> tuple[Shop, str]:
    shuffled = [*shop.boxes.items()]
    chance.shuffle(shuffled)
    return replace(shop, boxes=dict(shuffled)), "rows in another order"


EDITS = (_live, _live, _live, _restart, _come, _go, _sink, _sum, _nothing)
