"""Backups of a Bedplate that runs: what is in them, who can open them, what continues from them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from tests.audit.rig import judge, write
from tests.faults.running import RIGS, Running, until

from bedplate.backup import databases
from bedplate.backup.returning import restore, verify
from bedplate.backup.sealed import BackupError
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Entry
from bedplate.model import Body
from bedplate.testing import FakeClock

BEDPLATE = Path(sys.executable).with_name("bedplate")
WRITER = """
import sqlite3
db = sqlite3.connect("FILE", isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.executescript("CREATE TABLE a (n); CREATE TABLE b (n)")
for n in range(10**9):
    db.executescript(f"BEGIN; INSERT INTO a VALUES ({n}); INSERT INTO b VALUES ({n}); COMMIT")
"""
WORD = "correct horse battery staple"


def backup(home: Path, *words: str, word: str = WORD) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "BEDPLATE_HOME": str(home),
        "BEDPLATE_BACKUP_PASSPHRASE": word,
    }
    return subprocess.run(
        [str(BEDPLATE), "backup", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )


def good(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that does not run: a folder with a deployment file, a table, secrets, a journal, a home."""
    tmp_path = tmp_path_factory.mktemp("small")
    plant = tmp_path / "plant"
    (plant / "secrets").mkdir(parents=True)
    (plant / "secrets" / "press").write_text("hunter22hunter22")
    (plant / "presses.csv").write_text("name,host\npress-1,127.0.0.1\n")
    (plant / "plant.yaml").write_text(
        """
bedplate: 1
name: small
types:
  press:
    parameters: {host: required}
    use: opcua
    endpoint_url: opc.tcp://$host:4840
    username: bedplate
    password: {secret: "file:secrets/press"}
    tags: {a: {address: "ns=1;s=a"}}
connectors:
  presses: {type: press, each: presses.csv}
journal: {folder: data/journal}
"""
    )
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "token").write_text("0" * 64)
    (home / "token").chmod(0o600)
    (home / "plugins").mkdir()
    (home / "plugins" / "current").symlink_to("/etc")
    pki = plant / "data" / "pki"
    pki.mkdir(parents=True)
    (pki / "key.pem").write_text("a private key")
    asyncio.run(_filled(plant / "data" / "journal"))
    write(plant / "data" / "audit")
    return plant


async def _filled(folder: Path, records: int = 5) -> None:
    engine = EmbeddedEngine(folder, clock=FakeClock())
    await engine.open()
    engine.append([Entry("s/live", Body.BATCH, b"x" * 20, 1) for _ in range(records)])
    await engine.close()


@pytest.fixture(scope="module")
def target(small: Path) -> Path:
    """Its backup. To stretch a passphrase takes a second or more each time: that is its purpose."""
    target = small.parent / "one.backup"
    good(backup(small.parent / "home", "create", str(small / "plant.yaml"), str(target), "--json"))
    return target


@pytest.fixture(autouse=True)
def _home(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(small.parent / "home"))


def test_everything_of_an_installation_is_in_it_and_comes_back(small: Path, target: Path) -> None:
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    for secret in (b"hunter22", b"a private key", b"press-1", b"0" * 64):
        assert secret not in target.read_bytes()
    verified = good(backup(small.parent / "home", "verify", str(target), "--json"))
    assert verified["deployment"] == "small"
    to = small.parent / "whole"
    told = good(backup(small.parent / "home", "restore", str(target), str(to), "--json"))
    for name in ("plant.yaml", "presses.csv", "secrets/press", "data/pki/key.pem"):
        assert (to / name).read_bytes() == (small / name).read_bytes()
    assert (to / "home" / "token").read_text() == "0" * 64
    assert stat.S_IMODE((to / "home" / "token").stat().st_mode) == 0o600
    assert (to / "home" / "plugins" / "current").readlink() == Path("/etc")  # kept, never followed
    assert told["places"][str(small / "plant.yaml")] == str(to / "plant.yaml")
    assert not list(small.parent.glob(".*")) + list((small / "data").glob(".*"))
    audit = to / "data" / "audit"
    assert judge(audit).whole
    assert (audit / "audit.key").read_bytes() == (
        small / "data" / "audit" / "audit.key"
    ).read_bytes()
    write(audit, 1)
    assert "restored from the backup one.backup of " in judge(audit).notes[0]
    (noted,) = (small / "data" / "audit").glob("note-*.json")
    assert json.loads(noted.read_text())["action"] == "backup.create"


