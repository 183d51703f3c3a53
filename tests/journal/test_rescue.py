"""A new file in the place of a broken one: what is in it agrees with itself at every moment."""

from __future__ import annotations

from pathlib import Path

from tests.journal.records import entry

from bedplate.journal.damage import Damage
from bedplate.journal.database import FILE
from bedplate.journal.engine import Commit
from bedplate.journal.numbering import Numbering
from bedplate.journal.reader import Reader
from bedplate.journal.rescue import rescue
from bedplate.journal.turn import Turn
from bedplate.journal.writer import Writer


def test_no_cursor_is_ahead_of_the_records_it_came_with_though_their_sync_failed(
    tmp_path: Path,
) -> None:
    """Found by the simulation, seed 208: the kernel was killed after the new file was there and before the turn whose
    sync had failed was written again. Its cursors and states were in the new file, its records were not."""
    path = tmp_path / FILE
    numbering, writer = Numbering(1, 0), Writer(path)
    writer.open(1)
    first = numbering.number([entry(1), entry(2)])
    failed = numbering.number([entry(3), entry(4)])
    for number, records in enumerate((first, failed), 1):
        turn = Turn(number)
        turn.add(records, Commit("sums", records[0].position - 1, {"state": bytes([number])}))
        writer.write(turn)  # in the page cache; of the second one nobody was told
    writer.close()

    rescue(path, "broken", 0, first, ())

    reader = Reader(path, Damage())
    reader.open()
    position, states = reader.cursor("sums")
    assert (position, states) == (2, {"state": b"\2"})
    assert reader.read(0, 9, 99, 1 << 20) == [*first, *failed]
    reader.close()
