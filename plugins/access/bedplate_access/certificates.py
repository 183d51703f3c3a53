"""A client certificate → a name and roles, or why not. The kernel has verified chain, dates and purpose by TLS.

What is asked again here, since a name hangs on it: purpose clientAuth (EKU), a key of P-256 or RSA 2048 at least, no
SHA-1, dates, and that nobody denied it. Known by fingerprint, by the built-in CA's name in it, or by the subject that a
setting names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bedplate_access.roster import Roster, reserved

IDENTITY = "bedplate:identity:"  # the URI among the alternative names that says whose it is
CURVES = ("secp256r1", "secp384r1", "secp521r1")
RSA_LEAST = 2048
WEAK = {"md5", "sha1"}


class Refusal(ValueError):
    """This certificate is nobody's; says why."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose a certificate is. roles: None: those of the name in the store."""

    name: str
    fingerprint: str
    roles: tuple[str, ...] | None
    until: int


def fingerprint_of(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def until_of(certificate: x509.Certificate) -> int:
    """ns UTC."""
    return int(certificate.not_valid_after_utc.timestamp()) * 10**9


def read(der: bytes) -> x509.Certificate:
    """Raises Refusal."""
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, UnsupportedAlgorithm):
        raise Refusal("can't be read") from None


def judge(
    der: bytes, roster: Roster, subjects: Mapping[x509.Name, Sequence[str]], now: datetime
) -> Shown:
    """Whose it is. Raises Refusal."""
    certificate, fingerprint = read(der), fingerprint_of(der)
    check_strength(certificate)
    _check_use(certificate, now)
    if fingerprint in roster.denied:
        raise Refusal("was revoked")
    until = until_of(certificate)
    known = roster.certificates.get(fingerprint)
    if known and known.revoked:
        raise Refusal("was revoked")
    if name := known.name if known else _issued_name(certificate, roster):
        return Shown(name, fingerprint, None, until)
    if issued_by(certificate, roster.authorities):
        raise Refusal("is of the built-in CA, and no person's: a place's or a server's")
    for subject, roles in subjects.items():
        if name := _named(certificate.subject, subject):
            return Shown(name, fingerprint, tuple(roles), until)
    raise Refusal(f"is nobody's here: {certificate.subject.rfc4514_string()[:200]}")


def check_strength(certificate: x509.Certificate) -> None:
    """Raises Refusal for a key or a signature that is too weak."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Refusal("has a key of an unknown kind") from None
    strong = (
        (isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_LEAST)
        or (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES)
        or isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)
    )
    if not strong:
        raise Refusal("has a key weaker than P-256 or RSA 2048")
    try:
        signed = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        raise Refusal("is signed in an unknown way") from None
    if signed is not None and signed.name in WEAK:
        raise Refusal(f"is signed with {signed.name}")


def _check_use(certificate: x509.Certificate, now: datetime) -> None:
    leeway = timedelta(seconds=60)
    if not certificate.not_valid_before_utc - leeway <= now <= certificate.not_valid_after_utc:
        raise Refusal("is out of date")
    try:
        use = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        raise Refusal("does not say that it is for clients (extendedKeyUsage)") from None
    if ExtendedKeyUsageOID.CLIENT_AUTH not in use:
        raise Refusal("is for another purpose than clients (extendedKeyUsage)")


def _issued_name(certificate: x509.Certificate, roster: Roster) -> str:
    """The name that the built-in CA wrote into it; "" when it is not of that CA."""
    names = [uri.removeprefix(IDENTITY) for uri in _uris(certificate) if uri.startswith(IDENTITY)]
    return names[0] if len(names) == 1 and issued_by(certificate, roster.authorities) else ""


def issued_by(certificate: x509.Certificate, authorities: Sequence[str]) -> bool:
    """Whether one of these (PEM) signed it."""
    for pem in authorities:
        try:
            certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(pem.encode()))
            return True
        except (ValueError, TypeError, InvalidSignature):
            continue
    return False


def _uris(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return []


def subject_of(text: str) -> x509.Name:
    """A subject, or some parts of one, as the settings write it: CN=mes,O=Acme. Raises ValueError."""
    name = x509.Name.from_rfc4514_string(text)
    if len(name.get_attributes_for_oid(NameOID.COMMON_NAME)) != 1:
        raise ValueError(f"{text!r} must name one CN")
    return name


def _named(subject: x509.Name, wanted: x509.Name) -> str:
    """The CN, when the subject has all that is wanted, each once; "" when it has not."""
    for part in wanted:
        found = subject.get_attributes_for_oid(part.oid)
        if len(found) != 1 or found[0].value != part.value:
            return ""
    name = str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    return name if name and name.isprintable() and len(name) <= 128 and not reserved(name) else ""


def moment(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / 1e9, UTC)
