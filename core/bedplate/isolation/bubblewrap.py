"""L3: the words that bubblewrap is called with. Its process sees what is named here and nothing else of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bedplate.isolation.grants import Grant

CHANGE_USER = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
SIZE = 64 << 20  # bytes of its temporary folder


def bubblewrap(
    program: str,
    grant: Grant,
    seen: Sequence[Path],
    temporary: Path,
    folder: Path,
    *,
    changes: bool,
) -> list[str]:
    """seen: read only, at the same place · changes: whether the launcher inside becomes another user."""
    words = [program, "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent"]
    if not grant.network:
        words.append("--unshare-net")
    words += ["--cap-drop", "ALL"]
    words += [word for name in CHANGE_USER if changes for word in ("--cap-add", name)]
    words += ["--dev", "/dev", "--proc", "/proc"]
    readable = sorted({*seen, *(path for path in grant.reads if path.exists())})
    words += _parents([*readable, *grant.writes, temporary, folder / "."])
    words += _binds("--ro-bind", [p for p in readable if p.parts[1] not in ("proc", "dev")])
    words += _binds("--bind", grant.writes)
    words += _binds("--dev-bind", [path for path in grant.devices if path.exists()])
    words += [
        "--perms",
        "1777",
        "--size",
        str(SIZE),
        "--tmpfs",
        str(temporary),
        "--chdir",
        str(folder),
        "--",
    ]
    return words


def _binds(how: str, paths: Sequence[Path]) -> list[str]:
    return [word for path in paths for word in (how, str(path), str(path))]


def _parents(paths: Sequence[Path]) -> list[str]:
    """What leads to them: bubblewrap's own would be for root alone."""
    above = {
        parent for path in paths for parent in (*path.parents, *([path] if path.is_dir() else []))
    }
    kept = sorted(
        path for path in above if len(path.parts) > 1 and path.parts[1] not in ("proc", "dev")
    )
    return [word for path in kept for word in ("--perms", "0755", "--dir", str(path))]
