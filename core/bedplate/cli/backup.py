"""`bedplate backup`: everything of an installation in one encrypted file, and back."""

from __future__ import annotations

import contextlib
import getpass
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command, group
from bedplate.cli.parameters import given_plugins
from bedplate.cli.passphrase import passphrase, passphrase_option

if TYPE_CHECKING:
    from bedplate.backup.manifest import Manifest
    from bedplate.config import Deployment


@group(local=True)
@click.pass_context
def backup(ctx: click.Context, invocation: Invocation) -> None:
    """Deployment, journal and cursors, what was applied, history's catalogue, audit log, trust, plugins, keys, secrets
    and certificates: in one file, encrypted with a passphrase, taken while everything runs.
    """
    if not ctx.invoked_subcommand:
        click.echo(ctx.get_help())


@command(local=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path), required=False)
@click.option("--with-history", is_flag=True, help="With the samples of histories, however many.")
@passphrase_option
@given_plugins
def create(
    invocation: Invocation,
    file: Path,
    target: Path | None,
    with_history: bool,
    passphrase_file: Path | None,
    plugins: tuple[Path, ...],
) -> None:
    """Of the installation that runs deployment FILE, into TARGET (default NAME-TIME.backup, here).

    Nothing is held up by it. It needs as much free room beside each database as that has, for as long as it takes.
    """
    from bedplate.backup.taking import create as take
    from bedplate.backup.whole import about, roots

    found = roots(file, plugins)
    told = about(found.deployment, time.time())
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    target = target or Path(f"{found.deployment.name}-{stamp}.backup")
    word = passphrase(passphrase_file, new=True)
    manifest, size = take(target, word, found.roots, told, bulk=with_history)
    _leave_note(found.deployment, target)
    if invocation.json:
        _json(target, manifest, size=size)
        return
    _show(invocation, manifest)
    invocation.screen.show(
        f"{target}: {size / 1e6:,.1f} MB, encrypted; mode 0600. Try it: bedplate backup verify {target}",
        wrap=False,
    )


@command(local=True)
@click.argument("file", type=click.Path(path_type=Path))
@passphrase_option
def verify(invocation: Invocation, file: Path, passphrase_file: Path | None) -> None:
    """FILE is decrypted, every hash in it compared, every database judged by SQLite. Changes nothing."""
    from bedplate.backup.returning import verify as judge

    manifest = judge(file, passphrase(passphrase_file, new=False))
    if invocation.json:
        _json(file, manifest)
        return
    _show(invocation, manifest)
    databases = sum(member.database for member in manifest.files)
    invocation.screen.show(
        f"{file}: whole. {manifest.deployment}, made {manifest.made} by Bedplate {manifest.version} on"
        f" {manifest.host}; {len(manifest.files)} files, {databases} of them databases.",
        wrap=False,
    )


@command(local=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("to", type=click.Path(path_type=Path), required=False)
@click.option("--in-place", is_flag=True, help="Each part to where it was, as on a spare machine.")
@click.option("--overwrite", is_flag=True, help="What is there is moved aside.")
@passphrase_option
def restore(
    invocation: Invocation,
    file: Path,
    to: Path | None,
    in_place: bool,
    overwrite: bool,
    passphrase_file: Path | None,
) -> int:
    """FILE into the empty folder TO, or --in-place. The journal gets a new epoch, so that what it and the one it was
    copied from write from here on is never taken for the same.
    """
    from bedplate.backup.returning import restore as put

    if (to is None) != in_place:
        raise click.UsageError("name an empty folder, or say --in-place")
    word = passphrase(passphrase_file, new=False)
    done = put(file, word, to, overwrite=overwrite, clock=time.time_ns)
    places = {was: str(now) for was, now in done.places.items()}
    aside = [str(path) for path in done.aside]
    if invocation.json:
        _json(file, done.manifest, places=places, epoch=done.epoch, aside=aside)
        return Exit.DONE
    show = invocation.screen.show
    for was, now in places.items():
        show(f"  {was} → {now}" if was != now else f"  {now}", wrap=False)
    for path in aside:
        show(f"What was in the way is {path}.", wrap=False)
    for reference in done.manifest.missing:
        show(f"Not in it: secret {reference}; give it to whoever starts Bedplate.", wrap=False)
    if to:
        homes = [
            now
            for part, now in zip(done.manifest.parts, places.values(), strict=True)
            if part.kind == "home"
        ]
        deployment = next(iter(places.values()), "")
        show(
            f"Start it: BEDPLATE_HOME={next(iter(homes), '')} bedplate run {deployment}", wrap=False
        )
    return Exit.DONE


def _leave_note(deployment: Deployment, target: Path) -> None:
    """For the audit log, which the kernel alone writes."""
    from bedplate.audit.outside import leave

    folder = deployment.folder(deployment.audit.folder)
    with contextlib.suppress(OSError):  # a log that can't be written is told by the kernel
        leave(folder, "backup.create", str(target.absolute()), getpass.getuser())


def _show(invocation: Invocation, manifest: Manifest) -> None:
    from bedplate.cli.screen import Column, indented, table

    rows = []
    for part in manifest.parts:
        left = (
            f"{part.left / 1e6:,.1f} MB of samples not taken (--with-history)" if part.left else ""
        )
        rows.append((part.name, str(part.files), f"{part.size / 1e6:,.1f} MB", part.path, left))
    columns = [
        Column("part"),
        Column("files", "right"),
        Column("size", "right"),
        Column("of"),
    ]
    invocation.screen.show(indented(table([*columns, Column("", wraps=True)], rows)))
    for reference in manifest.missing:
        invocation.screen.show(f"  not in it: secret {reference}", wrap=False)


def _json(file: Path, manifest: Manifest, **more: Any) -> None:
    from bedplate.cli.output import write_json

    write_json({"file": str(file), **more, **asdict(manifest)})


for below in (create, verify, restore):
    backup.add_command(below)
