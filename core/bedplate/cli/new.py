"""`bedplate new`: a package of an author's own, whose tests pass as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedplate.cli.frame import Invocation, command
from bedplate.new import KINDS, LANGUAGES

if TYPE_CHECKING:
    from bedplate.new import Wanted


@command(local=True)
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.option(
    "--lang",
    "language",
    type=click.Choice(LANGUAGES),
    default="python",
    show_default=True,
    help="What it is written in.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where it is made; by default bedplate-NAME, an app NAME, here.",
)
def new(invocation: Invocation, kind: str, name: str, language: str, folder: Path | None) -> None:
    """Makes plugin, settings, manifest, simulator, tests, README and a script for continuous integration.

    NAME is what `use:` will say in a deployment file: acme-press. An app is a program of its own beside Bedplate.
    """
    from bedplate.new import Wanted, make

    wanted = Wanted(kind, name, language)
    if kind != "app":
        _refuse_taken(name)
    folder = folder or Path(name if kind == "app" else f"bedplate-{name}")
    files = make(wanted, folder)
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json({"folder": str(folder), "files": list(map(str, files))})
        return
    click.echo(f"{folder}: {len(files)} files")
    for file in files:
        click.echo(f"  {file}")
    click.echo("\nnext")
    for line in (f"cd {folder}", *_steps(wanted)):
        click.echo(f"  {line}")
    click.echo(f"then begin with {_first_file(wanted)}")


def _steps(wanted: Wanted) -> list[str]:
    """What to type next; the template's README says more."""
    tests = {
        "python": ["python -m pip install -e '.[test]'", "pytest"],
        "node": ["npm install", "node --test"],
        "go": ["go test ./...", "make"],
    }
    judged = [] if wanted.kind == "app" else ["bedplate conformance ."]
    return [*tests[wanted.language], *judged]


def _first_file(wanted: Wanted) -> str:
    """Where an author begins."""
    if wanted.language != "python":
        plugin, app = {"node": ("plugin.js", "app.js"), "go": ("thing.go", "main.go")}[
            wanted.language
        ]
        return app if wanted.kind == "app" else plugin
    module = wanted.name.replace("-", "_")
    return f"{module if wanted.kind == 'app' else f'bedplate_{module}'}/__init__.py"


def _refuse_taken(name: str) -> None:
    """Two plugins that offer one name are both refused later; better now."""
    from bedplate.admission.survey import survey
    from bedplate.errors import BedplateError

    taken = survey().offers.get(name)
    if taken:
        raise BedplateError(
            f"`{name}` is offered by {taken.plugin} {taken.version}, and of two neither could be used;"
            " choose another name"
        )
