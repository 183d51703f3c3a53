"""Where a deployment keeps what must not get into each other's hands: journal, audit log, plugins, the file itself.

Whoever may write one of them must not thereby write another: a plugin that lies where the audit log is written can be
replaced by what is logged. So a start refuses places within one another, links in their stead, and places that
everybody may write. Looks at names and modes alone; what is not there yet is judged when it is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from bedplate.config import Deployment
from bedplate.errors import Problem


@dataclass(frozen=True, slots=True)
class _Room:
    """word: as in the file · plugin: whether plugins lie there."""

    word: str
    path: Path
    plugin: bool = False


def misplaced(deployment: Deployment) -> list[Problem]:
    """What is wrong with their places, by the line that names each."""
    source = deployment.source
    return [
        Problem(source.file, source.lines.get(word, 0), word, why)
        for word, why in (*_within(deployment), *_open(deployment))
    ]


def _rooms(deployment: Deployment) -> Iterator[_Room]:
    plugins = deployment.plugins
    yield _Room("journal.folder", deployment.folder(deployment.journal.folder))
    yield _Room("audit.folder", deployment.folder(deployment.audit.folder))
    for folder in plugins.folders:
        yield _Room("plugins.folders", deployment.folder(folder), plugin=True)
    if plugins.home:
        yield _Room("plugins.home", deployment.folder(plugins.home), plugin=True)


def _within(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """At a desk, with an open policy, a plugin's author may keep everything in one folder."""
    strict = deployment.plugins.policy == "trusted"
    rooms = [*_rooms(deployment)]
    for inner, outer in permutations(rooms, 2):
        if (inner.plugin and outer.plugin) or (not strict and (inner.plugin or outer.plugin)):
            continue
        if outer.path.resolve() in (inner.path.resolve(), *inner.path.resolve().parents):
            yield (
                inner.word,
                f"{inner.path} lies within {outer.word}, {outer.path}; keep them apart",
            )
    file = Path(deployment.source.file).absolute()
    for outer in rooms:
        if (strict or not outer.plugin) and outer.path.resolve() in file.resolve().parents:
            yield outer.word, f"this file lies within {outer.path}; keep them apart"


def _open(deployment: Deployment) -> Iterator[tuple[str, str]]:
    for room in _rooms(deployment):
        if room.path.is_symlink() and not room.plugin:
            leads = os.readlink(room.path)
            yield (
                room.word,
                f"{room.path} is a link, which may lead elsewhere tomorrow; write {leads}",
            )
        elif who := _writable(room.path):
            yield room.word, who
    file = Path(deployment.source.file).absolute()
    if who := _writable(file):
        yield "", who


def _writable(path: Path) -> str:
    """Why everybody may change what is at a path; empty: not everybody may. Of folders above it, what is sticky lets
    nobody replace another's."""
    for place in (path, *path.parents):
        try:
            mode = place.stat().st_mode
        except OSError:
            continue
        above = place != path
        if mode & stat.S_IWOTH and not (above and mode & stat.S_ISVTX):
            return (
                f"{place} may be changed by everybody (mode {mode & 0o7777:04o}): chmod o-w {place}"
            )
    return ""
