"""What runs: which plugins, from whom, held how, and what runs though nobody asked for it."""

from __future__ import annotations

from collections.abc import Iterator

from bedplate.bundle.publishers import Publishers
from bedplate.cli.controls.scene import Proof, Scene, held, told, weak
from bedplate.config import Component
from bedplate.errors import BedplateError
from bedplate.isolation import Level, choose
from bedplate.runtime.confining import grant_of
from bedplate.shown import some
from bedplate.version import __version__

OPEN = "open: every plugin of this machine that the file names runs, changed or not"


def policy(scene: Scene) -> Iterator[Proof]:
    wanted = scene.deployment.plugins.policy
    if wanted != "trusted":
        do = "plugins: {policy: trusted}, and bedplate plugins trust NAME"
        yield weak("plugins-policy", "plugins.policy", OPEN, do)
        return
    for reason in scene.refused:
        do = "find out who changed it; then bedplate plugins trust NAME"
        yield weak("plugins-changed", "sha256 of every file of each plugin", reason, do)
    if not scene.refused:
        came = f"{len(scene.offers)} plugins are, byte by byte, what was trusted"
        yield held("plugins-policy", "sha256 of every file of each plugin", came)


def signed(scene: Scene) -> Iterator[Proof]:
    """Whose bundles are taken, and from whom what runs came."""
    try:
        publishers = ", ".join(one.name for one in Publishers(scene.home).all())
    except BedplateError as error:
        yield weak("publishers", "keys of publishers", str(error), "bedplate plugins publishers")
        return
    versions = {offer.plugin: offer.version for offer in scene.offers.values()}
    names = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    came = f"signatures are taken of {publishers}" if publishers else "no publisher is trusted"
    yield told("publishers", f"Bedplate {__version__}, {names or 'no plugin'}", came)


def isolation(scene: Scene) -> Iterator[Proof]:
    """The level that each process really gets here, against the least that the file allows."""
    least = Level(scene.deployment.plugins.min_isolation)
    levels: dict[str, list[str]] = {}
    for component in scene.deployment.components:
        if component.placement == "process":
            levels.setdefault(_level(scene, component, least), []).append(component.id)
    here = f"on this machine ({scene.machine(bubblewrap=True).words()})"
    yield from (_reached(f"{some(ids)} {here}", level) for level, ids in sorted(levels.items()))
    for name, level in scene.levels.items():
        if level and level not in levels and level != Level.L0:
            yield _reached(f"process {name}, as its kernel says", level)
    if least < Level.L2:
        do = "plugins: {min_isolation: L2}"
        came = f"{least}: a machine that can do less would run them all the same"
        yield weak("min-isolation", "plugins.min_isolation", came, do)
    else:
        yield held("min-isolation", "plugins.min_isolation", f"{least} or it does not run")


def _reached(tried: str, level: str) -> Proof:
    if level in (Level.L2, Level.L3):
        return held("isolation", tried, f"{level}, {Level(level).words}")
    do = "a machine with Landlock and seccomp, and plugins with a manifest"
    return weak("isolation", tried, level, do)


def _level(scene: Scene, component: Component, least: Level) -> str:
    """L0 to L3; a sentence where that can't be had."""
    try:
        grant = grant_of(component, scene.offers[component.use], scene.deployment)
        machine = scene.machine(bubblewrap=least is Level.L3)
        return str(choose(machine, least, unconfined=grant.unconfined))
    except BedplateError as error:
        return f"does not run: {error}"


def inline(scene: Scene) -> Iterator[Proof]:
    placed = [one.id for one in scene.deployment.components if one.placement == "inline"]
    tried = "components inside the kernel"
    for id in placed:
        do = f"take `placement: inline` from {id}, unless you wrote it and must"
        yield weak("inline", tried, f"{id} has all rights of the kernel, and its hooks too", do)
    if not placed:
        yield held("inline", tried, "none")
    remote = [one.id for one in scene.deployment.components if one.placement == "remote"]
    if remote:
        came = "how it is confined there, nobody can tell here"
        yield told("remote", some(remote), came)


def startup(scene: Scene) -> Iterator[Proof]:
    found = scene.startup()
    tried = ".pth, sitecustomize and usercustomize of this Python"
    for code in found:
        yield weak("startup-code", tried, f"{code.path} {code.why}", "find out who put it there")
    if not found:
        yield held("startup-code", tried, "all as installed")
