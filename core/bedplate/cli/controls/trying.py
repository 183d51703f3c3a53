"""All controls in their groups, in the order of a way in: the door, files, plugins, the deployment, the machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bedplate.cli.controls import auditing, entrance, files, machine, plugins, writing, written
from bedplate.cli.controls.scene import Control, Proof, Scene

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
    for group, controls in GROUPS.items():
        for control in controls:
            yield from (replace(proof, group=group) for proof in control(scene))
