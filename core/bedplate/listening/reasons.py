"""What went wrong with TLS, in words for an operator."""

from __future__ import annotations

import ssl

VERIFYING = {
    "certificate has expired": "has expired",
    "certificate is not yet valid": "is not valid yet",
    "unable to get local issuer certificate": "was made by another CA",
    "self-signed certificate": "was made by another CA",
    "self-signed certificate in certificate chain": "was made by another CA",
    "certificate signature failure": "was made by another CA",
    "unsuitable certificate purpose": "is for another purpose (extendedKeyUsage)",
    "unsupported certificate purpose": "is for another purpose (extendedKeyUsage)",
}


def told(error: ssl.SSLError) -> str:
    """What a certificate was refused for, in words. Other errors of TLS by their name."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        reason = (error.reason or str(error)).lower().replace("_", " ")
        return {"peer did not return a certificate": "came without a certificate"}.get(
            reason, reason
        )
    if "Hostname mismatch" in error.verify_message or "IP address mismatch" in error.verify_message:
        return "is for another host (subjectAltName)"
    return VERIFYING.get(error.verify_message, error.verify_message)


def why(error: ssl.SSLError) -> str:
    """The same with its subject, for a peer that was refused."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate {told(error)}"
    return told(error)
