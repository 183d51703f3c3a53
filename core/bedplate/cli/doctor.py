"""`bedplate doctor`: is this machine in order, and the Bedplate that runs on it? Looks, changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from bedplate.cli.doctor_journal import journal
from bedplate.cli.doctor_network import network
from bedplate.cli.doctor_security import security
from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, group

ROOM = 1 << 30  # bytes
FILES = 1024
IMPLAUSIBLE = 30e-6  # s: no storage has synced in less; something on the way only says so
SYNCS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. do: what would cure it, empty when it is in order."""

    what: str
    fine: bool
    text: str
    do: str = ""


@group()
@click.pass_context
def doctor(ctx: click.Context, invocation: Invocation) -> int:
    """Python, disk, sync, limits, the user's configuration folder, plugins, and a running Bedplate if there is one."""
    if ctx.invoked_subcommand:
        return Exit.DONE
    findings = [finding for check in CHECKS for finding in check(invocation)]
    if invocation.json:
        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(f"{'✔' if finding.fine else '✖'} {finding.what:<14} {finding.text}")
            if not finding.fine:
                click.echo(f"  {'':<14} {finding.do}")
    return Exit.DONE if all(finding.fine for finding in findings) else Exit.PROBLEMS


for _one in (journal, network, security):
    doctor.add_command(_one)


def _python(invocation: Invocation) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        "Python",
        sys.version_info >= (3, 11),
        f"{version}, {sys.executable}",
        "use Python 3.11 or newer",
    )


def _disk(invocation: Invocation) -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free
    text = f"{free / 1e9:.1f} GB free in {Path.cwd()}"
    yield Finding(
        "disk", free > ROOM, text, "a journal and a history need room; free at least 1 GB"
    )


