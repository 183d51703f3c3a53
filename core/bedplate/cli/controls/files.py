"""Files that nobody else may read, and files that nobody else may change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bedplate.audit.checkpoint import NAME as SIGNING
from bedplate.audit.files import files_of
from bedplate.audit.key_file import NAME as AUDIT_KEY
from bedplate.cli.controls.owners import changer, reader
from bedplate.cli.controls.scene import Proof, Scene, held, weak
from bedplate.config import Component
from bedplate.config.secret_files import ANYBODY_ELSE, OTHERS
from bedplate.config.secrets import file_of, references
from bedplate.errors import BedplateError
from bedplate.isolation import Grant
from bedplate.runtime.confining import grant_of
from bedplate.server.rooms import misplaced
from bedplate.shown import some


def private(scene: Scene) -> Iterator[Proof]:
    """One proof for each kind of file; one for each file that is open."""
    yield from _closed("token", [scene.home, *_of_home(scene.home)])
    yield from _closed("keys", _keys(scene))
    yield from _closed("audit-files", _audit(scene))
    yield from _closed("users", _of_modules(scene))
    yield from _closed("secret-files", _secrets(scene), OTHERS)
    identity = scene.deployment.secrets.identity
    if identity:
        yield from _closed("secret-files", [scene.deployment.folder(identity)], ANYBODY_ELSE)
    yield from _data(scene)


def _data(scene: Scene) -> Iterator[Proof]:
    """What machines said: a group may read it, everybody may not."""
    deployment = scene.deployment
    folders = [deployment.folder(deployment.journal.folder)]
    for component in deployment.of_kind("connector"):
        folders += granted(scene, component).writes
    there = [folder for folder in dict.fromkeys(folders) if folder.is_dir()]
    wrong = [(folder, why) for folder in there if (why := reader(folder, OTHERS))]
    for folder, why in wrong:
        yield weak("data", f"mode of {folder.name}", why, f"chmod o-rwx {folder}")
    if there and not wrong:
        yield held("data", f"modes of {_names(there)}", "not for everybody")


def _closed(control: str, files: Iterable[Path], open_to: int = ANYBODY_ELSE) -> Iterator[Proof]:
    there = [path for path in dict.fromkeys(files) if path.exists()]
    wrong = [(path, why) for path in there if (why := reader(path, open_to))]
    for path, why in wrong:
        do = f"chmod {'700' if path.is_dir() else '600'} {path}; what others may have read, change"
        yield weak(control, f"mode of {path.name}", why, do)
    if there and not wrong:
        count = f"{len(there)} files and folders" if len(there) > 1 else str(there[0])
        yield held(control, f"modes of {count}", "nobody else may read them")


def _of_home(home: Path) -> Iterator[Path]:
    yield home / "token"
    for folder in ("endpoints", "remembered", "run"):
        yield home / folder
        yield from sorted((home / folder).glob("*.json"))


def _keys(scene: Scene) -> Iterator[Path]:
    deployment = scene.deployment
    for written in (deployment.api.tls, deployment.plugins.tls, deployment.audit.tls):
        if written:
            yield deployment.folder(written) / "key.pem"


def _audit(scene: Scene) -> Iterator[Path]:
    folder = scene.deployment.folder(scene.deployment.audit.folder)
    yield from (folder / name for name in (AUDIT_KEY, SIGNING, "verification.key"))
    if folder.is_dir():
        yield from files_of(folder)


def _of_modules(scene: Scene) -> Iterator[Path]:
    """What security modules keep: users, tokens, keys of a CA. A folder that is closed closes all below it."""
    for component in scene.deployment.of_kind("security"):
        yield from granted(scene, component).writes


def _secrets(scene: Scene) -> Iterator[Path]:
    for component in scene.deployment.components:
        for reference in references(component.settings):
            if reference.startswith("file:"):
                yield scene.deployment.folder(file_of(reference))


def granted(scene: Scene, component: Component) -> Grant:
    """What a component may have; nothing where that can't be told."""
    try:
        return grant_of(component, scene.offers[component.use], scene.deployment)
    except (BedplateError, KeyError):
        return Grant()


def unchangeable(scene: Scene) -> Iterator[Proof]:
    """What decides what runs: the file and its tables, plugins, policies, trust, the libraries."""
    deployment, file = scene.deployment, Path(scene.deployment.source.file).absolute()
    tables = [scene.folder / name for name in deployment.source.tables]
    yield from _kept(scene, "deployment-file", [file, *tables])
    folders = [deployment.folder(one) for one in deployment.plugins.folders]
    plugins = deployment.plugins.home
    folders.append(deployment.folder(plugins) if plugins else scene.home / "plugins")
    yield from _kept(scene, "plugin-folders", [f for f in folders if f.exists()])
    names = ("trusted.json", "trusted", "publishers")
    yield from _kept(scene, "trust", [scene.home / n for n in names if (scene.home / n).exists()])
    policies = [
        path
        for component in deployment.of_kind("security")
        for path in granted(scene, component).reads
    ]
    yield from _kept(scene, "policies", policies)
    yield from _kept(scene, "libraries", [*scene.site])


def _kept(scene: Scene, control: str, paths: list[Path]) -> Iterator[Proof]:
    wrong = [why for path in paths if (why := changer(path, scene.users))]
    for why in dict.fromkeys(wrong):
        yield weak(control, "who may change it", why, "chmod go-w, chown: it decides what runs")
    if paths and not wrong:
        yield held(control, f"who may change {_names(paths)}", "its user alone")


def _names(paths: list[Path]) -> str:
    return some([path.name for path in paths])


def apart(scene: Scene) -> Iterator[Proof]:
    """Folders within one another, links, and what everybody may write."""
    problems = [
        p for p in misplaced(scene.deployment) if "may be changed by everybody" not in p.text
    ]
    tried = "journal, audit log, plugins and the file lie apart"
    for problem in problems:
        yield weak("places", tried, problem.text, f"bedplate run refuses it: {problem.path}")
    if not problems:
        yield held("places", tried, "none lies within another, none is a link")
