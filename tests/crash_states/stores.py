"""What Bedplate writes to files itself: for each, what it does, what is found after a power cut, and whether it may be.

SQLite and Parquet hold the bytes of the journal and of the history; what is ours there is how files change their names.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.crash_states.folders import ROOT, Folders

from bedplate.admission.permissions import Permissions
from bedplate.admission.trust import Grant, TrustFile
from bedplate.audit.chain import link
from bedplate.audit.entry import Entry, Stamps
from bedplate.audit.files import files_of, whole_lines
from bedplate.audit.key_file import KeyFile
from bedplate.audit.log import ChainLog
from bedplate.audit.verification_key import read_keys
from bedplate.audit.verify import verify
from bedplate.gate.token import local_token
from bedplate.journal import rescue
from bedplate.journal.newest import Newest
from bedplate.planning.store import Applied, DeploymentStore, digest
from bedplate.private import write_private

AT, STARTED = Path(ROOT), '"started"'


@dataclass
class Story:
    """acked: what somebody was told is on disk, in order · tried: all that was begun."""

    acked: list[Any]
    tried: list[Any]


class Store:
    """One kind. Its folder is empty at first, and its parent on disk."""

    name = ""
    fewer = 1  # of how many seeds one is done, for what has many states of its own

    def work(self, dice: Random, folders: Folders) -> list[Any]:
        """Does its work; acknowledges as it goes. Returns all that was begun."""
        raise NotImplementedError

    def recover(self) -> Any:
        """Starts again, and says what it finds."""
        raise NotImplementedError

    def judge(self, found: Any, story: Story) -> str:
        """What is wrong with that; empty when nothing is."""
        raise NotImplementedError


class Audit(Store):
    """Lines of the audit log, through rotations and restarts."""

    name = "audit log"
    fewer = 12

    def __init__(self) -> None:
        self._keys = Random(1)

    def work(self, dice: Random, folders: Folders) -> list[Any]:
        log, tried = self._log(0, dice), []
        for number in range(dice.randint(3, 4)):
            text = json.dumps({"n": number, "text": "x" * dice.choice([5, 60, 700])})
            tried.append(text)
            log.append([self._record(log, text)])
            folders.acknowledge(text)
            if dice.random() < 0.2:
                log.close()
                log = self._log(number, dice)
        log.close()
        return tried

    def _log(self, after: int, dice: Random) -> ChainLog:
        clock = _Ticking(after * 10**9)
        return ChainLog(AT / "audit", Stamps(clock), rotate_bytes=1800, random=dice.randbytes)

    def _record(self, log: ChainLog, text: str) -> dict[str, Any]:
        return Stamps(_Ticking(0)).record(Entry("n", "noted", text=text))

    def recover(self) -> list[str]:
        log = self._log(5000, self._keys)
        log.append([self._record(log, STARTED)])
        log.close()
        folder = AT / "audit"
        stands, keys = KeyFile(folder).load(), read_keys(folder / "verification.key")
        report = verify(folder, keys=keys, stands=stands)
        wrong = [str(report.problem)] if report.problem else []
        lines = (line for path in files_of(folder) for _, line in whole_lines(path))
        found = [one.fields() for line in lines if (one := link(line)) and one.sound]
        return [*wrong, *(one["text"] for one in found if one["action"] == "n")]

    def judge(self, found: list[str], story: Story) -> str:
        if found[-1:] != [STARTED]:
            return "the first line after the start can't be read"
        found = [line for line in found if line != STARTED]
        if missing := [line for line in story.acked if line not in found]:
            return f"{len(missing)} lines that were on disk are gone: {missing[0][:30]}"
        if found != [line for line in story.tried if line in found]:
            return f"it does not verify, or lines are there twice or out of order: {found[0]}"
        return ""


class _Ticking:
    """A clock that goes on by a second each time."""

    def __init__(self, at: int) -> None:
        self._at = at

    def time_ns(self) -> int:
        self._at += 10**9
        return self._at

    def monotonic(self) -> float:
        return 0.0


class Token(Store):
    """The local token."""

    name = "local token"

    def work(self, dice: Random, folders: Folders) -> list[Any]:
        token = local_token(AT / "home")
        folders.acknowledge(token)
        return [token]

    def recover(self) -> str:
        return local_token(AT / "home")

    def judge(self, found: str, story: Story) -> str:
        return "another token" if story.acked and found != story.acked[-1] else ""


class Trust(Store):
    """Which plugins are trusted: granted and taken back."""

    name = "trust file"

    def work(self, dice: Random, folders: Folders) -> list[Any]:
        file, known, tried = TrustFile(AT / "home"), set[str](), [frozenset()]
        for number in range(6):
            name = f"plugin-{dice.randint(1, 3)}"
            if name in known:
                known.discard(name)
                tried.append(frozenset(known))
                file.remove(name)
            else:
                known.add(name)
                tried.append(frozenset(known))
                grant = Grant(name, "1", f"{number:064x}", Permissions())
                file.add(grant, {"a.py": "0" * 64})
            folders.acknowledge(frozenset(known))
        return tried

    def recover(self) -> frozenset[str]:
        return frozenset(grant.name for grant in TrustFile(AT / "home").grants())

    def judge(self, found: frozenset[str], story: Story) -> str:
        done = len(story.acked)
        may = story.tried[done : done + 2]
        return "" if found in may else f"{sorted(found)} is trusted, not {sorted(may[0])}"


class Deployments(Store):
    """Deployments that were applied."""

    name = "applied deployments"

    def work(self, dice: Random, folders: Folders) -> list[Any]:
        store, tried = DeploymentStore(AT / "deployments"), []
        for number in range(1, 5):
            store.begin({"to": number})
            folders.acknowledge(("begun", number))
            applied = _applied(number, dice)
            tried.append(applied)
            store.keep(applied)
            folders.acknowledge(("kept", number, applied.sha256))
            store.end()
            folders.acknowledge(("ended", number))
        return tried

    def recover(self) -> Any:
        store = DeploymentStore(AT / "deployments")
        found = {one.number: one.sha256 for one in store.all()}
        return found, store.cut_off(), list(store.broken)

    def judge(self, found: Any, story: Story) -> str:
        there, cut_off, broken = found
        if broken:
            return f"a number that is there is not whole: {broken[0]}"
        kept = {
            number: sha for what, number, *rest in story.acked if what == "kept" for sha in rest
        }
        if lost := [n for n, sha in kept.items() if there.get(n) != sha]:
            return f"deployment {lost[0]} was kept, and is not there"
        if len(there) > len(kept) + 1:
            return "more than was applied"
        if story.acked and story.acked[-1][0] in ("begun", "kept") and not cut_off:
            last = story.acked[-1]
            return "" if last[0] == "kept" else f"{last[1]} was being applied, and nobody knows"
        return ""


def _applied(number: int, dice: Random) -> Applied:
    content = dice.randbytes(dice.choice([30, 600, 2000]))
    tables = {"rows.csv": dice.randbytes(100)} if number % 2 else {}
    sha = digest(content, tables)
    return Applied(number, number, "somebody", sha, "plant.yaml", content, tables)


class NewestPosition(Store):
    """The journal's newest position: never too high."""

    name = "newest position"

    def work(self, dice: Random, folders: Folders) -> list[Any]:
        (AT / "journal").mkdir()
        newest, tried, position = Newest(AT / "journal"), [0], 0
        newest.open()
        for _ in range(20):
            position += dice.choice([1, 300, 70_000])
            tried.append(position)
            newest.note(position)
        newest.close()
        return tried

    def recover(self) -> int:
        newest = Newest(AT / "journal")
        (AT / "journal").mkdir(exist_ok=True)
        found = newest.open()
        newest.close()
        return found

    def judge(self, found: int, story: Story) -> str:
        return "" if found in story.tried else f"{found} was never noted"


