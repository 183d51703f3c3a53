"""Where an issued certificate goes: a folder as Bedplate and its clients read it, or one PKCS#12 file for others.

A folder has ca.pem, cert.pem and key.pem (0600), written in this order, the certificate last: who looks while it is
written finds a pair that does not fit together, and goes on with what it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from bedplate import BedplateError
from bedplate_access.authority import Issued
from bedplate_access.folder import make_private, write_private


def to_folder(folder: Path, issued: Issued, authorities: Sequence[str]) -> None:
    """Over what was there. Raises OSError."""
    make_private(folder)
    write_authorities(folder, authorities)
    write_private(folder / "key.pem", issued.key_pem)
    write_private(folder / "cert.pem", issued.pem, 0o644)


def write_authorities(folder: Path, authorities: Sequence[str]) -> None:
    """Whom to believe from now on."""
    write_private(folder / "ca.pem", "".join(authorities).encode(), 0o644)


def to_pkcs12(file: Path, issued: Issued, authorities: Sequence[str], passphrase: str) -> None:
    """For browsers, SCADA and other programs. Raises OSError."""
    chain = x509.load_pem_x509_certificates("".join(authorities).encode())
    content = pkcs12.serialize_key_and_certificates(
        b"bedplate",
        issued.key,
        issued.certificate,
        chain,
        BestAvailableEncryption(passphrase.encode()),
    )
    write_private(file, content)


def read_folder(folder: Path) -> x509.Certificate:
    """The certificate in it. Raises BedplateError, OSError."""
    try:
        return x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
    except ValueError:
        raise BedplateError(f"{folder / 'cert.pem'} holds no certificate in PEM") from None
