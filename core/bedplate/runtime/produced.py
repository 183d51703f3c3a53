"""How far the kernel has what one source pushed, by producer_seq, over cuts and over its own restarts.

Rule: the number goes to disk in the same commit as the samples, so that both are there or neither. What comes again is
known by its number and left out. For programs that go on after a cut (feature "resume"); for others numbers begin anew
with each session, and nothing is kept.
"""

from __future__ import annotations

from bedplate.journal.engine import Commit
from bedplate.remote.arrivals import resumes
from bedplate.remote.attachment import Attachment
from bedplate.runtime.spine import Spine
from bedplate.runtime.window import due

KEY = "producer"


class Produced:
    """One per source. last: the newest number that was taken."""

    def __init__(self, component: str, spine: Spine) -> None:
        self._reader = reader_of(component)
        self._spine = spine
        self._instance = ""
        self.last = 0

    async def begin(self, attachment: Attachment) -> int:
        """A session begins. Returns the newest number of this instance that is on disk, for Subscribe.resume_after.
        Raises JournalError."""
        if not resumes(attachment):
            self._instance, self.last = "", 0
            return 0
        self._instance = attachment.hello.instance
        engine = self._spine.engine
        await engine.synced(engine.state().appended)  # a cursor may be read before it is on disk
        _, states = await engine.cursor(self._reader)
        instance, _, last = states.get(KEY, b"").decode().partition(" ")
        self.last = int(last) if instance == self._instance else 0
        return self.last

    @property
    def durable(self) -> bool:
        """Whether its program keeps what is not on disk, and so gets credit for what is."""
        return bool(self._instance)

    def repeated(self, seq: int) -> bool:
        """Whether this publication was taken already. Raises ProtocolError when one before it is missing, or when
        nothing may come again."""
        if self.durable and seq <= self.last:
            return True
        due(seq, self.last)
        return False

    def taken(self, seq: int) -> Commit | None:
        """Goes with the samples of this publication."""
        self.last = seq
        if not self.durable:
            return None
        state = f"{self._instance} {seq}".encode()
        return Commit(self._reader, self._spine.engine.state().appended, {KEY: state})


def reader_of(component: str) -> str:
    """The cursor that goes by this name."""
    return f"{component}/produced"
