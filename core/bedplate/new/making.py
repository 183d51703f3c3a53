"""A package made of a template: files copied, one name replaced in paths and in text.

Rule: a template is itself a package that works, called my-thing, so that our own tools judge it as it stands. Its name
comes in three spellings: my-thing (what `use:` says), my_thing (Python), MyThing (the class). A name in the form
dot.x becomes .x, since a package must not bring a .gitignore of its own. Nothing else is replaced. What packages in
Node or Go have in common lies once, in folders beside the kinds, and is copied into each.
"""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

KINDS = ("connector", "analytic", "security", "app")
LANGUAGES = ("python", "node", "go")
MAX_NAME = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_TAKEN = {"bedplate", "plugin", "test", "tests", *KINDS, "sim", "cmd", "pb", "protos"}
_CONTRACT = {  # packages of protos/ that a kind speaks
    "connector": ("record", "plugin", "connector"),
    "analytic": ("record", "plugin", "analytic"),
    "security": ("record", "plugin", "security"),
    "app": ("record", "plugin", "connector", "api"),
}
_SKIPPED = {"__pycache__", "node_modules", ".pytest_cache"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made. name: as `use:` will say it."""

    kind: str
    name: str
    language: str = "python"

    @property
    def spellings(self) -> dict[str, str]:
        """What stands in the template → what stands in the package."""
        words = self.name.split("-")
        camel = "".join(word.capitalize() for word in words)
        return {"my-thing": self.name, "my_thing": "_".join(words), "MyThing": camel}


def make(wanted: Wanted, folder: Path) -> list[Path]:
    """Writes the package and returns its files, relative to the folder.

    Raises BedplateError when the name can't be one, there is no such template, or the folder holds something already.
    """
    if problem := name_problem(wanted):
        raise BedplateError(problem)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BedplateError(f"{folder} is there already; choose another --folder")
    written = []
    for inner, source in sorted(_sources(wanted), key=lambda pair: pair[0]):
        target = folder / _replaced(inner, wanted)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_replaced(source.read_text(encoding="utf-8"), wanted), encoding="utf-8")
        if target.parent.name == ".ci":
            target.chmod(0o755)
        written.append(target.relative_to(folder))
    return sorted(written)


def name_problem(wanted: Wanted) -> str:
    """Why a package can't have this name, with one that it could have; empty when it can."""
    name = wanted.name
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        hint = f"; write {near}" if (near := _near(name)) else ""
        form = f"lower-case letters, digits and single -, such as acme-press, at most {MAX_NAME}"
        return f"{name!r} can't be a name: {form}{hint}"
    if name in _TAKEN or (wanted.kind == "app" and _shadows(wanted.spellings["my_thing"])):
        return f"{name!r} means something already; say what it is for, such as acme-{name}"
    return ""


def _near(name: str) -> str:
    """The name that was meant; empty when there is no telling."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
    near = re.sub(r"[^a-z0-9]+", "-", apart).lstrip("-0123456789")[:MAX_NAME].strip("-")
    return near if _NAME.fullmatch(near) else ""


def _shadows(module: str) -> bool:
    """Whether Python would take this module for its own."""
    return keyword.iskeyword(module) or module in sys.stdlib_module_names


def _sources(wanted: Wanted) -> Iterator[tuple[str, Traversable]]:
    """Every file of the package, with its path there. Raises BedplateError when there is no such template."""
    top = resources.files("bedplate") / "new" / "templates"
    language = top / wanted.language
    if not (language / wanted.kind).is_dir():
        raise BedplateError(f"no template of the kind {wanted.kind} in {wanted.language}")
    yield from _files(language / wanted.kind, "")
    if wanted.language == "python":
        return
    yield from _files(top / "folder" / wanted.kind, "")
    yield from _files(language / "any", "")
    if wanted.kind != "app":
        yield from _files(language / "plugin", "")
    if wanted.kind != "connector":
        yield from _files(top / "folder" / "wave", "")
    for area in _CONTRACT[wanted.kind]:
        folder = f"bedplate/{area}/v1"
        yield from _files(_protos() / folder, f"protos/{folder}/")
        if wanted.language == "go":
            yield from _files(language / "pb" / area, f"pb/{area}/")
    yield "protos/README.md", _protos() / "README.md"


def _files(folder: Traversable, inside: str) -> Iterator[tuple[str, Traversable]]:
    """Every file with its path in the package."""
    for entry in folder.iterdir():
        if entry.name in _SKIPPED:
            continue
        name = inside + (f".{entry.name[4:]}" if entry.name.startswith("dot.") else entry.name)
        if entry.is_dir():
            yield from _files(entry, f"{name}/")
        else:
            yield name, entry


def _protos() -> Traversable:
    """The contract, for languages that are made from it. It lies in the package, and in a checkout at its top."""
    packaged = resources.files("bedplate") / "new" / "protos"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "protos"


def _replaced(text: str, wanted: Wanted) -> str:
    for placeholder, spelling in wanted.spellings.items():
        text = text.replace(placeholder, spelling)
    return text
