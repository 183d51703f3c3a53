"""Who beside its user may change or read what lies at a path, by modes and owners. Access lists are not seen."""

from __future__ import annotations

import grp
import pwd
import stat
from collections.abc import Collection
from pathlib import Path


def changer(path: Path, users: Collection[int]) -> str:
    """Who else may change it, or put something else in its place, in words that name the file or the folder above it;
    empty: nobody. What is not there is judged by the folders above."""
    for place in (path, *path.parents):
        try:
            found = place.stat()
        except OSError:
            continue
        mode, above = found.st_mode, place != path
        if found.st_uid not in users:
            return f"{place} belongs to {_user(found.st_uid)}"
        if above and mode & stat.S_ISVTX:
            continue  # nobody replaces there what is another's
        if mode & stat.S_IWOTH:
            return f"{place} may be changed by everybody (mode {stat.S_IMODE(mode):04o})"
        if mode & stat.S_IWGRP and not _own_group(found.st_gid, users):
            return f"{place} may be changed by group {_group(found.st_gid)}"
    return ""


def reader(path: Path, open_to: int = 0o077) -> str:
    """Why others may read it; empty: they may not, or it is not there."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""
    if mode & open_to:
        return f"{path} is open to others (mode {stat.S_IMODE(mode):04o})"
    return ""


def _own_group(gid: int, users: Collection[int]) -> bool:
    """The group that a user has to himself, as many systems make one for each."""
    try:
        members = grp.getgrgid(gid).gr_mem
        owners = {one.pw_uid for one in pwd.getpwall() if one.pw_gid == gid}
    except (KeyError, OSError):
        return False
    return not members and bool(owners) and owners <= set(users)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
