"""`bedplate audit`: the log shown, verified and taken out; and the keys that verify it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command, group

if TYPE_CHECKING:
    from bedplate.client.audit import AuditEntry

FOLDER = click.argument(
    "place", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path)
)
FILE = click.Path(dir_okay=False, path_type=Path)
PLACE = click.Path(path_type=Path)
LAST = 50
LOOK = 1.0  # s between looks of --follow


@group()
@click.pass_context
def audit(ctx: click.Context, invocation: Invocation) -> int:
    """Who did what, and what was refused: every access, change and command, a line each, none of which can be changed
    without its being seen.

    \b
      bedplate audit show --since 8h --action command.
      bedplate audit verify --anchor /mnt/share /var/lib/bedplate/audit
      bedplate audit key /media/usb/audit.key

    Over the API it needs the role auditor or admin; with a FOLDER (`audit.folder`, as a rule data/audit) it reads the
    files, no Bedplate needs to run.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
    return Exit.DONE


@command()
@FOLDER
@click.option(
    "--since", metavar="TIME", help="Since then, or so long before now: 8h, 2026-11-20T06:00."
)
@click.option("--who", default="", metavar="ID", help="Of this identity.")
@click.option(
    "--action", default="", metavar="ACTION", help="One; with a dot at its end all below it."
)
@click.option("--last", type=click.IntRange(1, 100_000), metavar="N", help="So many of the newest.")
@click.option("--follow", is_flag=True, help="And what comes, until Ctrl-C.")
def show(
    invocation: Invocation, place: Path | None, last: int | None, follow: bool, **asked: Any
) -> None:
    """Without --since and --last, the newest 50. Control characters of what machines and people sent are shown as ·."""
    from bedplate.cli.audit_lines import Shown, of_client, of_files

    asked["last"] = last or (0 if asked["since"] else LAST)
    shown = Shown(invocation)
    source = of_files(place) if place else of_client(invocation)
    try:
        index = shown.write(source(**asked))
        asked |= {"since": None, "last": 0}
        while follow:
            time.sleep(LOOK)
            index = max(index, shown.write(source(**asked, after=index)))
    except ValueError as error:
        raise click.UsageError(f"--since {error}") from None


@command()
@FOLDER
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=PLACE,
    metavar="PLACE",
    help="File or folder that took checkpoints.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=PLACE,
    metavar="FILE",
    help="Verification key, see `audit key`.",
)
@click.option(
    "--public",
    metavar="HEX",
    help="Public key of the checkpoints; by default that of the log in FOLDER.",
)
def verify(
    invocation: Invocation,
    place: Path | None,
    anchors: tuple[Path, ...],
    keys: tuple[Path, ...],
    public: str | None,
) -> int:
    """Names the first entry that is not as the kernel wrote it: edited, taken out, put in, moved.

    That the end was cut off, or all of it written anew, shows with --anchor, or with --key where the MACs are checked.
    Without FOLDER the Bedplate that runs is asked. FOLDER may be a file that was exported. Ends with 1 when it is not
    whole.
    """
    from bedplate.cli.audit_verdict import of_bedplate, of_place

    if place is None and (anchors or keys or public):
        raise click.UsageError(
            "--anchor, --key and --public are about files: name the FOLDER, or an export."
        )
    if place is None:
        return of_bedplate(invocation)
    return of_place(invocation, place, anchors, keys, public)


@command()
@click.argument("target", metavar="FILE", type=FILE)
@click.argument("place", metavar="[FOLDER]", required=False, type=PLACE)
@click.option("--from", "since", metavar="TIME", help="Since then; see `bedplate help times`.")
@click.option("--to", "until", metavar="TIME", help="Until then, exclusive.")
def export(
    invocation: Invocation, target: Path, place: Path | None, since: str | None, until: str | None
) -> None:
    """Lines as they stand in the log, into FILE, which `bedplate audit verify FILE` takes."""
    from bedplate.cli.audit_lines import of_client, of_files

    if target.exists():
        raise click.UsageError(f"{target} is there already; choose another name")
    source = of_files(place) if place else of_client(invocation)
    try:
        count = _write(target, source(since=since, until=until, raw=True))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    invocation.screen.show(f"{count:,} entries in {target}")


def _write(target: Path, entries: Iterable[AuditEntry]) -> int:
    from bedplate.private import put_private

    lines = [entry.line for entry in entries]
    put_private(target.absolute(), "".join(f"{line}\n" for line in lines).encode("ascii"))
    return len(lines)


@command(local=True)
@click.argument("target", metavar="[FILE]", required=False, type=FILE)
@click.option(
    "--folder",
    type=PLACE,
    default=Path("data/audit"),
    show_default=True,
    help="Folder of the log.",
)
def key(invocation: Invocation, target: Path | None, folder: Path) -> int:
    """Shows the public key of the checkpoints. With FILE, moves the verification key there, once: keep it elsewhere.

    Who has the verification key can check that no line was written by anybody but the kernel, and could forge lines as
    well: so it belongs neither on this machine nor to whoever runs it.
    """
    from bedplate.audit.checkpoint import signer
    from bedplate.audit.key_file import NAME as KEY
    from bedplate.audit.verification_key import take, waits

    if not (folder / KEY).exists():
        raise click.UsageError(f"{folder} holds no audit log; the first start of Bedplate makes it")
    public = signer(folder).public
    told: dict[str, Any] = {
        "public_key": public,
        "verification_key": "here" if waits(folder) else "taken",
    }
    if target:
        taken = take(folder, target)
        told["verification_key"] = str(target)
        told["segments"] = [one.segment for one in taken]
    if invocation.json:
        import json

        click.echo(json.dumps(told))
        return Exit.DONE
    screen = invocation.screen
    screen.show(f"public key of the checkpoints  {public}")
    if target:
        screen.show(f"verification key  moved to {target}, mode 0600: keep it elsewhere")
    elif waits(folder):
        screen.show(
            f"verification key  still in {folder}: bedplate audit key FILE moves it to where you keep it"
        )
    else:
        screen.show("verification key  taken")
    return Exit.DONE


for one in (show, verify, export, key):
    audit.add_command(one)
