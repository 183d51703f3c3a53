"""Certificates of other people's CAs, good and bad, and whole TLS with openssl."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
STRONG = ec.generate_private_key(ec.SECP256R1())
CA = ec.generate_private_key(ec.SECP256R1())
WEAK = rsa.generate_private_key(65537, 1024)


def named(common: str, organisation: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def certificate(
    common: str = "mes",
    organisation: str = "",
    *,
    key: Any = STRONG,
    use: Any = CLIENT,
    uri: str = "",
    days: tuple[float, float] = (-1, 30),
) -> bytes:
    """DER, of a CA that nobody here knows. days: from and to, from now."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(common, organisation))
        .issuer_name(named("a CA of the company"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if use:
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    if uri:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(CA, hashes.SHA256()).public_bytes(Encoding.DER)


def der_in(folder: Path) -> bytes:
    found = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
    return found.public_bytes(Encoding.DER)


def openssl(*words: str | Path, sent: str = "") -> subprocess.CompletedProcess[str]:
    """Somebody else's TLS and X.509."""
    if not shutil.which("openssl"):
        pytest.skip("the command openssl is not installed")
    command = ["openssl", *map(str, words)]
    return subprocess.run(
        command, input=sent, capture_output=True, text=True, timeout=20, check=False
    )
