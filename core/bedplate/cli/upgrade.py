"""`bedplate upgrade`: another version of the platform beside this one, tried on this deployment, then used."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command

if TYPE_CHECKING:
    from bedplate.upgrade.comparing import Difference
    from bedplate.upgrade.versions import Version, Versions

UNIT = Path("/etc/systemd/system")


@command(local=True)
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@click.option("--back", is_flag=True, help="To the version before this one.")
@click.option(
    "--of",
    "file",
    type=click.Path(path_type=Path),
    help="Deployment file; by default the one that the service runs.",
)
@click.option("--service", "name", default="bedplate", show_default=True, help="Its unit.")
@click.option("--versions", "folder", type=click.Path(path_type=Path), help="Where versions lie.")
@click.option("--key", help="Take this public key too, this once: a file, or the line itself.")
@click.option("--unsigned", is_flag=True, help="Take a bundle that nobody signed.")
@click.option("--plan", "only_plan", is_flag=True, help="Tell the difference; switch nothing.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def upgrade(invocation: Invocation, bundle: Path | None, back: bool, **said: Any) -> int:
    """Installs BUNDLE (bedplate-1.3.0.bundle) beside what runs, reads and judges this deployment with it, tells what
    would be different, and only then switches and restarts the service. Fetches nothing.

    A deployment that the other version would refuse is a reason to switch nothing. --back switches to the version
    before, after the same judgement.
    """
    from bedplate.upgrade.comparing import compare
    from bedplate.upgrade.versions import Versions, versions_folder

    if back == (bundle is not None):
        raise click.UsageError("name a bundle, or say --back")
    os.umask(0o022)  # the service's user runs what root makes here
    file = _deployment(said["file"], said["name"])
    versions = Versions(said["folder"].absolute() if said["folder"] else versions_folder())
    with versions.alone():
        versions.begin()
        wanted = _wanted(versions, bundle, said)
        difference = compare(versions.current, wanted, file)
        _tell(invocation, difference, file)
        if difference.problems:
            return Exit.NOT_DONE
        if said["only_plan"]:
            return Exit.DONE
        if not said["yes"]:
            click.confirm(f"Switch to {difference.after}?", abort=True, err=True)
        _switch(invocation, versions, wanted, said["name"], file)
    return Exit.DONE


def _deployment(file: Path | None, name: str) -> Path:
    """The file; of a service, its home becomes ours."""
    unit = UNIT / f"{name}.service"
    text = unit.read_text(encoding="utf-8") if unit.is_file() else ""
    home = re.search(r"BEDPLATE_HOME=([^\"\s]+)", text)
    if home and not file:
        os.environ["BEDPLATE_HOME"] = home[1]
    found = re.search(r"run --applied \"?([^\"\n]+)\"?", text)
    if file is None and found is None:
        raise click.UsageError(
            f"no service {name} is installed here; name the file: --of plant.yaml"
        )
    return file or Path(found[1] if found else "")


def _wanted(versions: Versions, bundle: Path | None, said: dict[str, Any]) -> Version:
    from bedplate.bundle.publishers import Publishers, key_of
    from bedplate.endpoints import home
    from bedplate.errors import BedplateError
    from bedplate.upgrade.preparing import prepare

    if bundle:
        key = key_of(said["key"]) if said["key"] else None
        publishers = Publishers(home())
        return prepare(bundle, versions, publishers, key=key, unsigned=said["unsigned"])[0]
    if versions.previous is None:
        raise BedplateError(f"there is no version before this one in {versions.folder}")
    return versions.previous


def _tell(invocation: Invocation, difference: Difference, file: Path) -> None:
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json({"file": str(file), **asdict(difference)})
        return
    show = invocation.screen.show
    show(f"{file}, with {difference.after} instead of {difference.before}:", wrap=False)
    for line in difference.problems or difference.lines or ("nothing is different",):
        show(f"  {line}", wrap=False)
    if difference.problems:
        show(f"{difference.after} would refuse it. Nothing was switched.", wrap=False)
    if difference.one_way:
        show(f"▲ {difference.one_way}", wrap=False)


def _switch(
    invocation: Invocation, versions: Versions, wanted: Version, name: str, file: Path
) -> None:
    """Back again by itself when the service does not come up."""
    from bedplate.errors import BedplateError
    from bedplate.service.installing import restart

    versions.use(wanted)
    try:
        restarted = restart(name)
    except BedplateError as error:
        versions.back()
        restart(name)
        raise BedplateError(
            f"{wanted.name} did not come up, so it is as it was before: {error}"
        ) from None
    if invocation.json:
        return
    show = invocation.screen.show
    show(
        f"{versions.folder / 'current'} is {wanted.name} now; bedplate upgrade --back goes back.",
        wrap=False,
    )
    if restarted:
        show(f"The service {name} was restarted with it.", wrap=False)
    else:
        show(
            f"What runs goes on with what it has; stop it, and: {versions.program} run --applied {file}",
            wrap=False,
        )
