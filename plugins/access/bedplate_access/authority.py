"""The built-in CA, for plants that have none: P-256, one key in a file 0600, certificates that end soon.

Rule: nothing is revoked by a list that somebody must fetch; client certificates end within 90 days, and the deny-list
of the store counts at once. When the CA is rotated, the old one signs the new one before its key is destroyed, so that
who knows only the old one still believes what the new one signs: no connection falls.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bedplate import BedplateError
from bedplate_access.certificates import IDENTITY
from bedplate_access.folder import check_private, make_private, write_private

PLACE = "bedplate:place:"  # the URI of a place, as the kernel reads it at its door for plugins
CLIENT_DAYS, SERVER_DAYS, CA_DAYS = 90, 397, 3650
EARLY = timedelta(minutes=5)  # clocks of a plant differ
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key. chain: PEM of what makes it believed by those who know an older CA."""

    certificate: x509.Certificate
    key: Key
    chain: bytes = b""

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def pem(self) -> bytes:
        return pem(self.certificate) + self.chain


@dataclass(frozen=True, slots=True)
class Wish:
    """What a certificate is to say, one of three. name: of somebody · place: where remote plugins run · hosts: names
    and addresses of a server."""

    name: str = ""
    place: str = ""
    hosts: tuple[str, ...] = ()
    days: int = CLIENT_DAYS

    @property
    def uri(self) -> str:
        """What a client's says; "" for a server."""
        if self.name:
            return IDENTITY + self.name
        return PLACE + self.place if self.place else ""


class Authority:
    """The CA in a folder. now: when it is asked."""

    def __init__(self, folder: Path, now: datetime) -> None:
        """Raises BedplateError when there is none, PermissionError when others may read its key, OSError."""
        self._folder, self._now = folder, now
        check_private(folder / "ca-key.pem")
        try:
            key = load_pem_private_key((folder / "ca-key.pem").read_bytes(), None)
            self.certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        except FileNotFoundError:
            raise BedplateError(f"{folder} holds no CA yet; bedplate access cert init") from None
        except (ValueError, TypeError):
            raise BedplateError(f"{folder}: ca.pem and ca-key.pem can't be read as PEM") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise BedplateError(f"{folder / 'ca-key.pem'}: is no P-256 key")
        self._key = key
        if not _alive(self.certificate, now):
            raise BedplateError(f"{folder / 'ca.pem'} is over; bedplate access cert rotate")

    @classmethod
    def create(cls, folder: Path, now: datetime) -> Authority:
        """Raises BedplateError when there is one, OSError."""
        if (folder / "ca-key.pem").exists():
            raise BedplateError(
                f"{folder / 'ca-key.pem'} is there already; `cert rotate` makes another CA"
            )
        made = _self_signed(now)
        make_private(folder)
        _write(folder, made, b"")
        return cls(folder, now)

    @property
    def followed(self) -> bool:
        """Whether it came in the place of another not longer ago than clients last."""
        since = self._now - self.certificate.not_valid_before_utc
        return bool(self._cross()) and since < timedelta(days=CLIENT_DAYS)

    def rotated(self, *, believed: bool = True) -> Authority:
        """Another CA in the place of this one, whose key is gone then. believed: by who knows this one. Raises
        OSError."""
        made = _self_signed(self._now)
        if not believed:
            _write(self._folder, made, b"")
            return Authority(self._folder, self._now)
        subject, key = made.certificate.subject, made.key.public_key()
        cross = _builder(subject, key, self._now, CA_DAYS, self.certificate)
        cross = _ca_extensions(cross.issuer_name(self.certificate.subject), 0)
        signed = cross.sign(self._key, hashes.SHA256())
        _write(self._folder, made, pem(signed))
        return Authority(self._folder, self._now)

    def issue(self, wish: Wish) -> Issued:
        """A new key and its certificate. Raises BedplateError for what can't be in one."""
        most = CLIENT_DAYS if wish.uri else SERVER_DAYS
        if not 0 < wish.days <= most:
            kind = "clients" if wish.uri else "servers"
            raise BedplateError(f"{wish.days} days: a certificate for {kind} lasts at most {most}")
        key = ec.generate_private_key(ec.SECP256R1())
        common = (wish.name or wish.place or wish.hosts[0])[:64]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
        builder = _builder(subject, key.public_key(), self._now, wish.days, self.certificate)
        builder = builder.issuer_name(self.certificate.subject)
        builder = _leaf_extensions(builder, wish, self._key.public_key())
        return Issued(builder.sign(self._key, hashes.SHA256()), key, self._cross())

    def _cross(self) -> bytes:
        """While somebody may know the CA before only."""
        try:
            content = (self._folder / "cross.pem").read_bytes()
            alive = content and _alive(x509.load_pem_x509_certificate(content), self._now)
        except (FileNotFoundError, ValueError):
            return b""
        return content if alive else b""


