"""The machine below: as whom it runs, what a crash would leave on disk, its clock, its disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bedplate.cli.controls.scene import Proof, Scene, held, told, weak
from bedplate.journal.quota import FLOOR_MOST, FLOOR_SHARE, disk_free


def user(scene: Scene) -> Iterator[Proof]:
    tried = "user of its kernel" if scene.running else "user who asks"
    if scene.uid == 0:
        do = "bedplate service install, or start it as a user without rights"
        came = "root: a hole in the kernel would be one in the machine"
        yield weak("root", tried, came, do)
    else:
        yield held("root", tried, f"uid {scene.uid}")


def dumps(scene: Scene) -> Iterator[Proof]:
    if scene.running is None:
        yield told("core-dump", "core limit of its kernel", "not tried: it does not run here")
        return
    try:
        limit = scene.core_limit(scene.running.pid)
    except OSError as error:
        yield told("core-dump", "core limit of its kernel", f"not tried: {error.strerror}")
        return
    if limit:
        do = "start it by bedplate run, or LimitCORE=0"
        yield weak("core-dump", "core limit of its kernel", "a dump would hold every secret", do)
    else:
        yield held("core-dump", "core limit of its kernel", "0: a crash leaves no memory on disk")


def clock(scene: Scene) -> Iterator[Proof]:
    found = scene.discipline()
    tried = "adjtimex"
    if found == "unsynced":
        do = "apt install chrony, with a server of the plant"
        yield weak("clock", tried, "nothing keeps this clock in time", do)
    elif found == "synced":
        yield held("clock", tried, "kept in time")
    else:
        yield told("clock", tried, "the system does not say")


def disk(scene: Scene) -> Iterator[Proof]:
    """What is kept free, so that the audit log and what must be said can still be written."""
    journal = scene.deployment.journal
    place = _there(scene.deployment.folder(journal.folder))
    free, whole = disk_free(place)
    least = journal.min_free_bytes
    tried = f"{free / 1e9:.1f} GB free at {place}"
    if least == 0:
        do = "take `min_free: 0` away"
        yield weak("disk-reserve", tried, "nothing is kept free (journal.min_free)", do)
        return
    kept = least or min(whole // FLOOR_SHARE, FLOOR_MOST)
    if free <= kept:
        yield weak(
            "disk-reserve", tried, f"less than the {kept >> 20} MiB to be kept free", "make room"
        )
    else:
        yield held("disk-reserve", tried, f"the journal leaves {kept >> 20} MiB free")


def _there(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())