def _sync(invocation: Invocation) -> Iterator[Finding]:
    """fdatasync that returns faster than any storage can: the promise of the journal would rest on nothing."""
    with tempfile.NamedTemporaryFile(dir=Path.cwd(), prefix=".bedplate-sync-") as file:
        times = []
        for _ in range(SYNCS):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    middle = sorted(times)[SYNCS // 2]
    text = f"a sync takes {middle * 1e3:.2f} ms"
    cure = "this storage answers before it has written; a power cut may lose what was acknowledged. Use another folder"
    yield Finding("sync", middle > IMPLAUSIBLE, text, cure)


def _limits(invocation: Invocation) -> Iterator[Finding]:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield Finding("open files", soft >= FILES, f"{soft} allowed", f"ulimit -n {FILES * 4}")


def _sockets(invocation: Invocation) -> Iterator[Finding]:
    folder = tempfile.gettempdir()
    usable = os.access(folder, os.W_OK)
    yield Finding("sockets", usable, f"in {folder}", f"make {folder} writable, or set TMPDIR")


def _home(invocation: Invocation) -> Iterator[Finding]:
    from bedplate.endpoints import home

    folder = home()
    if not folder.exists():
        yield Finding("configuration", True, f"{folder} is made at the first start")
        return
    plugins = (
        folder / "plugins"
    )  # which hold no secret, and which plugins of another user must read
    every = (p for p in folder.rglob("*") if not p.is_relative_to(plugins))
    wrong = [p for p in (folder, *every) if _open_to_others(p)]
    text = f"{folder} is for this user alone" if not wrong else f"{wrong[0]} can be read by others"
    yield Finding("configuration", not wrong, text, f"chmod -R go-rwx {folder}")


def _open_to_others(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return not stat.S_ISSOCK(found.st_mode) and bool(stat.S_IMODE(found.st_mode) & 0o077)


def _isolation(invocation: Invocation) -> Iterator[Finding]:
    from bedplate.isolation.machine import Level, this_machine

    machine = this_machine(bubblewrap=True)
    why = machine.why_not.get(Level.L2, "")
    yield Finding(
        "isolation",
        not why,
        f"plugins run at {machine.words()}",
        f"{why}: plugins are limited, not confined",
    )


def _processes(invocation: Invocation) -> Iterator[Finding]:
    from bedplate.isolation.machine import keeps_orphans

    whom = "also one that leaves its parent, session and environment"
    if not keeps_orphans():
        whom = "but not one that leaves its session and its environment: needs Linux 3.4"
    yield Finding("processes", True, f"all that a plugin starts ends with it, {whom}")


def _plugins(invocation: Invocation) -> Iterator[Finding]:
    from bedplate.admission.reading import places_of
    from bedplate.admission.survey import survey

    candidates = survey(places=places_of(None)).candidates
    refused = [c for c in candidates if c.verdict == "refused"]
    for candidate in refused:
        yield Finding(
            "plugin", False, f"{candidate.name} is refused: {candidate.reason}", "bedplate plugins"
        )
    yield Finding(
        "plugins",
        bool(candidates),
        f"{sum(c.usable for c in candidates)} may be used",
        "install a plugin",
    )


def _trust(invocation: Invocation) -> Iterator[Finding]:
    """Every trusted plugin is one that could be started as it is now. Reads all its files."""
    from bedplate.admission.guard import unchanged
    from bedplate.admission.reading import places_of
    from bedplate.admission.survey import survey
    from bedplate.admission.trust import TrustFile
    from bedplate.endpoints import home
    from bedplate.errors import BedplateError

    try:
        trust = TrustFile(home())
        grants = trust.grants()
        changed = unchanged(survey(places=places_of(None)).candidates, trust) if grants else ()
    except BedplateError as error:
        yield Finding("trust", False, str(error), "bedplate plugins trusted")
        return
    for problem in changed:
        yield Finding("trust", False, problem, "find out who changed it; then install it again")
    yield Finding(
        "trust", True, f"{len(grants)} plugins are trusted; `policy: trusted` asks for it"
    )


def _startup_code(invocation: Invocation) -> Iterator[Finding]:
    from bedplate.admission.startup_code import startup_code

    for code in startup_code():
        yield Finding(
            "start-up code", False, f"{code.path} {code.why}", "find out who put it there"
        )


def _running(invocation: Invocation) -> Iterator[Finding]:
    from bedplate.endpoints import announced

    if invocation.endpoint is None and not list(announced()):
        yield Finding("kernel", True, "none of this user runs here")
        return
    from bedplate.errors import CallError

    try:
        with invocation.client() as client:
            status = client.status()
    except CallError as error:
        yield Finding("kernel", False, str(error).splitlines()[0], "bedplate run plant.yaml")
        return
    yield Finding(
        "kernel",
        True,
        f"{status.name}, Bedplate {status.version}, {len(status.components)} components",
    )
    for problem in status.problems:
        yield Finding("component", False, problem, "bedplate status")
    for notice in status.notices:
        yield Finding("notice", True, notice)
    yield from _audit(invocation)
    if status.journal.state != "synced":
        yield Finding(
            "journal",
            False,
            status.journal.state,
            "look at the disk; what arrives now is not stored",
        )


def _audit(invocation: Invocation) -> Iterator[Finding]:
    """The head of the log, for whoever notes it down elsewhere."""
    from bedplate.errors import CallError

    try:
        with invocation.client() as client:
            found = client.verify_audit()
    except CallError:
        return  # who asks may not see it
    when = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(found.anchored / 1e9))
    anchored = f"anchored {when}" if found.anchored else "anchored nowhere: audit.anchor"
    text = f"{found.entries:,} entries, head {found.head}, {anchored}"
    yield Finding(
        "audit", found.whole, text if found.whole else found.problem, "bedplate audit verify"
    )


CHECKS: tuple[Callable[[Invocation], Iterator[Finding]], ...] = (
    _python,
    _disk,
    _sync,
    _limits,
    _sockets,
    _home,
    _isolation,
    _processes,
    _plugins,
    _trust,
    _startup_code,
    _running,
)
