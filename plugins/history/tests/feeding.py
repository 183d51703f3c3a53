"""A process that feeds a history for ever, to be killed: python feeding.py FOLDER SEED. Prints every durable position.

What a record holds follows from its position alone, so that anybody can say what must be in the history.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from bedplate.contracts import Delivery
from bedplate.model import Batch, Body, DataType, Record, TagInfo, TagTable
from bedplate.wire import encode_batch

TAGS = [
    *(TagInfo(n + 1, f"line/f{n}", DataType.FLOAT64) for n in range(5)),
    *(TagInfo(n + 6, f"line/t{n}", DataType.TEXT) for n in range(2)),
]


def samples(position: int) -> list[tuple[str, int, object]]:
    """Path, time, value of the samples of a record; all of one type, some late, some at one instant."""
    text = position % 5 == 0
    tags = TAGS[5:] if text else TAGS[:5]
    found: list[tuple[str, int, object]] = []
    for row in range(1 + position % 7):
        value = f"{position}:{row}" if text else position + row / 10
        late = 500 if position % 11 == 0 else 0
        found.append((tags[(position + row) % len(tags)].path, position * 10 - late, value))
    return found


def record(position: int) -> Record:
    held = samples(position)
    handles = {tag.path: tag.handle for tag in TAGS}
    batch = Batch.of(
        [handles[p] for p, _, _ in held], [t for _, t, _ in held], [v for *_, v in held]
    )
    return Record(position, "line/live", 7, position, position, Body.BATCH, encode_batch(batch))


def feed(folder: Path, seed: int) -> None:
    from plugins.history.tests.driving import opened

    rng = random.Random(seed)
    history = opened(folder, seal={"rows": rng.choice([50, 200, 1000]), "age": "50ms"}, threads=1)
    table = TagTable(7, TAGS)
    position = max(0, history.cursor() - rng.randrange(30))  # some come again
    while True:
        records = [record(position + n) for n in range(1, rng.randrange(2, 60))]
        position = records[-1].position
        print(history.deliver(Delivery(records, table, position)), flush=True)


if __name__ == "__main__":
    feed(Path(sys.argv[1]), int(sys.argv[2]))
