"""`bedplate service`: Bedplate as a service of systemd."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command, group

if TYPE_CHECKING:
    from bedplate.service.unit import Needs, Service

STATE = Path("/var/lib")

name_option = click.option(
    "--name", default="bedplate", show_default=True, help="Of the unit, where several run here."
)
root_option = click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=Path("/"),
    help="Write files below this folder, and do nothing else: for images.",
)


@group(local=True)
@click.pass_context
def service(ctx: click.Context, invocation: Invocation) -> None:
    """A unit with a user of its own, hardened, watched and started again; it boots the last applied deployment."""
    if not ctx.invoked_subcommand:
        click.echo(ctx.get_help())


@command(local=True)
@click.argument("file", type=click.Path(path_type=Path))
@name_option
@click.option("--user", default="bedplate", show_default=True, help="Made when there is none.")
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="Its BEDPLATE_HOME: token, trust, installed plugins; by default /var/lib/NAME/home.",
)
@root_option
@click.option("--dry-run", is_flag=True, help="Print the unit and each step; change nothing.")
@click.option("--no-start", is_flag=True, help="Enable it, and don't start it now.")
def install(invocation: Invocation, file: Path, **said: Any) -> int:
    """Deployment FILE, checked first. It is read at the first start; from then on the service boots what was applied
    last, and `bedplate status` says when the file differs.

    Needs root, unless --dry-run or --root. Run it again when an applied deployment writes into new folders.
    """
    from bedplate.service import installing
    from bedplate.service.unit import unit
    from bedplate.upgrade.versions import Versions, versions_folder

    root = said["root"]
    _refuse(said["name"], said["user"], alone=said["dry_run"] or root != Path("/"))
    versions = Versions(versions_folder())
    made, needs = _described(file, said, versions.program)
    steps = [*installing.install(made, needs, root, start=not said["no_start"])]
    if said["dry_run"]:
        click.echo(unit(made, needs))
        for step in steps:
            click.echo(f"# would: {step.words}")
        return Exit.DONE
    if root == Path("/"):
        versions.begin()
    for step in steps:
        step.do()
        invocation.screen.show(f"  {step.words}", wrap=False)
    for path in installing.unreadable(made, needs):
        click.echo(
            f"▲ {made.user} can't read {path}: chgrp {made.user} it, and chmod g+r", err=True
        )
    return Exit.DONE


def _refuse(name: str, user: str, *, alone: bool) -> None:
    """alone: nothing of this machine is changed."""
    names = r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}", r"[a-z_][a-z0-9_-]{0,30}"
    if not re.fullmatch(names[0], name) or not re.fullmatch(names[1], user):
        raise click.UsageError("names of units and users are letters, digits, - and _")
    if not alone and os.geteuid() != 0:
        raise click.UsageError("needs root: sudo bedplate service install … (or --dry-run)")


def _described(file: Path, said: Mapping[str, Any], program: Path) -> tuple[Service, Needs]:
    """The deployment is read as the service will read it, with its own home."""
    from bedplate.backup.whole import roots
    from bedplate.server.platform import prepare
    from bedplate.service.unit import Service, needs_of

    home = (said["home"] or STATE / said["name"] / "home").absolute()
    os.environ["BEDPLATE_HOME"] = str(home)
    prepared = prepare(file)
    files = [r.path for r in roots(file).roots if r.kind in ("deployment", "secret")]
    files += [Path(sys.prefix) / "bin" / "bedplate", Path(sys.executable).resolve()]
    deployment = prepared.deployment
    needs = needs_of(deployment, prepared.admission.offers, home, files)
    description = f"Bedplate: {deployment.name}"
    return Service(said["name"], said["user"], program, file.absolute(), home, description), needs


@command(local=True)
@name_option
@root_option
@click.option("--dry-run", is_flag=True, help="Print each step; change nothing.")
def uninstall(invocation: Invocation, name: str, root: Path, dry_run: bool) -> None:
    """Stops it and takes the unit away. Data, user and deployment stay."""
    from bedplate.service import installing

    for step in installing.uninstall(name, root):
        if not dry_run:
            step.do()
        invocation.screen.show(f"  {'would: ' if dry_run else ''}{step.words}", wrap=False)


@command(local=True)
@name_option
@root_option
def status(invocation: Invocation, name: str, root: Path) -> int:
    """Whether it is installed and runs, as systemd says it. Exit code 1 when it does not run."""
    from bedplate.cli.output import write_json
    from bedplate.service.installing import standing

    found = standing(name, root)
    if invocation.json:
        write_json(found)
    else:
        for key, value in found.items():
            click.echo(f"  {key:<12} {value}")
    return Exit.DONE if found.get("ActiveState") == "active" else Exit.PROBLEMS


for below in (install, uninstall, status):
    service.add_command(below)
