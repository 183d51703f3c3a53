"""`bedplate support`: one zip file for whoever helps, without secrets, shown before it is written."""

from __future__ import annotations

import os
import sys
import time
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import given_plugins

if TYPE_CHECKING:
    from bedplate.cli.evidence import Case, Part
    from bedplate.cli.redaction import Redactor


@command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "-o",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to; by default bedplate-support-<time>.zip, here.",
)
@click.option("--list", "only_list", is_flag=True, help="Only show what would be in it.")
@given_plugins
def support(
    invocation: Invocation,
    file: Path | None,
    out: Path | None,
    only_list: bool,
    plugins: tuple[Path, ...],
) -> int:
    """Versions, what `doctor` finds, plugins and what they printed, status, the journal's figures, the end of the audit
    log, and the deployment: FILE, or that of the Bedplate that runs.

    Values of secrets are taken out wherever they stand, also those that a plugin printed. Look through it all the same
    before you send it: it names machines, paths and people. It is sent nowhere.
    """
    from bedplate.cli.evidence import gather

    case, redactor = _case(invocation, file, plugins)
    parts = [(part, redactor.text(text)) for part, text in gather(case)]
    target = out or Path(time.strftime("bedplate-support-%Y%m%d-%H%M%S.zip", time.gmtime()))
    if not invocation.json:
        _show(invocation, parts)
    asking = sys.stdin.isatty() and sys.stdout.isatty() and not (only_list or invocation.json)
    if only_list or (asking and not click.confirm(f"Write {target}?", default=True)):
        return Exit.DONE
    _write(target, parts)
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json({"file": str(target), "parts": {p.name: len(t.encode()) for p, t in parts}})
    else:
        click.echo(f"{target}: {target.stat().st_size / 1000:.1f} kB; it was sent nowhere")
    return Exit.DONE


def _case(
    invocation: Invocation, file: Path | None, plugins: tuple[Path, ...]
) -> tuple[Case, Redactor]:
    """What is asked about, and all that must not be seen of it."""
    from bedplate.cli.evidence import Case
    from bedplate.cli.redaction import Redactor, secret_names

    redactor = Redactor()
    case = Case(invocation, file)
    _ask_the_running(case, redactor)
    case.plugins = plugins or _given(case.pid)
    redactor.also(n for o in _offers(case.plugins) for n in secret_names(o.schema.settings))
    environ = _environment(case.pid)
    for name, value in environ.items():
        if redactor.is_secret(name):
            redactor.hide(value)
    if case.file is not None:
        _read(case, redactor, environ)
    else:
        case.why_not = "no deployment file is known: name it, `bedplate support plant.yaml`"
    return case, redactor


def _offers(plugins: tuple[Path, ...]) -> list[Any]:
    from bedplate.admission.reading import survey_of

    return list(survey_of(None, plugins).offers.values())


def _given(pid: int) -> tuple[Path, ...]:
    """Plugins that the running kernel was started with, as its command line says."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0") if pid else []
    except (OSError, ValueError):
        return ()
    folder = Path(_environment(pid).get("PWD", ""))  # where it was started; it runs beside its file
    named = [after for word, after in pairwise(words) if word == "--plugin"]
    named += [word.partition("=")[2] for word in words if word.startswith("--plugin=")]
    return tuple(folder / one for one in named if (folder / one).exists())


def _ask_the_running(case: Case, redactor: Redactor) -> None:
    """The Bedplate that was named, or the one that runs here, when there is one."""
    from bedplate.endpoints import announced, find
    from bedplate.errors import BedplateError

    for endpoint in announced():
        redactor.hide(endpoint.token)
    try:
        found = find(case.invocation.endpoint)
        redactor.hide(found.token)
        with case.invocation.client() as client:
            case.status = client.status(with_output=True)
    except BedplateError as error:
        case.why_not = str(error)
        return
    case.pid = found.pid
    if case.file is None and case.pid:
        name = Path(case.status.deployment_file).name
        case.file = Path(os.readlink(f"/proc/{case.pid}/cwd")) / name  # it runs beside its file


def _environment(pid: int) -> Mapping[str, str]:
    """Of the kernel, since its secrets come from there; and ours."""
    found = dict(os.environ)
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if pid else []
    except OSError:
        entries = []
    pairs = (entry.decode("utf-8", "replace").partition("=") for entry in entries)
    return found | {name: value for name, equals, value in pairs if equals}


def _read(case: Case, redactor: Redactor, environ: Mapping[str, str]) -> None:
    """The deployment as plain data; its secrets are hidden from here on."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    from bedplate.config import SecretError, Secrets

    assert case.file
    known = Secrets(case.file.parent, environ)

    def resolve(reference: str) -> str | None:
        try:
            return known.resolve(reference).reveal()
        except SecretError:
            return None

    text = ""
    try:
        text = case.file.read_text(encoding="utf-8")
        loaded = YAML(typ="safe", pure=True).load(text)
        known = Secrets(case.file.parent, environ, identity=_identity(case.file, loaded))
        case.data = redactor.tree(loaded, resolve)
    except (YAMLError, OSError, ValueError) as error:
        redactor.loose(text)
        why = str(error).splitlines()[0] if not isinstance(error, OSError) else error.strerror
        case.why_not = f"{case.file} can't be read, so it is left out: {why}"


def _identity(file: Path, loaded: object) -> Path | None:
    """What opens the age files of a deployment; whatever its file says."""
    section = loaded.get("secrets") if isinstance(loaded, dict) else None
    written = section.get("identity") if isinstance(section, dict) else None
    return file.parent / written if isinstance(written, str) else None


def _show(invocation: Invocation, parts: list[tuple[Part, str]]) -> None:
    from bedplate.cli.screen import Column, table

    rows = [(part.name, f"{len(text.encode()) / 1000:.1f} kB", part.what) for part, text in parts]
    columns = [Column("file"), Column("size", align="right"), Column("what", wraps=True)]
    invocation.screen.show(table(columns, rows))


def _write(target: Path, parts: list[tuple[Part, str]]) -> None:
    """For its owner alone. Raises BedplateError when it is there already."""
    from bedplate.errors import BedplateError

    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BedplateError(f"{target} is there already; choose another -o FILE") from None
    with os.fdopen(descriptor, "wb") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zip:
        for part, text in parts:
            zip.writestr(part.name, text)
