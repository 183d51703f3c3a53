"""The PKI folder: who we are to servers, and which servers we trust.

    own/        our application instance certificate and its key, made on first use
    trusted/    certificates of servers, or of authorities whose servers are trusted
    issuers/    authorities that are needed to check a chain, but trusted for nothing
    rejected/   certificates of servers that were met and not trusted; move them to trusted/ after comparing

Owns: that folder (OPC 10000-12 §7.8.1 names the four lists) and the decision whether a server is trusted.
Rule: a certificate in trusted/ is trusted by itself, whatever its name or age; one that is signed by an authority
in trusted/ must be in date, be allowed to be used and name the host. Nothing is trusted on first use.
Does not read revocation lists.
"""

from __future__ import annotations

import fcntl
import hashlib
import ipaddress
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bedplate import Invalid

YEARS: Final = 10
KEY_BITS: Final = 2048
MOST_REJECTED: Final = 100
LONGEST_CHAIN: Final = 8


class Untrusted(ConnectionError):
    """The server's certificate is not trusted. A lost connection to the kernel: asked again until a person decided."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Our application instance certificate. certificate: DER; private_key: PEM."""

    application_uri: str
    certificate: bytes
    private_key: bytes
    expires: datetime


class Pki:
    """A PKI folder. It comes into being when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()

    # who we are ----------------------------------------------------------------------------------------------------

    def identity(self, application_uri: str, now: datetime) -> Identity:
        """Our certificate and key, made when there are none. application_uri: "" for that of the certificate.

        Raises Invalid when the certificate there can't be read or is for another application_uri.
        """
        own = self._folder("own")
        with _alone(own):
            if not (own / "certificate.der").exists():
                self._make(application_uri or f"urn:{socket.gethostname()}:bedplate", own, now)
            found = _read_own(own)
        if application_uri and found.application_uri != application_uri:
            raise Invalid(
                f"the certificate in {own} is for application_uri {found.application_uri!r}; "
                "set that one, or move own/ away to have a new one made",
                pointer="/application_uri",
            )
        return found

    def _make(self, application_uri: str, own: Path, now: datetime) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        certificate = _self_signed(key, application_uri, now)
        _write(own / "private_key.pem", pem)
        _write(own / "certificate.der", _der(certificate))

    # whom we trust -------------------------------------------------------------------------------------------------

    def check(self, chain: bytes, host: str, now: datetime) -> str:
        """Returns when the server with this certificate chain (DER, one after the other) is trusted.

        The text is a remark for people, or empty. Raises Untrusted after it put the certificate into rejected/.
        """
        certificates = split_chain(chain)
        if not certificates:
            raise Untrusted(f"{host} shows a certificate that can't be read")
        server = certificates[0]
        trusted = list(self._certificates("trusted"))
        if any(_same(server, one) for one in trusted):
            return _out_of_date(server, now)
        authorities = [*certificates[1:], *trusted, *self._certificates("issuers")]
        if _leads_to(server, authorities, trusted, now):
            if problem := _unfit(server, host, now):
                raise self._untrusted(server, host, f"its authority is trusted, but {problem}")
            return ""
        raise self._untrusted(server, host, "this machine does not know it")

    def _untrusted(self, server: x509.Certificate, host: str, why: str) -> Untrusted:
        rejected = self._reject(server)
        return Untrusted(
            f"{host} shows a certificate, and {why}: {server.subject.rfc4514_string()}, "
            f"SHA-256 {fingerprint(_der(server))}, valid to {server.not_valid_after_utc:%Y-%m-%d}. "
            "Compare the fingerprint with the one at the server itself; if it is the same, "
            f"move {rejected} to {self.folder / 'trusted'}; it is tried again by itself"
        )

    def _reject(self, certificate: x509.Certificate) -> Path:
        folder = self._folder("rejected")
        path = folder / f"{certificate.fingerprint(hashes.SHA256()).hex()}.der"
        if not path.exists():
            _write(path, _der(certificate))
            kept = sorted(folder.glob("*.der"), key=lambda one: one.stat().st_mtime_ns)
            for oldest in kept[:-MOST_REJECTED]:
                oldest.unlink(missing_ok=True)
        return path

    def _certificates(self, name: str) -> Iterator[x509.Certificate]:
        folder = self.folder / name
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix.lower() in {".der", ".crt", ".cer", ".pem"}:
                yield from split_chain(path.read_bytes())

    def _folder(self, name: str) -> Path:
        try:
            for one in (self.folder, *(self.folder / n for n in ("trusted", "issuers", name))):
                one.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            text = f"the folder {self.folder} can't be made: {error.strerror}"
            raise Invalid(text, pointer="/pki") from error
        return self.folder / name


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate (DER) as people compare it: 3A:9F:…"""
    return hashlib.sha256(certificate).digest().hex(":").upper()


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def split_chain(raw: bytes) -> list[x509.Certificate]:
    """Certificates in PEM, or in DER one after the other; what can't be read ends the list."""
    found: list[x509.Certificate] = []
    try:
        if raw.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificates(raw)
        while raw and len(found) < LONGEST_CHAIN:
            length = 4 + int.from_bytes(raw[2:4], "big")  # 30 82 hh ll: no certificate is shorter
            found.append(x509.load_der_x509_certificate(raw[:length]))
            raw = raw[length:]
    except ValueError:
        pass
    return found


