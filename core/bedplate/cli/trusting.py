"""`bedplate plugins trust`, `untrust` and `trusted`: which plugins `policy: trusted` admits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bedplate.cli.frame import Invocation, command
from bedplate.cli.granting import INLINE, confirm, grant_options, now, plain_words, who

if TYPE_CHECKING:
    from bedplate.admission.subject import Subject
    from bedplate.admission.trust import Grant


@command(local=True)
@click.argument("names", nargs=-1, required=True, metavar="PLUGIN...")
@grant_options
def trust(
    invocation: Invocation, names: tuple[str, ...], grants: tuple[str, ...], yes: bool
) -> None:
    """Trust a plugin as it is now, file by file.

    PLUGIN is the name of an installed one, a plugin folder, or a Python file. Shows what it would be allowed, and asks.
    A file that changes later ends the trust: where the deployment says `policy: trusted` it is then not started.
    """
    from bedplate.admission.reading import places_of
    from bedplate.admission.subject import subject_of
    from bedplate.admission.survey import survey

    granted = []
    for name in names:
        subject = subject_of(name, lambda: survey(places=places_of(None)).candidates)
        granted.append(_trust(invocation, subject, grants, yes))
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json([grant.to_dict() for grant in granted])


def _trust(invocation: Invocation, subject: Subject, grants: tuple[str, ...], yes: bool) -> Grant:
    from bedplate.admission.artefact import digest
    from bedplate.admission.trust import Grant, TrustFile
    from bedplate.bundle.installing import installed_from
    from bedplate.endpoints import home

    record = installed_from(subject.artefact.root)
    key = record.get("key", "")
    measure = subject.artefact.measure()
    sha = digest(measure)
    if not invocation.json:
        told = (
            f"signed by {record.get('publisher') or 'key'} ({key})" if key else "signed by nobody"
        )
        show_request(invocation, f"{subject.name} {subject.version}", subject.permissions)
        lines = [INLINE] if subject.inline else []
        lines += [f"{len(measure)} files, sha256 {sha[:16]}…, {told}", *subject.notes]
        for line in lines:
            invocation.screen.show(f"  {line}")
        invocation.screen.flush()
    confirm(f"Trust {subject.name} {subject.version}?", subject.permissions, grants, yes)
    grant = Grant(subject.name, subject.version, sha, subject.permissions, key, who(), now())
    TrustFile(home()).add(grant, measure)
    if not invocation.json:
        invocation.screen.show(f"{subject.name} {subject.version} is trusted.")
    return grant


def show_request(invocation: Invocation, what: str, permissions: object) -> None:
    """What it would be allowed."""
    from bedplate.admission.permissions import Permissions

    assert isinstance(permissions, Permissions)
    screen = invocation.screen
    screen.show(f"{what} would be allowed to")
    for line in plain_words(permissions):
        screen.show(f"  · {line}")


@command(local=True)
@click.argument("name")
@click.argument("version", default="")
def untrust(invocation: Invocation, name: str, version: str) -> None:
    """Take the trust in a plugin back: in one VERSION, or in all. What runs goes on until its next start."""
    from bedplate.admission.trust import TrustFile
    from bedplate.endpoints import home
    from bedplate.errors import BedplateError

    trust = TrustFile(home())
    gone = trust.remove(name, version) or trust.remove(_distribution(name), version)
    if not gone:
        raise BedplateError(
            f"{f'{name} {version}'.strip()} is not trusted; bedplate plugins trusted lists those that are"
        )
    _say(invocation, gone, "is not trusted any more")


def _distribution(name: str) -> str:
    """Of what was named as `trust` takes it; the same word when there is none."""
    from bedplate.admission.reading import places_of
    from bedplate.admission.subject import subject_of
    from bedplate.admission.survey import survey
    from bedplate.errors import AdmissionError

    try:
        return subject_of(name, lambda: survey(places=places_of(None)).candidates).name
    except AdmissionError:
        return name


@command(local=True)
def trusted(invocation: Invocation) -> None:
    """Which plugins are trusted, by whom, since when, and what they may do."""
    from bedplate.admission.trust import TrustFile
    from bedplate.endpoints import home

    grants = TrustFile(home()).grants()
    if invocation.json:
        _say(invocation, grants, "")
        return
    if not grants:
        invocation.screen.show("no plugin is trusted; bedplate plugins trust PLUGIN")
        return
    from bedplate.bundle.publishers import Publishers

    names = {p.key.name: p.name for p in Publishers(home()).all()}
    for grant in grants:
        key = names.get(grant.publisher, f"key {grant.publisher}") if grant.publisher else "nobody"
        told = (
            f"signed by {key}, trusted {grant.at[:10]} by {grant.by}, sha256 {grant.sha256[:12]}…"
        )
        may = ", ".join(grant.permissions.words()) or "no more than any plugin"
        invocation.screen.show(f"{grant.name} {grant.version}")
        invocation.screen.show(f"  {told}")
        invocation.screen.show(f"  may: {may}")


def _say(invocation: Invocation, grants: tuple[Grant, ...], what: str) -> None:
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json([grant.to_dict() for grant in grants])
        return
    for grant in grants:
        invocation.screen.show(f"{grant.name} {grant.version} {what}.")
