"""Installs, takes away and asks about the unit: files, user, folders, systemctl. Everything it does is a step that can
be shown instead."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bedplate.errors import BedplateError
from bedplate.isolation.user import READ, reachable
from bedplate.service.unit import Needs, Service, unit

UNITS, SYSUSERS = Path("etc/systemd/system"), Path("etc/sysusers.d")
RUNNING = Path("/run/systemd/system")
SHOWN = ("LoadState", "ActiveState", "SubState", "MainPID", "NRestarts", "StatusText")


@dataclass(frozen=True, slots=True)
class Step:
    """words: what it does, as it would be typed."""

    words: str
    do: Callable[[], None]


def install(service: Service, needs: Needs, root: Path, *, start: bool) -> Iterator[Step]:
    """root: / or a folder into which files are written, and nothing else is done."""
    file = root / UNITS / f"{service.name}.service"
    users = root / SYSUSERS / f"{service.name}.conf"
    entry = f'u {service.user} - "Bedplate" {service.home} -\n'
    yield _write(users, entry)
    yield _write(file, unit(service, needs))
    if root != Path("/"):
        return
    if not _known(service.user):
        yield _run(*_new_user(service, users))
    for folder in needs.folders:
        words = f"install -d -m 0700 -o {service.user} {folder}"
        yield Step(words, partial(_give, folder, service.user))
    if RUNNING.is_dir():
        yield _run("systemctl", "daemon-reload")
        yield _run("systemctl", "enable", *(["--now"] if start else []), f"{service.name}.service")
    else:
        yield Step(
            "# systemd does not run here: systemctl enable --now, once it does", lambda: None
        )


def uninstall(name: str, root: Path) -> Iterator[Step]:
    """Data, user and deployment stay."""
    file = root / UNITS / f"{name}.service"
    if not file.exists():
        raise BedplateError(f"{file} is not there; nothing is installed under this name")
    live = root == Path("/") and RUNNING.is_dir()
    if live:
        yield _run("systemctl", "disable", "--now", f"{name}.service")
    for path in (file, root / SYSUSERS / f"{name}.conf"):
        yield Step(f"rm {path}", partial(path.unlink, missing_ok=True))
    if live:
        yield _run("systemctl", "daemon-reload")


def unreadable(service: Service, needs: Needs) -> list[Path]:
    """What the service's user could not read, judged by modes."""
    try:
        user = pwd.getpwnam(service.user)
    except KeyError:
        return []
    wanted = [*needs.reads, service.program.resolve()]
    groups = os.getgrouplist(service.user, user.pw_gid)
    return [p for p in wanted if p.exists() and not reachable(p, user.pw_uid, groups, READ)]


def standing(name: str, root: Path) -> dict[str, str]:
    """What systemd says of it; without systemd only whether the unit is there."""
    there = (root / UNITS / f"{name}.service").exists()
    found = {"unit": "installed" if there else "not installed"}
    if root != Path("/") or not RUNNING.is_dir():
        return found | {"systemd": "does not run here"}
    words = ["systemctl", "show", f"{name}.service", *(f"-p{one}" for one in SHOWN)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return found | {key: value for key, _, value in pairs}


def restart(name: str) -> bool:
    """Whether systemd did it. Raises BedplateError when it could not."""
    if not RUNNING.is_dir() or not (Path("/") / UNITS / f"{name}.service").exists():
        return False
    _run("systemctl", "restart", f"{name}.service").do()
    return True


def _write(file: Path, text: str) -> Step:
    def do() -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name}.{os.getpid()}")
        beside.write_text(text, encoding="utf-8")
        beside.chmod(0o644)
        os.replace(beside, file)

    return Step(f"write {file}", do)


def _run(*words: str) -> Step:
    def do() -> None:
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BedplateError(f"{' '.join(words)}: {error}") from None
        if done.returncode:
            told = (done.stderr.strip() or done.stdout.strip() or "failed").splitlines()[-1]
            raise BedplateError(f"{' '.join(words)}: {told}")

    return Step(" ".join(words), do)


def _new_user(service: Service, users: Path) -> list[str]:
    if shutil.which("systemd-sysusers"):
        return ["systemd-sysusers", str(users)]
    words = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir"]
    return [*words, str(service.home), "--shell", "/usr/sbin/nologin", service.user]


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _give(folder: Path, user: str) -> None:
    """A folder that is made now is the user's; of one that is there, nothing changes hands but the folder itself."""
    owner = pwd.getpwnam(user)
    if folder.is_file():
        return
    new = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if new or folder.stat().st_uid != owner.pw_uid:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
