"""What somebody leaves beside a log is told as a note, and never as a word of the log itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from bedplate.audit import outside


@pytest.mark.parametrize(
    "action",
    [
        "audit.begin",
        "audit.missing",
        "audit.removed",
        "audit.stop",
        "audit.start",
        "command.intent\n",
    ],
)
def test_a_note_does_not_speak_for_the_log(tmp_path: Path, action: str) -> None:
    outside.leave(tmp_path, action, "by hand", "mallory")
    ((_, entry),) = outside.notes(tmp_path)
    assert (entry.action, entry.method, entry.who) == ("audit.note", "outside", "mallory")
    assert repr(action)[1:-1] in entry.text
