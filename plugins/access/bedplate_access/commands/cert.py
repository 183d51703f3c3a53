"""`bedplate access cert`: the built-in CA, for plants that have none."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.serialization import Encoding

from bedplate import BedplateError
from bedplate_access.authority import (
    CLIENT_DAYS,
    SERVER_DAYS,
    Authority,
    Issued,
    Wish,
    pem,
    still_needed,
    wish_of,
)
from bedplate_access.certificates import fingerprint_of, moment, until_of
from bedplate_access.commands.frame import Desk, at_desk, iso, secret, shown
from bedplate_access.commands.shown_certificate import fingerprint
from bedplate_access.handing_out import read_folder, to_folder, to_pkcs12, write_authorities
from bedplate_access.passwords import SHORTEST
from bedplate_access.registry import Registry, checked
from bedplate_access.roster import Certificate
from bedplate_access.settings import ROLES

host_option = click.option(
    "--host",
    "hosts",
    multiple=True,
    help="Name or address under which clients dial; may be given again. By default this machine's.",
)
out_option = click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for ca.pem, cert.pem, key.pem."
)


@click.group()
def cert() -> None:
    """Certificates say who somebody is before a byte of theirs is read. What your own CA makes is made known by
    the setting `certificates` instead."""


@cert.command(short_help="Make the CA, and the files of a server")
@host_option
@out_option
@at_desk
def init(desk: Desk, hosts: tuple[str, ...], out: Path | None) -> None:
    """Makes the CA, and with --out a folder for `api: {tls: …}`."""
    with desk.registry() as registry:
        authority = Authority.create(desk.folder.authority, _now())
        text = pem(authority.certificate).decode()
        registry.set_authorities([text], "a CA was made here")
        if out:
            issued = authority.issue(Wish(hosts=hosts or _hosts(), days=SERVER_DAYS))
            to_folder(out, issued, registry.roster().authorities)
    fact = {"ca": str(desk.folder.authority), "server": str(out) if out else None}
    more = f"; {out} is for api.tls, until {shown(until_of(issued.certificate))}" if out else ""
    desk.say(fact, f"the CA is in {desk.folder.authority}, its key never leaves it{more}")


@cert.command(short_help="A certificate and its key: for somebody, a place, a server")
@click.argument("name", required=False)
@click.option(
    "--place", metavar="NAME", help="For remote plugins of this place (`bedplate attach`)."
)
@click.option(
    "--server", is_flag=True, help="For `api: {tls: …}` or plugins.tls instead of somebody."
)
@host_option
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLES),
    help="For a NAME nobody has yet: make it known.",
)
@click.option(
    "--days", type=int, help=f"At most {CLIENT_DAYS}, the default; of a server {SERVER_DAYS}."
)
@out_option
@click.option(
    "--p12",
    type=click.Path(path_type=Path),
    help="One PKCS#12 file instead; a passphrase is asked for.",
)
@click.option(
    "--passphrase-file", type=click.Path(path_type=Path), help="Its first line; - is stdin."
)
@at_desk
def issue(desk: Desk, name: str | None, **options: Any) -> None:
    """For NAME, for a place of remote plugins, or for a server, with a key that is made here and kept nowhere else."""
    out, p12, place, server = (options[one] for one in ("out", "p12", "place", "server"))
    if sum(map(bool, (name, place, server))) != 1 or bool(out) == bool(p12):
        raise BedplateError("say a NAME, --place or --server, and --out FOLDER or --p12 FILE")
    phrase = _passphrase(options["passphrase_file"]) if p12 else ""
    days = options["days"] or (SERVER_DAYS if server else CLIENT_DAYS)
    with desk.registry() as registry:
        if server:
            wish = Wish(hosts=options["hosts"] or _hosts(), days=days)
        elif place:
            wish = Wish(place=checked(place), days=days)
        else:
            assert name
            _make_known(registry, name, options["roles"])
            wish = Wish(name, days=days)
        issued = Authority(desk.folder.authority, _now()).issue(wish)
        _hand_out(registry, issued, wish.name, out, p12, phrase)
    _tell(desk, issued, wish, out or p12)


def _passphrase(file: Path | None) -> str:
    phrase = secret(file, "passphrase")
    if len(phrase) < SHORTEST:
        raise BedplateError(f"the passphrase is shorter than {SHORTEST} characters")
    return phrase


@cert.command(short_help="Another key and certificate for what is in a folder")
@click.argument("folder_of_certificate", metavar="FOLDER", type=click.Path(path_type=Path))
@at_desk
def renew(desk: Desk, folder_of_certificate: Path) -> None:
    """Another key and certificate for what is in FOLDER, which says the same; the one before counts until it ends.
    A server that runs takes it up by itself and drops nobody."""
    found = read_folder(folder_of_certificate)
    wish = wish_of(found)
    with desk.registry() as registry:
        authority = Authority(desk.folder.authority, _now())
        _forget_old(registry)
        issued = authority.issue(wish)
        _hand_out(registry, issued, wish.name, folder_of_certificate, None, "")
    _tell(desk, issued, wish, folder_of_certificate)


@cert.command(short_help="Another CA; nobody is cut")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--at-once", is_flag=True, help="The old key may be known: what it signed counts no more."
)
@at_desk
def rotate(desk: Desk, folders: tuple[Path, ...], at_once: bool) -> None:
    """Another CA; FOLDERS (of servers) believe it from now on, beside the one before, until whose certificates are all
    over. The key of the one before is gone. Clients are renewed one by one, nobody is cut."""
    with desk.registry() as registry:
        authority = Authority(desk.folder.authority, _now())
        if not at_once and authority.followed:
            raise BedplateError(
                "there are clients that may know only the CA before the last: renew them first, or --at-once"
            )
        authority = authority.rotated(believed=not at_once)
        before = () if at_once else registry.roster().authorities
        kept = [pem(authority.certificate).decode(), *before]
        told = "the CA was rotated" + (", the one before counts no more" if at_once else "")
        registry.set_authorities(still_needed(kept, _now()), told)
        authorities = registry.roster().authorities
        for folder in folders:
            write_authorities(folder, authorities)
    fact = {"authorities": len(authorities), "folders": [str(one) for one in folders]}
    desk.say(
        fact, f"a new CA; {len(authorities)} count, until the certificates of the old are over"
    )


@cert.command(name="list")
@at_desk
def list_(desk: Desk) -> None:
    """Those that were issued to somebody here."""
    with desk.store() as store:
        roster = store.roster()
    now = time.time_ns()
    found = sorted(roster.certificates.values(), key=lambda one: (one.name, one.created))
    rows = [
        (one.fingerprint[:16], one.name, shown(one.expires), shown(one.last_used), _state(one, now))
        for one in found
    ]
    facts = [
        {
            "fingerprint": one.fingerprint,
            "name": one.name,
            "serial": one.serial,
            "expires": iso(one.expires),
            "last_used": iso(one.last_used),
            "state": _state(one, now),
        }
        for one in found
    ]
    desk.table(("SHA-256", "OF", "UNTIL", "LAST USED", "STATE"), rows, facts)


@cert.command(short_help="A certificate counts no more, whoever made it")
@click.argument("certificate")
@at_desk
def revoke(desk: Desk, certificate: str) -> None:
    """CERTIFICATE is a PEM file, its SHA-256, or the first 8 characters of that at least. It may be of any CA; a
    Bedplate that runs cuts whoever shows it within seconds."""
    with desk.registry() as registry:
        found = _found(registry, certificate)
        registry.deny(found)
    desk.say({"fingerprint": found, "state": "revoked"}, f"certificate {found[:16]} is revoked")


def _found(registry: Registry, text: str) -> str:
    known = registry.roster().certificates
    near = [one for one in known if len(text) >= 8 and one.startswith(text.lower())]
    return near[0] if len(near) == 1 else fingerprint(text)


def _make_known(registry: Registry, name: str, roles: Sequence[str]) -> None:
    if name not in registry.roster().identities and roles:
        registry.add(name, roles)
    checked(name)
    if name not in registry.roster().identities:
        raise BedplateError(f"nobody is called {name!r}; --role ROLE makes them known")


def _hand_out(
    registry: Registry, issued: Issued, name: str, out: Path | None, p12: Path | None, phrase: str
) -> None:
    """The certificate is known before anybody has it."""
    if name:
        registry.add_certificate(row_of(issued, name))
    authorities = registry.roster().authorities
    if out:
        to_folder(out, issued, authorities)
    elif p12:
        to_pkcs12(p12, issued, authorities, phrase)


def row_of(issued: Issued, name: str) -> Certificate:
    """As the store keeps it."""
    one = issued.certificate
    found = fingerprint_of(one.public_bytes(Encoding.DER))
    return Certificate(found, name, f"{one.serial_number:x}", until_of(one))


def _forget_old(registry: Registry) -> None:
    """CAs under which nothing counts any more."""
    known = registry.roster().authorities
    kept = still_needed(known, _now())
    if len(kept) < len(known):
        registry.set_authorities(kept, "a CA is over")


def _tell(desk: Desk, issued: Issued, wish: Wish, where: Path | None) -> None:
    found = fingerprint_of(issued.certificate.public_bytes(Encoding.DER))
    until = until_of(issued.certificate)
    whose = wish.name or (f"place {wish.place}" if wish.place else f"server {wish.hosts[0]}")
    fact = {"fingerprint": found, "for": whose, "expires": iso(until), "in": str(where)}
    desk.say(fact, f"{where}: for {whose}, until {shown(until)}")


def _state(one: Certificate, now: int) -> str:
    return "revoked" if one.revoked else "over" if now >= one.expires else "good"


def _now() -> datetime:
    return moment(time.time_ns())


def _hosts() -> tuple[str, ...]:
    """This machine's own names, and loopback."""
    names = dict.fromkeys((socket.getfqdn(), socket.gethostname(), "localhost", "127.0.0.1", "::1"))
    return tuple(name for name in names if name)
