"""A certificate that somebody names on the command line: a PEM file, or its fingerprint."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bedplate import BedplateError
from bedplate_access.certificates import fingerprint_of


def fingerprint(text: str) -> str:
    """SHA-256 in lower-case hex. Raises BedplateError, OSError."""
    bare = text.replace(":", "").lower()
    if re.fullmatch("[0-9a-f]{64}", bare):
        return bare
    try:
        certificate = x509.load_pem_x509_certificate(Path(text).read_bytes())
    except ValueError:
        raise BedplateError(f"{text}: holds no certificate in PEM") from None
    return fingerprint_of(certificate.public_bytes(Encoding.DER))
