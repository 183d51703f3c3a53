"""Deployments that were applied, on disk, through crashes and damage."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate.planning.moves import Moves
from bedplate.planning.store import (
    KEPT,
    Applied,
    DeploymentStore,
    Installations,
    StoreError,
    digest,
    store_folder,
)


def applied(text: str = "name: a\n", **more: object) -> Applied:
    content, tables = text.encode(), {"presses.csv": b"name\npress-1\n"}
    one = Applied(0, 5, "operator-1", digest(content, tables), "plant.yaml", content, tables)
    return replace(one, **more)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> DeploymentStore:
    return DeploymentStore(tmp_path / "deployments")


def test_what_is_kept_is_read_back_as_it_was(store: DeploymentStore) -> None:
    moves = Moves().with_more([("hall/press-1", "yard/press-1")], 7)
    kept = store.keep(applied(moves=moves, back_to=3))
    found = DeploymentStore(store.folder).newest()

    assert kept.number == 1
    assert found is not None
    assert (found.number, found.by, found.applied, found.back_to) == (1, "operator-1", 5, 3)
    assert (found.content, found.tables) == (kept.content, kept.tables)
    assert found.moves.all == moves.all


def test_numbers_rise_and_the_newest_is_what_boots(store: DeploymentStore) -> None:
    for text in ("a", "b", "a"):
        store.keep(applied(text))

    assert [one.number for one in store.all()] == [3, 2, 1]
    assert store.newest().content == b"a"  # type: ignore[union-attr]


def test_nobody_else_may_read_them(store: DeploymentStore) -> None:
    store.keep(applied())

    modes = {
        stat.S_IMODE(path.stat().st_mode)
        for path in [store.folder, *store.folder.rglob("*")]
        if path.is_dir()
    }
    assert modes == {0o700}
    assert {stat.S_IMODE(p.stat().st_mode) for p in store.folder.rglob("*") if p.is_file()} == {
        0o600
    }


def test_the_last_fifty_are_kept(store: DeploymentStore) -> None:
    for number in range(KEPT + 3):
        store.keep(applied(f"{number}"))

    assert store.numbers() == list(range(KEPT + 3, 3, -1))
    with pytest.raises(StoreError, match="deployment 1 is not kept"):
        store.load(1)


@pytest.mark.parametrize("what", ["meta.json", "deployment.yaml", "table-0.csv"])
@pytest.mark.parametrize("how", ["torn", "flipped", "gone", "garbage"])
def test_one_that_is_damaged_is_told_and_skipped(
    store: DeploymentStore, what: str, how: str
) -> None:
    store.keep(applied("name: a"))
    store.keep(applied("name: b"))
    damage(store.folder / "000002" / what, how)
    again = DeploymentStore(store.folder)

    assert again.newest().number == 1  # type: ignore[union-attr]
    assert len(again.broken) == 1
    assert "deployment 2" in again.broken[0]
    assert again.keep(applied("c")).number == 3, "a number is never given twice"


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    elif how == "torn":
        path.write_bytes(content[: len(content) // 2])
    elif how == "flipped":
        path.write_bytes(content[:-3] + bytes([content[-3] ^ 4]) + content[-2:])
    else:
        path.write_bytes(b"\xff\x00[]")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 10_000))
def test_no_bytes_in_a_meta_file_stop_anybody(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    store = DeploymentStore(tmp_path_factory.mktemp("store"))
    store.keep(applied("a"))
    path = store.folder / "000001" / "meta.json"
    content = path.read_bytes()
    path.write_bytes(content[: at % len(content)] + noise)

    assert store.newest() is None or store.newest().content == b"a"  # type: ignore[union-attr]


def test_what_was_being_written_when_it_ended_is_not_there(store: DeploymentStore) -> None:
    store.keep(applied("a"))
    torn = store.folder / ".new-2"
    torn.mkdir()
    (torn / "deployment.yaml").write_text("b")

    assert DeploymentStore(store.folder).newest().number == 1  # type: ignore[union-attr]
    assert store.keep(applied("c")).number == 2
    assert not torn.exists()


def killed_at(store: DeploymentStore, step: int) -> bool:
    """Keeps one in a process that kills itself before the step-th call that touches the store; whether it did."""
    child = os.fork()
    if child == 0:
        left = [step]

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            if event in ("open", "os.mkdir", "os.rename") and str(store.folder) in str(
                arguments[0]
            ):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        store.keep(applied("new"))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.case("A63")
def test_killed_at_any_step_the_old_or_the_new_one_boots(store: DeploymentStore) -> None:
    """SIGKILL before each call that touches the disk, until one run gets to its end."""
    store.keep(applied("old"))
    seen: set[bytes] = set()
    steps = 0
    while killed_at(store, steps):
        again = DeploymentStore(store.folder)
        found = again.newest()
        assert found is not None
        assert not again.broken
        seen.add(found.content)
        steps += 1
        assert steps < 100
    assert steps > 5
    assert seen == {b"old", b"new"}


@pytest.mark.case("A63")
def test_where_nothing_can_be_written_it_says_so_and_keeps_what_there_was(tmp_path: Path) -> None:
    (tmp_path / "deployments").write_text("in the way")
    store = DeploymentStore(tmp_path / "deployments")

    with pytest.raises(StoreError, match="deployment 1 can't be kept"):
        store.keep(applied())
    with pytest.raises(StoreError, match="can't be written"):
        store.begin({})
    assert store.newest() is None
    store.end()


def test_a_change_that_was_cut_off_is_known_at_the_next_start(store: DeploymentStore) -> None:
    store.begin({"by": "operator-1"})
    again = DeploymentStore(store.folder)

    assert again.cut_off() == {"by": "operator-1"}
    again.end()
    assert again.cut_off() is None


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"by": 1}'])
def test_a_torn_note_of_a_change_is_a_change_that_was_cut_off(
    store: DeploymentStore, content: bytes
) -> None:
    store.begin({})
    (store.folder / "applying.json").write_bytes(content)

    assert store.cut_off() is not None


def test_the_store_lies_beside_the_journal(tmp_path: Path) -> None:
    assert store_folder(tmp_path / "journal") == tmp_path / "deployments"
    assert store_folder(tmp_path / "line2") == tmp_path / "line2-deployments"


def test_the_store_of_a_file_is_found_though_the_file_says_nothing(tmp_path: Path) -> None:
    known = Installations(tmp_path / "home")
    known.remember(Path("/etc/plant.yaml"), tmp_path / "deployments")

    assert (
        Installations(tmp_path / "home").find(Path("/etc/plant.yaml")) == tmp_path / "deployments"
    )
    assert known.find(Path("/etc/other.yaml")) is None


def test_meta_is_json_that_people_can_read(store: DeploymentStore) -> None:
    store.keep(applied())
    meta = json.loads((store.folder / "000001" / "meta.json").read_text())

    assert (meta["number"], meta["by"]) == (1, "operator-1")
    assert meta["sha256"] == applied().sha256
