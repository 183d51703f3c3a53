"""`bedplate plugins show`: what a plugin may do, and who holds it to that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from bedplate.cli.frame import Invocation, command
from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from bedplate.admission.candidate import Candidate
    from bedplate.isolation.claims import Claim

LEVELS = ("L0", "L1", "L2", "L3")
TITLES = {
    "the kernel": "enforced by the kernel",
    "the OS": "enforced by the operating system",
    "declared only": "declared only",
}


@command(local=True)
@click.argument("name", metavar="PLUGIN")
@click.option("--level", type=click.Choice(LEVELS), help="As it would be at this level.")
def show(invocation: Invocation, name: str, level: str | None) -> None:
    """What a plugin may do, and who holds it to each of it.

    The kernel, the operating system at the level that this machine gives by itself, or nobody. L0 is `placement:
    inline`. PLUGIN: what `use:` names, a distribution, or a folder or file with a plugin.
    """
    from bedplate.isolation.claims import claims
    from bedplate.isolation.machine import Level, this_machine

    candidate = _find(name)
    machine = this_machine(bubblewrap=True)
    least = machine.default if candidate.manifest else Level.L1
    wanted = Level(level) if level else least
    if not candidate.manifest and wanted > Level.L1:
        raise BedplateError(f"{name} has no manifest, so nobody can tell what it needs: L1 at most")
    why = machine.why_not.get(wanted, "")
    found = claims(_permissions(candidate), wanted, machine.landlock)
    if invocation.json:
        _write(candidate, wanted, why, found)
        return
    _show(invocation, candidate, [f"{wanted}, {wanted.words}", why], found)


def _find(name: str) -> Candidate:
    from pathlib import Path

    from bedplate.admission.reading import places_of
    from bedplate.admission.survey import survey

    given = [Path(name)] if Path(name).exists() and ("/" in name or name.endswith(".py")) else []
    candidates = survey(given, places=places_of(None)).candidates
    places = [path.absolute() for path in given]
    fits = [c for c in candidates if c.place in places or name in (c.name, c.distribution, *c.uses)]
    if not fits:
        raise BedplateError(f"there is no plugin {name}; `bedplate plugins` lists all")
    fits.sort(key=lambda candidate: not candidate.usable)
    if not fits[0].usable:
        how = "is refused" if fits[0].verdict == "refused" else fits[0].verdict
        raise BedplateError(f"{name} {how}: {fits[0].reason}")
    return fits[0]


def _permissions(candidate: Candidate) -> Any:
    from bedplate.admission.permissions import Permissions

    return candidate.manifest.permissions if candidate.manifest else Permissions()


def _write(candidate: Candidate, level: Any, why: str, found: list[Claim]) -> None:
    from dataclasses import asdict

    from bedplate.cli.output import write_json

    told = {"distribution": candidate.distribution, "version": candidate.version}
    write_json(
        {
            "name": candidate.name,
            **told,
            "level": str(level),
            "not_here": why,
            "permissions": [asdict(claim) for claim in found],
        }
    )


def _deliveries(candidate: Candidate) -> Iterator[str]:
    """What comes twice after a crash, in words, where it matters."""
    for offer in candidate.offers:
        if "deliver" in offer.capabilities:
            counts = "counts once" if offer.idempotent else "may count twice"
            yield f"{offer.use}: a record that comes again after a crash {counts} there"
        elif offer.replay != "none":
            how = {"session": "while its session lives", "cursor": "from any position that it kept"}
            yield f"{offer.use}: its source sends again what was not on disk, {how[offer.replay]}"


def _show(invocation: Invocation, candidate: Candidate, how: list[str], found: list[Claim]) -> None:
    from rich.text import Text

    from bedplate.cli.screen import Column, table

    screen = invocation.screen
    offers = "; ".join(
        f"{offer.use}, {offer.kind}"
        + (f": {', '.join(offer.capabilities)}" if offer.capabilities else "")
        for offer in candidate.offers
    )
    screen.show(f"{candidate.distribution} {candidate.version} · {offers}")
    if candidate.place:
        screen.show(f"in {candidate.place}, run by {candidate.runs}")
    for line in _deliveries(candidate):
        screen.show(line)
    screen.show(f"at {how[0]}" + (f"; not on this machine: {how[1]}" if how[1] else ""))
    width = max(len(f"{one.permission} {one.what}") for one in found)
    for by, title in TITLES.items():
        rows = [
            (
                Text(
                    f"{one.permission} {one.what}".rstrip(),
                    "yellow" if by == "declared only" else "",
                ),
                one.how,
            )
            for one in found
            if one.by == by
        ]
        if rows:
            screen.show("")
            screen.show(
                table([Column(title, width=min(width, 40), wraps=True), Column(wraps=True)], rows)
            )