def still_needed(pems: Sequence[str], now: datetime) -> list[str]:
    """Of CAs, the newest first: those under which there may be certificates that count. One that was followed by
    another signs no more, and what it signed ends within SERVER_DAYS."""
    kept, followed = [], None
    for text in pems:
        certificate = x509.load_pem_x509_certificate(text.encode())
        if followed is None or followed + timedelta(days=SERVER_DAYS) > now:
            kept.append(text)
        followed = certificate.not_valid_before_utc
    return kept


def wish_of(certificate: x509.Certificate) -> Wish:
    """What this one says, so that another can say the same. Raises BedplateError."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise BedplateError("this certificate was not made by the built-in CA") from None
    lasts = (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days
    for uri in names.get_values_for_type(x509.UniformResourceIdentifier):
        days = max(1, min(lasts, CLIENT_DAYS))
        if uri.startswith(IDENTITY):
            return Wish(uri.removeprefix(IDENTITY), days=days)
        if uri.startswith(PLACE):
            return Wish(place=uri.removeprefix(PLACE), days=days)
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    hosts = (*names.get_values_for_type(x509.DNSName), *addresses)
    if not hosts:
        raise BedplateError("this certificate was not made by the built-in CA")
    return Wish(hosts=hosts, days=max(1, min(lasts, SERVER_DAYS)))


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _alive(certificate: x509.Certificate, now: datetime) -> bool:
    return now < certificate.not_valid_after_utc


def _write(folder: Path, made: Issued, cross: bytes) -> None:
    write_private(folder / "cross.pem", cross)
    write_private(folder / "ca.pem", made.pem)
    write_private(folder / "ca-key.pem", made.key_pem)


def _self_signed(now: datetime) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    name = x509.Name(
        [
            x509.NameAttribute(
                NameOID.COMMON_NAME, f"Bedplate CA {now:%Y-%m-%d} {serial & 0xFFFF:04x}"
            )
        ]
    )
    builder = _ca_extensions(_builder(name, key.public_key(), now, CA_DAYS).issuer_name(name), 1)
    return Issued(builder.sign(key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
    within: x509.Certificate | None = None,
) -> x509.CertificateBuilder:
    """within: a CA that it must not outlive."""
    end = now + timedelta(days=days)
    if within is not None:
        end = min(end, within.not_valid_after_utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _ca_extensions(builder: x509.CertificateBuilder, below: int) -> x509.CertificateBuilder:
    """below: how many CAs may come below it."""
    builder = builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=below), critical=True
    )
    return builder.add_extension(_usage(signs=True), critical=True)


def _leaf_extensions(
    builder: x509.CertificateBuilder, wish: Wish, authority: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    names: list[x509.GeneralName] = [_host(one) for one in wish.hosts]
    if wish.uri:
        names.append(x509.UniformResourceIdentifier(wish.uri))
    purpose = CLIENT if wish.uri else SERVER
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs=False), True),
        (x509.ExtendedKeyUsage([purpose]), False),
        (x509.SubjectAlternativeName(names), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), False),
    ]
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=signs, crl_sign=signs,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _host(text: str) -> x509.GeneralName:
    """Raises BedplateError."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    if (
        not text.isascii()
        or not all(part and len(part) < 64 for part in text.split("."))
        or " " in text
    ):
        raise BedplateError(f"{text[:60]!r} is no name of a host")
    return x509.DNSName(text)