def _same(one: x509.Certificate, other: x509.Certificate) -> bool:
    return one.fingerprint(hashes.SHA256()) == other.fingerprint(hashes.SHA256())


def _leads_to(
    certificate: x509.Certificate,
    authorities: Sequence[x509.Certificate],
    trusted: Sequence[x509.Certificate],
    now: datetime,
) -> bool:
    """Whether signatures lead from the certificate to an authority that is trusted."""
    for _ in range(LONGEST_CHAIN):
        issuer = next((a for a in authorities if _issued(certificate, a, now)), None)
        if issuer is None or _same(issuer, certificate):
            return False
        if any(_same(issuer, one) for one in trusted):
            return True
        certificate = issuer
    return False


def _issued(certificate: x509.Certificate, by: x509.Certificate, now: datetime) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
        limits = by.extensions.get_extension_for_class(x509.BasicConstraints)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    return limits.value.ca and not _out_of_date(by, now)


def _unfit(certificate: x509.Certificate, host: str, now: datetime) -> str:
    """Why a certificate can't vouch for a host; empty when it can."""
    if remark := _out_of_date(certificate, now):
        return remark
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return "it names no host"
    hosts = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    addresses = set(names.get_values_for_type(x509.IPAddress))
    try:
        fits = ipaddress.ip_address(host) in addresses
    except ValueError:
        fits = host.lower() in hosts
    known = ", ".join(sorted([*hosts, *map(str, addresses)]))
    return "" if fits else f"it is for {known or 'no host'}, not for {host}"


def _out_of_date(certificate: x509.Certificate, now: datetime) -> str:
    if now > certificate.not_valid_after_utc:
        return f"the server's certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if now < certificate.not_valid_before_utc:
        return f"the server's certificate is valid only from {certificate.not_valid_before_utc:%Y-%m-%d}"
    return ""


def _read_own(own: Path) -> Identity:
    try:
        raw = (own / "certificate.der").read_bytes()
        certificate = x509.load_der_x509_certificate(raw)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uri = names.get_values_for_type(x509.UniformResourceIdentifier)[0]
        key = (own / "private_key.pem").read_bytes()
        serialization.load_pem_private_key(key, password=None)
    except (OSError, ValueError, TypeError, IndexError, x509.ExtensionNotFound) as error:
        raise Invalid(
            f"the certificate or key in {own} can't be used ({error}); move own/ away to have new ones made",
            pointer="/pki",
        ) from error
    return Identity(uri, raw, key, certificate.not_valid_after_utc)


def _self_signed(key: rsa.RSAPrivateKey, uri: str, now: datetime) -> x509.Certificate:
    """An application instance certificate as OPC 10000-6 §6.2.2 wants it."""
    host = socket.gethostname()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Bedplate"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, host[:64]),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    names = [x509.UniformResourceIdentifier(uri), x509.DNSName(host)]
    public = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(public)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(public, critical=False)
        .add_extension(authority, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Several components share a folder; one makes the certificate, the others wait."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, for the owner only."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
