"""A test of the test (R2): each rule of what Bedplate writes to disk is broken once, and this must notice."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.crash_states.enumeration import Count, Wrong, enumerate_states
from tests.crash_states.mounted import Mount, mounted
from tests.crash_states.stores import STORES

from bedplate.audit import log as audit_log
from bedplate.audit import opening
from bedplate.audit.log import ChainLog
from bedplate.audit.tail import tail_of
from bedplate.gate import token
from bedplate.journal import newest, rescue
from bedplate.planning import store

SEEDS = 10
Patch = pytest.MonkeyPatch


def no_fsync_before_the_acknowledgement(patch: Patch) -> None:
    patch.setattr(os, "fsync", lambda descriptor: None)


def no_fsync_of_the_folder_of_the_audit_log(patch: Patch) -> None:
    patch.setattr(audit_log, "make_folder", lambda folder, mode: folder.mkdir(mode, exist_ok=True))
    patch.setattr(audit_log, "sync_folder", lambda folder: None)


def no_fsync_of_the_folder_of_the_token(patch: Patch) -> None:
    patch.setattr(token, "sync_folder", lambda folder: None)


def a_torn_line_is_written_on(patch: Patch) -> None:
    """The log does not look whether its last line is whole."""
    patch.setattr(opening, "tail_of", lambda *given: replace(tail_of(*given), rest=b""))


def a_file_is_put_in_its_place_before_it_is_synced(patch: Patch) -> None:
    def write(file: Path, content: bytes) -> Path:
        beside = file.with_name(f".{file.name}.part")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as stream:
            stream.write(content)
        return beside

    patch.setattr(token, "write_private", write)


def no_checksum(patch: Patch) -> None:
    patch.setattr(newest, "zlib", _Same)


class _Same:
    """A checksum that is always right."""

    @staticmethod
    def crc32(content: bytes) -> Any:
        return _Right(zlib.crc32(content))


class _Right(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


def a_deployment_is_written_where_it_stays(patch: Patch) -> None:
    """Not under another name first."""
    patch.setattr(
        store.DeploymentStore, "_place", lambda self, number: self.folder / f".new-{number}"
    )

    def numbers(self: store.DeploymentStore) -> list[int]:
        names = os.listdir(self.folder) if self.folder.exists() else []
        return sorted((int(n[5:]) for n in names if n.startswith(".new-")), reverse=True)

    patch.setattr(store.DeploymentStore, "numbers", numbers)
    patch.setattr(store.DeploymentStore, "_prune", lambda self: None)
    patch.setattr(
        Path, "rename", lambda self, target: None if self == target else os.rename(self, target)
    )


def the_old_log_is_left_beside_the_new_file(patch: Patch) -> None:
    def swap(path: Path, name: str) -> Path:
        path.rename(path.with_name("aside"))
        path.with_name(f"{path.name}.new").rename(path)
        rescue.settle(path.parent)
        return path

    patch.setattr(rescue, "_swap", swap)


def lines_are_tried_again_without_being_taken_back(patch: Patch) -> None:
    def append(self: ChainLog, records: Any, whole: Any = ChainLog.append) -> None:
        whole(self, records)
        whole(self, records)

    patch.setattr(ChainLog, "append", append)


BUGS = (
    no_fsync_before_the_acknowledgement,
    no_fsync_of_the_folder_of_the_audit_log,
    no_fsync_of_the_folder_of_the_token,
    a_torn_line_is_written_on,
    a_file_is_put_in_its_place_before_it_is_synced,
    no_checksum,
    a_deployment_is_written_where_it_stays,
    the_old_log_is_left_beside_the_new_file,
    lines_are_tried_again_without_being_taken_back,
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_broken_rule_is_found(bug: Callable[[Patch], None], monkeypatch: Patch) -> None:
    count = Count()
    with mounted() as mount, monkeypatch.context() as patch:
        bug(patch)
        with pytest.raises(Wrong) as found:
            enumerate_all(mount, count)
    print(f"found after {count.states:,} states: {found.value}")


def enumerate_all(mount: Mount, count: Count) -> None:
    for seed in range(SEEDS):
        for kind in STORES:
            enumerate_states(kind(), seed, mount, count)