class Swap(Store):
    """A new journal file in the place of a broken one: the names only, SQLite fills the files."""

    name = "change of the journal's file"

    def work(self, dice: Random, folders: Folders) -> list[Any]:
        folder = AT / "journal"
        folder.mkdir()
        path = folder / "journal.sqlite3"
        for end, content in (("", b"old"), ("-wal", b"old log"), (".part", b"new")):
            os.replace(write_private(folder / "x", content), f"{path}{end}")
        rescue.settle(folder)
        folders.acknowledge("old")
        Path(f"{path}.part").rename(f"{path}.new")
        rescue.settle(folder)
        rescue._swap(path, "1")
        folders.acknowledge("new")
        return ["old", "new"]

    def recover(self) -> dict[str, bytes]:
        folder = AT / "journal"
        if not folder.exists():
            return {}
        rescue.finish(folder / "journal.sqlite3", "2")
        return {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}

    def judge(self, found: dict[str, bytes], story: Story) -> str:
        if not story.acked:
            return ""
        main, log = found.get("journal.sqlite3"), found.get("journal.sqlite3-wal")
        if main not in (b"old", b"new"):
            return "there is no journal"
        if (main == b"new") is (log is not None):
            return "the log beside the journal is another one's"
        if "new" in story.acked and main != b"new":
            return "the old file is back"
        return "" if b"old" in found.values() else "what was broken is gone"


STORES: tuple[type[Store], ...] = (Token, Trust, Deployments, NewestPosition, Swap, Audit)