def test_nobody_needs_us_to_open_it(target: Path, tmp_path: Path) -> None:
    """With the program `age` and tar alone, as docs/how-to/backup.md says; here with age's library."""
    import pyrage

    with tarfile.open(target) as outer:
        key, content = (outer.extractfile(name) for name in ("key.age", "content.age"))
        assert key
        assert content
        identity = pyrage.passphrase.decrypt(key.read(), WORD).decode()
        plain = pyrage.decrypt(content.read(), [pyrage.x25519.Identity.from_str(identity)])
    (tmp_path / "plain.tar").write_bytes(plain)
    with tarfile.open(tmp_path / "plain.tar") as inner:
        names = inner.getnames()
    assert names[-1] == "manifest.json"
    assert "roots/0/plant.yaml" in names


@pytest.mark.parametrize("damage", ["bit", "cut", "word", "other"])
def test_what_is_damaged_or_locked_is_told_and_nothing_is_put_back(
    target: Path, tmp_path: Path, damage: str
) -> None:
    word, content = WORD, bytearray(target.read_bytes())
    if damage == "bit":
        content[len(content) // 2] ^= 4
    elif damage == "cut":
        content = content[: len(content) - 5000]
    elif damage == "other":
        content = bytearray(b"no backup at all" * 100)
    else:
        word = "wrong"
    copy, to = tmp_path / "copy.backup", tmp_path / "back"
    copy.write_bytes(content)
    with pytest.raises(BackupError):
        restore(copy, word, to, overwrite=False, clock=time.time_ns)
    assert [one.name for one in tmp_path.iterdir()] == ["copy.backup"]


def test_it_replaces_nothing_without_a_word_and_deletes_nothing_with_one(
    small: Path, target: Path
) -> None:
    home = small.parent / "home"
    again = backup(home, "create", str(small / "plant.yaml"), str(target))
    assert (again.returncode, "there already" in again.stderr) == (2, True)
    to = small.parent / "back"
    to.mkdir()
    (to / "mine").write_text("mine")
    refused = backup(home, "restore", str(target), str(to))
    assert (refused.returncode, "not empty" in refused.stderr) == (2, True)
    told = good(backup(home, "restore", str(target), str(to), "--overwrite", "--json"))
    [aside] = told["aside"]
    assert (Path(aside) / "mine").read_text() == "mine"
    assert (to / "plant.yaml").exists()


def test_in_place_puts_each_part_where_it_was(small: Path, target: Path) -> None:
    home = small.parent / "home"
    refused = backup(home, "restore", str(target), "--in-place")
    assert (refused.returncode, "there already" in refused.stderr) == (2, True)
    kept = (small / "plant.yaml").read_bytes()
    shutil.rmtree(small)
    shutil.rmtree(home)
    told = good(backup(home, "restore", str(target), "--in-place", "--json"))
    assert (small / "plant.yaml").read_bytes() == kept
    assert (small / "secrets" / "press").exists()
    assert (home / "token").exists()
    assert not list(small.glob("*.before-*"))
    assert all(was == now for was, now in told["places"].items())


def test_an_open_passphrase_file_and_a_short_word_are_refused(small: Path) -> None:
    word = small.parent / "word"
    word.write_text("short\n")
    home, words = small.parent / "home", ("create", str(small / "plant.yaml"), "x.backup")
    word.chmod(0o644)
    assert "open to others" in backup(home, *words, "--passphrase-file", str(word)).stderr
    word.chmod(0o600)
    assert "shorter than" in backup(home, *words, "--passphrase-file", str(word)).stderr


def test_where_nobody_can_be_asked_for_the_passphrase_it_says_where_to_put_it(small: Path) -> None:
    home, words = small.parent / "home", ("create", str(small / "plant.yaml"), "x.backup")
    done = backup(home, *words, word="")
    assert done.returncode == 2
    assert "--passphrase-file" in done.stderr
    assert "echo" not in done.stderr


def test_killed_in_the_middle_it_leaves_no_half_file_and_the_next_one_tidies_up(
    small: Path,
) -> None:
    """A large file of the plugin's own makes it take a while; it is killed at four moments of that."""
    (small / "data" / "pki" / "large").write_bytes(os.urandom(1 << 20) * 150)
    target = small.parent / "killed.backup"
    environment = os.environ | {"BEDPLATE_BACKUP_PASSPHRASE": WORD}
    left = 0
    for number in range(4):
        process = subprocess.Popen(
            [str(BEDPLATE), "backup", "create", str(small / "plant.yaml"), str(target)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not list(small.parent.glob(".part-*")) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(0.06 * number)
        process.send_signal(signal.SIGKILL)
        process.wait()
        left += bool(list(small.parent.glob(".part-*")))
        if target.exists():  # it was faster
            verify(target, WORD)
            target.unlink()
    assert left
    good(backup(small.parent / "home", "create", str(small / "plant.yaml"), str(target), "--json"))
    verify(target, WORD)
    assert not [*small.parent.glob(".part-*"), *(small / "data").glob(".backup-*")]


@pytest.mark.timeout(120)
async def test_taken_while_it_runs_it_continues_with_all_that_was_confirmed_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that pushes without end, a history that seals every second, a backup meanwhile, restored and started:
    what was confirmed when it began is in its history, once, and its device goes on there."""
    (tmp_path / "one").mkdir()
    running = Running(tmp_path / "one")
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "one" / "home"))
    await running.start()
    target, home = tmp_path / "live.backup", tmp_path / "one" / "home"
    try:
        await until(lambda: len(running.confirmed()) > 1500)
        confirmed = running.confirmed()
        words = ["create", str(running.file), str(target), "--with-history", "--json"]
        good(await asyncio.to_thread(backup, home, *words, "--plugin", str(RIGS)))
        count = len(running.confirmed())
        await until(lambda: len(running.confirmed()) > count)  # it goes on meanwhile
    finally:
        await running.kill()
    await _continues(tmp_path / "copy", target, confirmed)


async def _continues(folder: Path, target: Path, confirmed: set[int]) -> None:
    restore(target, WORD, folder, overwrite=False, clock=time.time_ns)
    assert (folder / "plant.yaml").exists()
    (folder / "sent").write_text((folder.parent / "one" / "sent").read_text())  # the same device
    copy = Running(folder)  # with its own folder in the deployment file
    await copy.start()
    try:
        stored: list[int] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while not confirmed <= set(stored):
                    stored = await copy.stored()
                    await asyncio.sleep(0.1)
        assert not confirmed - set(stored), "".join(copy.lines)
        assert len(stored) == len(set(stored))
    finally:
        await copy.kill()


async def test_copies_and_their_original_never_give_a_record_the_same_name(tmp_path: Path) -> None:
    """R19: twenty copies, restored and continued beside what they were copied from, on clocks that all stand still."""
    clock, dice = FakeClock(), random.Random(19)
    names: set[tuple[int, str, int]] = set()

    async def work(folder: Path) -> int:
        engine = EmbeddedEngine(folder, clock=clock)
        await engine.open()
        fresh = engine.append([Entry("s/live", Body.BATCH, b"x", 1) for _ in range(20)])
        await engine.close()
        told = {(r.epoch, r.stream, r.seq) for r in fresh}
        assert not told & names, "a name was given twice"
        names.update(told)
        return len(told)

    original = tmp_path / "original"
    await work(original)
    count = 20
    for number in range(20):
        copy = tmp_path / f"copy-{number}"
        copy.mkdir()
        databases.copy(original / "journal.sqlite3", copy / "journal.sqlite3")
        databases.new_epoch(copy / "journal.sqlite3", clock.time_ns(), dice.getrandbits(40))
        count += await work(original) + await work(copy) + await work(copy)
    assert len(names) == count


def test_a_copy_of_a_database_that_is_written_is_one_moment_of_it(tmp_path: Path) -> None:
    """Two tables that a writer always changes together; it never waits for a copy."""
    file = tmp_path / "db"
    script = WRITER.replace("FILE", str(file))
    with subprocess.Popen([sys.executable, "-c", script]) as writer:
        try:
            deadline = time.monotonic() + 60
            while not _rows(file) and time.monotonic() < deadline:
                time.sleep(0.02)
            for number in range(20):
                copy = tmp_path / f"copy-{number}"
                databases.copy(file, copy)
                with contextlib.closing(sqlite3.connect(copy)) as db:
                    a, b = (db.execute(f"SELECT max(n) FROM {t}").fetchone()[0] for t in "ab")
                assert a == b
                assert databases.problem(copy) == ""
        finally:
            writer.kill()


def _rows(file: Path) -> int:
    try:
        with contextlib.closing(sqlite3.connect(file)) as db:
            return int(db.execute("SELECT count(*) FROM b").fetchone()[0])
    except sqlite3.Error:
        return 0
