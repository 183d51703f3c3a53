"""Bugs on purpose, each a rule of the promise broken in one place; `test_seeded_bugs.py` says which seeds find them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Commit
from bedplate.journal.group_commit import GroupCommit
from bedplate.journal.trouble import Trouble
from bedplate.remote.kept import Kept
from bedplate.runtime.buffer import SinkBuffer
from bedplate.runtime.journal_watch import JournalWatch
from bedplate.runtime.produced import Produced
from bedplate.runtime.reader import Reader
from bedplate.runtime.source import Source
from bedplate.runtime.spine import Spine
from bedplate.runtime.supervisor import Supervisor
from bedplate.runtime.window import Window

BUDGET = 1  # tries
Patch = pytest.MonkeyPatch


def acknowledged_before_the_sync(patch: Patch) -> None:
    """A source is told that it is on disk as soon as it is in memory."""
    publication = Source.publication

    def early(self: Source, message: Any) -> None:
        publication(self, message)
        if self.attachment:
            self.attachment.receipt(self.component.id, synced=message.producer_seq)

    patch.setattr(Source, "publication", early)


def synced_before_it_is_written(patch: Patch) -> None:
    """The journal says so when a turn is handed to the disk."""
    submit = GroupCommit._submit

    def early(self: GroupCommit, turn: Any) -> None:
        submit(self, turn)
        self._done(turn, None)

    patch.setattr(GroupCommit, "_submit", early)


def order_within_a_message_is_lost(patch: Patch) -> None:
    """Records of one turn reach readers in another order."""
    slice_ = EmbeddedEngine.read

    async def swapped(self: EmbeddedEngine, after: int, **limits: Any) -> Sequence[Any]:
        found = list(await slice_(self, after, **limits))
        if len(found) > 3:
            found[1], found[2] = found[2], found[1]
        return found

    patch.setattr(EmbeddedEngine, "read", swapped)


def what_comes_again_is_taken_again(patch: Patch) -> None:
    """A program elsewhere is not told what is on disk, and numbers of publications are not looked at."""
    begin = Produced.begin

    async def forgetful(self: Produced, attachment: Any) -> int:
        await begin(self, attachment)
        return 0

    patch.setattr(Produced, "begin", forgetful)
    patch.setattr(Produced, "repeated", lambda self, seq: False)


def a_loss_is_not_declared(patch: Patch) -> None:
    """What has no place in the journal is left out without a word."""
    patch.setattr(Spine, "gap", lambda self, stream, reason, loss: None)


def a_sink_is_not_told_what_it_lost(patch: Patch) -> None:
    """Its cursor moves on, its count does not."""
    commit = SinkBuffer._commit

    def silent(self: SinkBuffer, position: int, loss: Any) -> None:
        commit(self, position, type(loss)())

    patch.setattr(SinkBuffer, "_commit", silent)


def the_cursor_goes_to_disk_before_the_results(patch: Patch) -> None:
    """Of an analytic: two commits instead of one."""
    derive = Spine.derive

    def apart(self: Spine, pairs: Any, commit: Commit, *, sync: bool = False) -> bool:
        self.engine.append((), commit)
        self.engine.sync_soon()
        loop = __import__("asyncio").get_running_loop()
        pairs = list(pairs)
        loop.call_later(0.3, lambda: derive(self, pairs, commit, sync=sync))
        return True

    patch.setattr(Spine, "derive", apart)


def what_a_history_has_not_got_is_forgotten(patch: Patch) -> None:
    """The journal is trimmed whoever still needs it."""

    async def greedy(self: JournalWatch) -> None:
        self._snapshot.save()
        await self._spine.engine.trim(self._spine.engine.state().synced - 5)

    patch.setattr(JournalWatch, "_keep_house", greedy)


def a_reader_counts_as_done_before_it_has_answered(patch: Patch) -> None:
    """What was sent to a history counts as kept."""
    patch.setattr(Reader, "_acknowledged", lambda self, position, until, **more: until)


def a_source_that_is_away_is_given_up(patch: Patch) -> None:
    """A budget of retries."""
    unanswered = Supervisor._unanswered

    def tired(self: Supervisor, text: str) -> float:
        tries = self.__dict__["tries"] = self.__dict__.get("tries", 0) + 1
        return unanswered(self, text) if tries <= BUDGET else 1e6

    patch.setattr(Supervisor, "_unanswered", tired)


def a_failed_sync_is_tried_again_on_the_same_file(patch: Patch) -> None:
    met = Trouble.met
    patch.setattr(Trouble, "met", lambda self, error, text, renew: met(self, error, text, False))


def a_program_forgets_what_it_has_sent(patch: Patch) -> None:
    """Not what is on the kernel's disk."""
    publication = Kept.publication

    def forgetful(self: Kept, encoded: bytes) -> Any:
        made = publication(self, encoded)
        self._publications.clear()
        return made

    patch.setattr(Kept, "publication", forgetful)


def credit_without_end(patch: Patch) -> None:
    """A source may send ever more before anything of it is on disk."""
    grant = Window.grant
    patch.setattr(Window, "grant", lambda self, credit: grant(self, 2 * credit))


def a_position_is_given_out_twice(patch: Patch) -> None:
    """The start forgets the newest one when the file is empty."""
    patch.setattr(EmbeddedEngine, "advance", lambda self, position: None)
    start = EmbeddedEngine._start

    def low(self: EmbeddedEngine, standing: Any) -> None:
        start(self, standing)
        self._numbering.last = max(0, self._numbering.last - 3)

    patch.setattr(EmbeddedEngine, "_start", low)


BUGS: tuple[Callable[[Patch], None], ...] = (
    acknowledged_before_the_sync,
    synced_before_it_is_written,
    order_within_a_message_is_lost,
    what_comes_again_is_taken_again,
    a_loss_is_not_declared,
    a_sink_is_not_told_what_it_lost,
    the_cursor_goes_to_disk_before_the_results,
    what_a_history_has_not_got_is_forgotten,
    a_reader_counts_as_done_before_it_has_answered,
    a_source_that_is_away_is_given_up,
    a_failed_sync_is_tried_again_on_the_same_file,
    a_program_forgets_what_it_has_sent,
    credit_without_end,
    a_position_is_given_out_twice,
)
