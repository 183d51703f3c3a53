"""Why TLS did not come about. gRPC says "socket closed"; a handshake of our own, made once a call has failed, says
whose certificate is wrong and what to do."""

from __future__ import annotations

import socket
import ssl

from bedplate.client.link import Link, Tls

WITHIN = 2.0  # s for each step


def why_no_tls(link: Link) -> str:
    """A sentence; empty when TLS is in order, or nobody is there."""
    host, _, port = link.address.rpartition(":")
    host = host.strip("[]")
    try:
        with socket.create_connection((host, int(port)), timeout=WITHIN) as plain:
            if link.tls is None:
                return _speaks_tls(plain, link.address)
            return _shaken(plain, host, link.address, link.tls)
    except (OSError, ValueError):
        return ""


def _speaks_tls(plain: socket.socket, address: str) -> str:
    """An HTTP/2 server greets who sends the preface; one behind TLS answers with an alert."""
    plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
    if plain.recv(1)[:1] in {b"\x15", b""}:
        return (
            f"Bedplate at {address} wants TLS: name the CA it is known by, ca=… or BEDPLATE_CA=FILE"
        )
    return ""


def _shaken(plain: socket.socket, host: str, address: str, tls: Tls) -> str:
    try:
        context = ssl.create_default_context(cafile=tls.ca or None)
        context.set_alpn_protocols(["h2"])
        if tls.cert:
            context.load_cert_chain(tls.cert, tls.key)
    except (ssl.SSLError, OSError):
        return f"{tls.cert or tls.ca}: certificate and key do not belong together, or can't be read"
    try:
        with context.wrap_socket(plain, server_hostname=host) as shaken:
            shaken.recv(1)  # since TLS 1.3 a server judges our certificate after we are done
    except ssl.SSLCertVerificationError as error:
        return _theirs(error, address, tls)
    except ssl.SSLError as error:
        return _ours(error, address, tls)
    except TimeoutError:
        return ""
    return ""


def _theirs(error: ssl.SSLCertVerificationError, address: str, tls: Tls) -> str:
    text = error.verify_message.lower()
    said = f"Bedplate at {address} was not believed: its certificate"
    if "expired" in text:
        return f"{said} has expired; renew it there (bedplate access cert)"
    if "not yet valid" in text:
        return f"{said} is not valid yet; are both clocks right?"
    if "mismatch" in text:
        return f"{said} is for another host; dial it by a name that stands in it, or have one made"
    if tls.ca:
        return f"{said} was made by another CA than {tls.ca}; ask the plant for its ca.pem"
    return f"{said} was made by a CA unknown here; name its ca.pem with ca=… or BEDPLATE_CA=FILE"


ALERTS = {
    "CERTIFICATE_EXPIRED": "it has expired; have another one made",
    "UNKNOWN_CA": "it was made by another CA than that plant trusts",
    "BAD_CERTIFICATE": "it is not valid, or not valid yet",
    "UNSUPPORTED_CERTIFICATE": "it is not for clients (extendedKeyUsage clientAuth)",
}


def _ours(error: ssl.SSLError, address: str, tls: Tls) -> str:
    reason = (error.reason or "").upper()
    for alert, text in ALERTS.items():
        if alert in reason and tls.cert:
            return f"Bedplate at {address} refused our certificate {tls.cert}: {text}"
    if "WRONG_VERSION_NUMBER" in reason or "PACKET_LENGTH" in reason:
        return f"what listens at {address} speaks no TLS"
    return f"TLS with {address} failed: {reason.lower().replace('_', ' ') or 'no reason given'}"
