"""`bedplate doctor security`: tries each control of an installation and shows what came back."""

from __future__ import annotations

import os
import site
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import given_plugins
from bedplate.shown import plain

if TYPE_CHECKING:
    from rich.text import Text

    from bedplate.cli.controls.scene import Proof, Scene
    from bedplate.endpoints import Endpoint

LONG = 600
SIGNS = {"held": "✔", "weak": "✖", "told": "·"}


@command(local=True)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@given_plugins
def security(invocation: Invocation, file: Path | None, plugins: tuple[Path, ...]) -> int:
    """Tries each control of an installation, says what came back.

    Of that of FILE, and of its kernel where that runs here. Without FILE that of the Bedplate which runs.

    \b
      ✔  it holds
      ✖  it is weak; below it what would cure it
      ·  a fact that nobody changes here, or not tried

    Ends with 0 when nothing is weak, 1 when something is. Changes nothing; dials nothing but its own kernel. For all to
    be tried, run it as the user of Bedplate, or as root.
    """
    from bedplate.cli.controls.trying import tried

    scene = _scene(file or _file_of_running(invocation), plugins)
    if scene.running:
        scene = replace(scene, levels=_levels(invocation, scene.running.address))
    proofs = [*tried(scene)]
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json([asdict(proof) for proof in proofs])
    else:
        _show(invocation, scene, proofs)
    return Exit.PROBLEMS if any(proof.state == "weak" for proof in proofs) else Exit.DONE


def _file_of_running(invocation: Invocation) -> Path:
    from bedplate.endpoints import announced

    if not [*announced()]:
        raise click.UsageError("none of this user runs here; name a deployment file")
    with invocation.client() as client:
        return Path(client.status().deployment_file)


def _scene(file: Path, given: Sequence[Path]) -> Scene:
    """Raises ConfigError, AdmissionError."""
    from bedplate.admission.guard import Guard
    from bedplate.admission.reading import admit, read_deployment
    from bedplate.cli.controls.scene import Scene
    from bedplate.endpoints import announced, home
    from bedplate.errors import AdmissionError

    found, deployment = read_deployment(file, given)
    offers, refused = found.offers, []
    try:
        offers = admit(found, deployment).offers
    except AdmissionError as error:
        refused = str(error).splitlines()
    named = {one.use for one in deployment.components}
    used = {use: offer for use, offer in offers.items() if use in named}
    guards = [offer.verify for offer in used.values()]
    refused += [one.objection for one in guards if isinstance(one, Guard) and one.objection]
    running = next((one for one in announced() if one.name == deployment.name), None)
    uid = _user(running, deployment.folder(deployment.audit.folder))
    places = [Path(one) for one in site.getsitepackages() if Path(one).exists()]
    return Scene(deployment, used, home(), running, uid, refused, site=places)


def _levels(invocation: Invocation, address: str) -> dict[str, str]:
    """How each process is confined, by the kernel itself; nothing where it does not say."""
    from bedplate.errors import BedplateError

    try:
        with replace(invocation, endpoint=address).client() as client:
            return {one.name: one.isolation for one in client.status().processes}
    except BedplateError:
        return {}


def _user(running: Endpoint | None, log: Path) -> int:
    """Whose Bedplate it is: of its kernel; else, for root, whose log it is."""
    try:
        if running:
            return Path(f"/proc/{running.pid}").stat().st_uid
        return log.stat().st_uid if os.geteuid() == 0 else os.geteuid()
    except OSError:
        return os.geteuid()


def _show(invocation: Invocation, scene: Scene, proofs: Sequence[Proof]) -> None:
    from rich.text import Text

    from bedplate.cli.screen import Column, table

    screen, running = invocation.screen, scene.running
    how = f"runs at {running.address}, process {running.pid}" if running else "does not run here"
    screen.show(f"{scene.deployment.source.file}: {scene.deployment.name} {how}")
    for group, some in groupby(proofs, key=lambda proof: proof.group):
        screen.show(Text(f"\n{group}", "bold"))
        columns = [Column(width=17), Column(wraps=True)]
        screen.show(table(columns, [row for proof in some for row in _rows(proof)]))
    counts = {state: sum(p.state == state for p in proofs) for state in SIGNS}
    words = f"{counts['held']} hold, {counts['weak']} weak, {counts['told']} told or not tried"
    screen.show(f"\n{words}")


def _rows(proof: Proof) -> Iterator[tuple[Text, Text]]:
    """What was tried and what came back; below it what would cure it."""
    from rich.text import Text

    style = {"held": "", "weak": "red", "told": "dim"}[proof.state]
    control = Text(f"{SIGNS[proof.state]} {proof.control}", style)
    yield control, Text(plain(f"{proof.tried} → {proof.came}", LONG), style)
    if proof.do:
        yield Text(""), Text(plain(proof.do, LONG))
