"""An installation with nothing weak, built of files alone, which a test then weakens in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.admission.folders import NAMED, OFFER, command, plugin_folder
from tests.audit.rig import write
from tests.remote.certificates import Authority

from bedplate.admission.candidate import Survey, schemas_for
from bedplate.admission.startup_code import startup_code
from bedplate.admission.survey import survey
from bedplate.audit.anchor import take
from bedplate.audit.checkpoint import signer
from bedplate.audit.verify import verify
from bedplate.cli.controls.scene import Proof, Scene
from bedplate.cli.controls.trying import tried
from bedplate.config import load
from bedplate.isolation import Level, Machine

TEXT = """\
bedplate: 1
name: sound
path: acme/berlin
api: {listen: "127.0.0.1:7443", tls: tls}
audit: {anchor: elsewhere}
plugins: {policy: trusted, min_isolation: L2, folders: [scale]}
connectors:
  press:
    use: opcua
    endpoint_url: opc.tcp://10.0.0.12:4840
    username: bedplate
    password: {secret: "file:press.secret"}
    tags: {force: {address: "ns=3;s=Force"}}
  mixer:
    use: modbus
    host: 10.0.0.13
    tags: {speed: {address: 40, data_type: uint16, write: {range: [10, 60]}}}
security:
  access: {use: access}
writes:
  enabled: true
  kill_switch: stop/writes.disabled
  allow:
    - {role: operator, tags: ["**/speed"]}
"""


@dataclass
class Sound:
    """folder: all of it. Changes are made to `text`, to files, or to how the machine answers."""

    folder: Path
    text: str = TEXT
    machine: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def change(self, old: str, new: str) -> None:
        assert old in self.text
        self.text = self.text.replace(old, new)

    def closed(self, name: str, content: str = "", mode: int = 0o600) -> Path:
        """A file, or with no content a folder, of this mode."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content:
            path.write_text(content)
        else:
            path.mkdir(exist_ok=True)
        path.chmod(mode)
        return path

    def scene(self) -> Scene:
        file = self.folder / "plant.yaml"
        file.write_text(self.text)
        found = installed()
        deployment = load(file, schemas_for(found), found.offers)
        used = {one.use for one in deployment.components}
        offers = {use: offer for use, offer in found.offers.items() if use in used}
        site = self.folder / "site"
        scene = Scene(
            deployment,
            offers,
            self.home,
            uid=1000,
            machine=lambda **_: CONFINES,
            startup=lambda: startup_code([site]),
            discipline=lambda: "synced",
            site=[site],
        )
        return replace(scene, **self.machine)


@cache
def installed() -> Survey:
    """Looked for once: it takes half a second."""
    return survey()


CONFINES = Machine(7, None, root=False, mounts=True, bwrap=None)
CONFINES_NOTHING = replace(CONFINES, landlock=0, why_not={Level.L2: "this Linux has no Landlock"})


def sound(folder: Path) -> Sound:
    """Belongs to root or to the user of the test, and both count as Bedplate's."""
    folder.chmod(0o755)
    made = Sound(folder)
    made.closed("plant.yaml", TEXT, 0o644)
    made.closed("home", mode=0o700)
    made.closed("home/token", "f" * 64)
    made.closed("home/trusted.json", '{"schema": 1, "trusted": []}')
    made.closed("press.secret", "a long one of nobody else")
    for name in ("data/journal", "data/pki", "data/access", "data/audit"):
        made.closed(name, mode=0o700)
    made.closed("stop", mode=0o755)
    made.closed("site", mode=0o755)
    plugin_folder(folder / "scale", f"{NAMED}{command('./run')}{OFFER}", run="#!/bin/sh\n").chmod(
        0o755
    )
    Authority().kernel(folder / "tls", days=60)
    log = folder / "data/audit"
    write(log, 5)
    made.closed("elsewhere", mode=0o755)
    report = verify(log)
    take(
        folder / "elsewhere",
        signer(log).checkpoint(report.last, report.head, "2026-11-23T06:00:00Z"),
    )
    return made


def weaknesses(scene: Scene) -> dict[str, Proof]:
    """control → proof, of what is weak."""
    return {proof.control: proof for proof in tried(scene) if proof.state == "weak"}


Weaken = Callable[[Sound], Any]
