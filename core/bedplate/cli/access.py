"""`bedplate access`: who may come in. A running Bedplate is asked what it knows; what is kept is changed in the store.

The commands of the store are those of the plugin bedplate-access and join here; the kernel knows no users.
"""

from __future__ import annotations

from pathlib import Path

import click

from bedplate.cli.access_calls import login, logout, sessions, whoami
from bedplate.cli.access_check import check
from bedplate.cli.access_files import POLICIES, READ, access_of, policies_of, read_list
from bedplate.cli.frame import Invocation, group
from bedplate.cli.joined import Joined
from bedplate.errors import BedplateError

PLUGIN = "bedplate-access"
FIND = "bedplate.access.folder"  # in ctx.meta, for the commands that join
DEFAULT = Path("data/access")


class _Access(Joined):
    distribution = PLUGIN
    brought = ("init", "user", "token", "cert", "revoke", "changes", "test")


@group(local=True, cls=_Access)
@click.pass_context
def access(ctx: click.Context, invocation: Invocation) -> None:
    """Users, tokens and certificates are kept in a folder, which `use: access` of a deployment names; who may change
    it decides who comes in. It is --folder, that of --file, data/access, or that of the only deployment file here.

    A Bedplate that runs sees a change within a second.
    """
    ctx.meta[FIND] = folder_of
    ctx.meta[READ], ctx.meta[POLICIES] = read_list, policies_of
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


access.add_command(whoami)
access.add_command(login)
access.add_command(logout)
access.add_command(sessions)
access.add_command(check)


def folder_of(folder: Path | None, file: Path | None) -> Path:
    """Where users are kept. Raises BedplateError."""
    if folder is not None:
        return folder
    if file is not None:
        return _named_by(file)
    if DEFAULT.is_dir():
        return DEFAULT
    found = [one for one in sorted(Path().glob("*.yaml")) if "use: access" in _text(one)]
    if len(found) == 1:
        return _named_by(found[0])
    raise BedplateError(
        f"there is no {DEFAULT} here, and {'no' if not found else 'more than one'} deployment file with `use: access`;"
        " say --file FILE or --folder FOLDER"
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _named_by(file: Path) -> Path:
    """The setting `folder` of the deployment's `use: access`."""
    deployment, settings = access_of(file)
    return deployment.folder(str(settings.get("folder", DEFAULT)))
