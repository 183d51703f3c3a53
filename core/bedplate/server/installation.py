"""The deployments of one installation: the one that runs, with its number, and those that were applied before.

Owns what is kept of them; changes nothing that runs. A store that can't be written stops nobody: what runs has number 0
then, and `status` says why.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bedplate.admission.candidate import Admission
from bedplate.admission.reading import Written
from bedplate.config import Deployment
from bedplate.config.loading import journal_folder
from bedplate.config.table import table_reader
from bedplate.endpoints import home
from bedplate.errors import BedplateError
from bedplate.planning.moves import Moves, restored
from bedplate.planning.plan import Plan
from bedplate.planning.planner import plan
from bedplate.planning.standing import Figures, Standing
from bedplate.planning.store import (
    Applied,
    DeploymentStore,
    Installations,
    StoreError,
    digest,
    store_folder,
)
from bedplate.runtime.offer import Offer
from bedplate.runtime.secret_book import SecretBook
from bedplate.server.surroundings import surroundings

BY_RUN = "run"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A deployment that could be applied. back_to: the number it had; 0: none."""

    deployment: Deployment
    admission: Admission
    written: Written
    standing: Standing
    back_to: int = 0

    @property
    def offers(self) -> Mapping[str, Offer]:
        return self.admission.offers


class Installation:
    """running: what runs, number 0 when it is not kept · moves: all of it and of those before · notices: of its start ·
    problem: why it is not kept."""

    def __init__(
        self,
        deployment: Deployment,
        offers: Mapping[str, Offer],
        written: Written,
        now: Callable[[], int] = time.time_ns,
        book: SecretBook | None = None,
    ) -> None:
        self.file = Path(deployment.source.file).absolute()
        self.store = DeploymentStore(store_folder(deployment.folder(deployment.journal.folder)))
        self.written = written
        self._deployment, self._offers, self._now = deployment, offers, now
        self._book = book
        self._differs = _Differing(self.file)
        sha = deployment.source.sha256
        self.running = Applied(0, now(), BY_RUN, sha, str(self.file), *_parts(written))
        self.standing: Standing | None = None
        self.notices: list[str] = []
        self.problem = ""

    @property
    def moves(self) -> Moves:
        return self.running.moves

    def begin(self) -> None:
        """The deployment runs: finds or gives it its number. Blocking. Never fails."""
        newest = self.store.newest()
        self._tell_cut_off(newest)
        self.store.end()
        self.problem = ""
        if newest and newest.sha256 == self.running.sha256:
            self.running = newest
        else:
            before = newest.moves if newest else Moves()
            pairs = [move for move in self._deployment.moved if move not in before.pairs]
            self.running = replace(
                self.running, moves=before.with_more(pairs, self.running.applied)
            )
            try:
                self.running = self.store.keep(self.running)
            except StoreError as error:
                self.problem = f"{error}; after the next start it may not be this one that runs"
        self.notices += self.store.broken
        with contextlib.suppress(BedplateError):
            Installations(home()).remember(self.file, self.store.folder)

    def look_around(self) -> None:
        """What the deployment that runs depends on, as it is now. Blocking."""
        self.standing = surroundings(self._deployment, self._offers, self._book)

    def _tell_cut_off(self, newest: Applied | None) -> None:
        words = self.store.cut_off()
        if words is not None:
            runs = f"deployment {newest.number}" if newest else "the file"
            by = f" by {words['by']}" if words.get("by") else ""
            when = local(int(words["began"])) if isinstance(words.get("began"), int) else "then"
            text = f"Bedplate ended while something was being applied{by}, {when}"
            self.notices.append(f"{text}; {runs} runs, as before; apply it again")

    def look(self, deployment: Deployment, offers: Mapping[str, Offer]) -> Standing:
        """What a deployment depends on, comparable with what runs. Blocking."""
        return surroundings(deployment, offers, self._book)

    def plan(self, candidate: Candidate, figures: Figures) -> Plan:
        """What applying it would do. What is gone back to moves nothing."""
        known = {*self.moves.pairs, *(candidate.deployment.moved if candidate.back_to else ())}
        against = self.running.number
        return plan(
            self._running_now(), candidate.standing, against=against, figures=figures, moved=known
        )

    def _running_now(self) -> Standing | None:
        """With the secrets that sessions have, which may have changed since one looked around."""
        if self.standing is None or self._book is None:
            return self.standing
        return replace(self.standing, secrets={**self.standing.secrets, **self._book.in_use()})

    def same(self, candidate: Candidate) -> bool:
        """Whether it is, byte by byte, what runs."""
        return digest(*_parts(candidate.written)) == self.running.sha256

    def keep(self, candidate: Candidate, by: str, pairs: tuple[tuple[str, str], ...]) -> Applied:
        """The candidate is what boots from now on. Blocking. Raises StoreError."""
        at = self._now()
        moves = self.moves.with_more(pairs, at)
        if candidate.back_to:
            moves = self._moves_of(candidate.back_to)
        parts = _parts(candidate.written)
        sha, file = digest(*parts), str(self.file)
        kept = self.store.keep(Applied(0, at, by, sha, file, *parts, candidate.back_to, moves))
        self.running, self.written = kept, candidate.written
        self._deployment, self._offers = candidate.deployment, candidate.offers
        self.standing, self.problem = candidate.standing, ""
        return kept

    def _moves_of(self, number: int) -> Moves:
        found = self.store.load(number)
        return restored(found.moves.all, found.applied)

    def differs(self) -> str:
        """How the file now differs from what runs, in words; empty: it does not."""
        return self._differs.words(self.written)


def _parts(written: Written) -> tuple[bytes, Mapping[str, bytes]]:
    return written.content, written.tables


class _Differing:
    """Compares the file and its tables with what runs; reads again only what was touched."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: dict[str, tuple[object, object, str]] = {}

    def words(self, written: Written) -> str:
        read_table = table_reader(self._file.parent)
        told = [self._one(self._file, written.content, self._file.read_bytes)]
        told += [
            self._one(self._file.parent / name, content, partial(read_table, name))
            for name, content in written.tables.items()
        ]
        return "; ".join(filter(None, told))

    def _one(self, path: Path, content: bytes, read: Callable[[], bytes]) -> str:
        try:
            state = path.stat()
            mark = (state.st_ino, state.st_size, state.st_mtime_ns)
            known = self._seen.get(str(path))
            if known and known[0] == mark and known[1] is content:
                return known[2]
            changed = f"{path.name} was changed {local(state.st_mtime_ns)} and is not applied"
            text = "" if read() == content else changed
        except OSError as error:
            return f"{path.name} can't be read: {error.strerror or error}"
        self._seen[str(path)] = mark, content, text
        return text


def local(ns: int) -> str:
    """A moment for people, in the machine's zone."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(ns / 1e9))


def last_applied(file: Path) -> Applied | None:
    """What was applied last from this file, whatever it says now. Raises StoreError when all that is kept is broken."""
    store = store_of(file)
    newest = store.newest()
    if newest is None and store.broken:
        raise StoreError(f"{store.broken[0]}; bedplate run {file} takes the file instead")
    return newest


def store_of(file: Path) -> DeploymentStore:
    """Where the deployments of a file are kept: as it was when one was last run or applied, or beside the journal that
    it names."""
    found = Installations(home()).find(file.absolute())
    return DeploymentStore(found or store_folder(file.absolute().parent / journal_folder(file)))
