"""A user of its own for each plugin, where the kernel is root: which one, and whether it can reach what it needs.

The numbers are those that systemd keeps for such users; nobody is entered anywhere. Rule: nobody's files change hands.
Only a folder that is made now, or was made so before, belongs to such a user.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterable
from pathlib import Path

FIRST, COUNT = 61184, 4000
SOCKETS = FIRST + COUNT  # the group that may reach the kernel's socket for plugins
READ, WRITE, ENTER = 4, 2, 1


def number(name: str) -> int:
    """The same user for the same name, on each start."""
    return FIRST + zlib.crc32(name.encode()) % COUNT


def reachable(path: Path, uid: int, groups: Iterable[int], wanted: int) -> bool:
    """Whether modes alone let this user to it; what is not there is in nobody's way."""
    known = set(groups)
    real = path.resolve()
    try:
        inner = all(_may(folder.stat(), uid, known, ENTER) for folder in real.parents)
        return inner and _may(real.stat(), uid, known, wanted)
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _may(found: os.stat_result, uid: int, groups: set[int], wanted: int) -> bool:
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid == uid:
        mode >>= 6
    elif found.st_gid in groups:
        mode >>= 3
    return mode & wanted == wanted


def make_folder(path: Path, uid: int) -> None:
    """Makes it, with what is above it, for this user; one that is there is left as it is. Raises OSError."""
    if not path.exists():
        path.mkdir(mode=0o700, parents=True)
        os.chown(path, uid, uid)


def groups_of(devices: Iterable[Path]) -> list[int]:
    """Groups that a user needs to use these devices; never root's."""
    found = {device.stat().st_gid for device in devices if device.exists()}
    return sorted(found - {0})


def open_sockets(folder: Path) -> None:
    """Lets the users of plugins to the kernel's socket; what it says to whom is decided by the token."""
    for path, mode in ((folder, 0o710), *((socket, 0o660) for socket in folder.glob("*.sock"))):
        os.chown(path, -1, SOCKETS)
        path.chmod(mode)
