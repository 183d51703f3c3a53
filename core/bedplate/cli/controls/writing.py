"""Writing to machines: whether, by whom, within what, and who can stop it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bedplate.cli.controls.owners import changer
from bedplate.cli.controls.scene import Proof, Scene, held, told, weak
from bedplate.command.kill_switch import thrown
from bedplate.config.deployment import TagSpec
from bedplate.server.writes import KILL_SWITCH

LIMITED = {"bool", "text", "blob"}  # of which no range can be told


def writes(scene: Scene) -> Iterator[Proof]:
    wanted = scene.deployment.writes
    if not wanted.enabled:
        yield held("writes", "writes.enabled", "off: no command leaves for any machine")
        return
    tags = [tag for one in scene.deployment.components for tag in one.tags if tag.write]
    rules = [
        f"{rule.role} {' '.join(rule.tags)}" + (f" during {rule.during}" if rule.during else "")
        + (", two people" if rule.second_person else "")
        for rule in wanted.allow
    ]  # fmt: skip
    yield told(
        "writes",
        f"on, {len(tags)} tag{'s' if len(tags) != 1 else ''} with `write`",
        "; ".join(rules) or "nobody is allowed to",
    )
    guards = scene.deployment.of_kind("security")
    if not guards:
        came = "whoever has the one token of this user writes; nobody can say who it was"
        do = "security: {access: {use: access}}"
        yield weak("writers", "who writes", came, do)
    for tag in tags:
        if not _limited(tag):
            do = f"write: {{range: [least, most]}} of {tag.path}"
            yield weak("write-limits", tag.path, "any number may be written", do)
    yield from _kill_switches(scene)


def _limited(tag: TagSpec) -> bool:
    limits = tag.write
    return tag.data_type in LIMITED or bool(tag.states) or bool(limits and limits.range)


def _kill_switches(scene: Scene) -> Iterator[Proof]:
    own = scene.deployment.writes.kill_switch
    switches = [KILL_SWITCH, *([scene.deployment.folder(own)] if own else [])]
    for path in switches:
        yield from _kill_switch(scene, path, needed=path != KILL_SWITCH)
    if stopped := thrown(switches):
        yield told("kill-switch", "whether it is thrown", stopped)


def _kill_switch(scene: Scene, path: Path, *, needed: bool) -> Iterator[Proof]:
    tried = f"who may make and take away {path}"
    if not path.parent.is_dir():
        if needed:
            do = f"make {path.parent}, for those who may stop writing"
            yield weak("kill-switch", tried, "its folder is not there: nobody can throw it", do)
        return
    if who := changer(path.parent, scene.users):
        # A group of people who may stop it is what one wants; everybody, or a stranger, is not.
        if "by group" in who:
            yield held("kill-switch", tried, who)
            return
        do = f"chown and chmod {path.parent}: who can take it away lets writing go on"
        yield weak("kill-switch", tried, who, do)
        return
    yield held("kill-switch", tried, "root and the user of Bedplate")
