"""`bedplate install` and `uninstall`: plugins from bundles, without a network; `plugins back` and `use`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.frame import Invocation, command
from bedplate.cli.granting import confirm, grant_options, now, who

if TYPE_CHECKING:
    from bedplate.admission.trust import Grant
    from bedplate.bundle.installing import Offered, Places
    from bedplate.bundle.shelf import Installed, Shelf

home_option = click.option(
    "--home",
    "plugins_home",
    type=click.Path(path_type=Path),
    help="Plugins home, where the deployment file names one; by default that of this user.",
)


@command(local=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--key", help="Take this public key too, this once: a file of minisign, or the line itself."
)
@click.option(
    "--unsigned",
    metavar="NAME",
    default="",
    help="Take a bundle that nobody signed, of this plugin alone.",
)
@click.option("--trust", is_flag=True, help="Trust it too, as `bedplate plugins trust` does.")
@grant_options
@home_option
def install(invocation: Invocation, file: Path, **said: Any) -> None:
    """Verifies FILE, a bundle, and installs it beside its other versions, in an environment of its own.

    Fetches nothing.

    The new version is used from the next start on. One that may no more than the one you trust, signed by the same
    key, is trusted with it; one that asks for more is a new question.
    """
    from bedplate.bundle.installing import install as put
    from bedplate.bundle.publishers import key_of

    def decide(offered: Offered) -> Grant | None:
        return _decide(invocation, offered, said["trust"], said["grants"], said["yes"])

    key = key_of(said["key"]) if said["key"] else None
    places = _places(said["plugins_home"])
    done, grant = put(file, places, decide, key=key, unsigned=said["unsigned"])
    if invocation.json:
        from bedplate.cli.output import write_json

        told = {"name": done.name, "version": done.version, "folder": str(done.folder)}
        write_json(told | {"trusted": grant.to_dict() if grant else None})
        return
    trusted = "trusted" if grant else f"not trusted yet: bedplate plugins trust {done.name}"
    invocation.screen.show(f"{done.name} {done.version} is installed in {done.folder}; {trusted}.")
    invocation.screen.show(
        "What runs now goes on with what it has; the next `bedplate run` uses it."
    )


def _decide(
    invocation: Invocation, offered: Offered, trust: bool, grants: tuple[str, ...], yes: bool
) -> Grant | None:
    """The operator's word, asked only where it is needed."""
    from bedplate.admission.trust import Grant
    from bedplate.cli.trusting import show_request

    told = offered.contents
    what = f"{told.name} {told.version}"
    grant = Grant(told.name, told.version, "", told.manifest.permissions, offered.key, who(), now())
    if not invocation.json:
        by = (
            f"signed by {offered.publisher or 'key'} ({offered.key})"
            if offered.key
            else "signed by nobody"
        )
        invocation.screen.show(f"{what}, {by}")
        invocation.screen.flush()
    if offered.carried:
        return grant
    if offered.before is None and not trust:
        return None
    if not invocation.json:
        show_request(invocation, what, told.manifest.permissions)
        if offered.before:
            invocation.screen.show(f"  {_new(offered, offered.before)}")
        invocation.screen.flush()
    confirm(_question(offered), told.manifest.permissions, grants, yes)
    return grant


def _question(offered: Offered) -> str:
    what = f"{offered.contents.name} {offered.contents.version}"
    if offered.more:
        return f"{what} asks for more than you granted: {', '.join(offered.more)}. Trust it?"
    return f"Trust {what}?"


def _new(offered: Offered, before: Grant) -> str:
    if offered.more:
        return f"new since {before.version}: {', '.join(offered.more)}"
    who_was = f"key {before.publisher}" if before.publisher else "nobody"
    return f"{before.version}, which you trust, was signed by {who_was}"


@command(local=True)
@click.argument("name")
@click.argument("version", default="")
@home_option
def uninstall(invocation: Invocation, name: str, version: str, plugins_home: Path | None) -> None:
    """Takes away an installed plugin, or one VERSION of it, its copies and the trust in it.

    Stop what runs from it first.
    """
    from bedplate.admission.artefact import remove
    from bedplate.admission.reading import STORE

    places = _places(plugins_home)
    gone = places.shelf.take_away(name, version)
    for one in gone:
        places.trust.remove(one.name, one.version)
    trusted = {grant.sha256 for grant in places.trust.grants()}
    for copy in (places.shelf.home / STORE).glob("[0-9a-f]*"):
        if copy.name not in trusted:
            remove(copy)
    _say(invocation, gone, "is uninstalled")


@command(local=True)
@click.argument("name")
@home_option
def back(invocation: Invocation, name: str, plugins_home: Path | None) -> None:
    """Use the version of an installed plugin that was used before this one, from the next start on."""
    _say(invocation, (_shelf(plugins_home).back(name),), "is used from the next start on")


@command(local=True)
@click.argument("name")
@click.argument("version")
@home_option
def use(invocation: Invocation, name: str, version: str, plugins_home: Path | None) -> None:
    """Use another VERSION of an installed plugin, from the next start on."""
    _say(invocation, (_shelf(plugins_home).use(name, version),), "is used from the next start on")


def _say(invocation: Invocation, which: tuple[Installed, ...], what: str) -> None:
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json([{"name": w.name, "version": w.version, "folder": str(w.folder)} for w in which])
        return
    for one in which:
        invocation.screen.show(f"{one.name} {one.version} {what}.")


def _places(plugins_home: Path | None) -> Places:
    from bedplate.admission.trust import TrustFile
    from bedplate.bundle.installing import Places
    from bedplate.bundle.publishers import Publishers
    from bedplate.endpoints import home

    return Places(_shelf(plugins_home), TrustFile(home()), Publishers(home()))


def _shelf(plugins_home: Path | None) -> Shelf:
    from bedplate.bundle.shelf import Shelf
    from bedplate.endpoints import home

    return Shelf(plugins_home.absolute() if plugins_home else home() / "plugins")
