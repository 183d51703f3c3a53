"""All controls in their groups, in the order of a way in: the door, files, plugins, the deployment, the machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bedplate.cli.controls import auditing, entrance, files, machine, plugins, writing, written
from bedplate.cli.controls.scene import Control, Proof, Scene, told

GROUPS: dict[str, tuple[Control, ...]] = {
    "who comes in": (
        entrance.listening,
        entrance.knocking,
        entrance.certificates,
        entrance.remote_plugins,
    ),
    "files": (files.private, files.unchangeable, files.apart),
    "plugins": (
        plugins.policy,
        plugins.isolation,
        plugins.inline,
        plugins.startup,
        plugins.signed,
    ),
    "deployment": (written.secrets, written.devices, written.collectors),
    "writing": (writing.writes,),
    "audit log": (auditing.chain,),
    "machine": (machine.user, machine.dumps, machine.clock, machine.disk),
}


def tried(scene: Scene) -> Iterator[Proof]:
    """One after the other. What this user may not look at is told as not tried, and stops no other."""
    for group, controls in GROUPS.items():
        for control in controls:
            yield from (replace(proof, group=group) for proof in _tried(control, scene))


def _tried(control: Control, scene: Scene) -> Iterator[Proof]:
    try:
        yield from control(scene)
    except OSError as error:
        why = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
        who = "look again as the user of Bedplate, or as root"
        yield told(control.__name__, why, f"not tried: {who}")
