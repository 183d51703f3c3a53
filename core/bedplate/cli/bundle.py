"""`bedplate bundle`: a plugin as one file that can be installed without a network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedplate.cli.frame import Invocation, command
from bedplate.cli.granting import PASSWORD

if TYPE_CHECKING:
    from bedplate.bundle.minisign import SecretKey


@command(local=True)
@click.argument("plugin", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where to; by default NAME-VERSION.bedplate, here.",
)
@click.option(
    "--key", type=click.Path(path_type=Path), help="Sign it with this secret key of minisign."
)
@click.option(
    "--wheels",
    type=click.Path(path_type=Path),
    help="Folder with the wheels of all that it depends on; then nothing is fetched.",
)
@click.option(
    "--platform",
    is_flag=True,
    help="PLUGIN is a folder with the wheels of a whole Bedplate, for `bedplate upgrade`.",
)
def bundle(
    invocation: Invocation,
    plugin: Path,
    output: Path | None,
    key: Path | None,
    wheels: Path | None,
    platform: bool,
) -> None:
    """PLUGIN is a Python project, its wheel, or a plugin folder in any language.

    The file holds the plugin, the wheels of all it depends on (for this Python and this kind of machine), its manifest,
    a list of what it is made of (CycloneDX), the sha256 of everything, and a signature that minisign can verify.
    $BEDPLATE_KEY_PASSWORD is the key's password where nobody can be asked; `bedplate plugins publishers new-key` makes
    a key.
    """
    from bedplate.bundle import making

    if platform:
        _platform(invocation, plugin, output, _read_key(key) if key else None)
        return
    made = making.bundle(plugin, output, wheels, _read_key(key) if key else None)
    if invocation.json:
        from dataclasses import asdict

        from bedplate.cli.output import write_json

        write_json({k: str(v) if isinstance(v, Path) else v for k, v in asdict(made).items()})
        return
    what = f"{made.parts} {'wheels' if made.form == 'wheels' else 'files'}"
    signed = (
        f"signed with key {made.key}"
        if made.key
        else "not signed: who installs it must say --unsigned"
    )
    show = invocation.screen.show
    show(f"{made.file}: {made.name} {made.version}, {what}, {made.size / 1e6:,.1f} MB, {signed}")
    show(f"sha256 {made.sha256}")


def _platform(
    invocation: Invocation, folder: Path, output: Path | None, key: SecretKey | None
) -> None:
    from bedplate.upgrade.platform_bundle import make

    file, made = make(folder, output, key)
    signed = f"signed with key {key.public.name}" if key else "not signed"
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json({"file": str(file), "version": made.version, "wheels": made.wheels})
        return
    size = file.stat().st_size / 1e6
    text = f"{file}: Bedplate {made.version}, {len(made.wheels)} wheels, {size:,.1f} MB, {signed}"
    invocation.screen.show(text, wrap=False)


def _read_key(file: Path) -> SecretKey:
    from bedplate.bundle.minisign import read_secret

    def password() -> str:
        known = os.environ.get(PASSWORD)
        return known if known else str(click.prompt(f"Password of {file}", hide_input=True))

    return read_secret(file.read_bytes(), str(file), password)
