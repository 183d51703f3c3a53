"""Where the API may listen."""

from __future__ import annotations

import ipaddress


def listen_problem(listen: str, tls: str = "") -> str:
    """Why the API must not listen there; empty when it may. Loopback only, until TLS and identities come."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        return f"{listen!r} is no address; write host:port, such as 127.0.0.1:7443"
    if host == "localhost":
        return ""
    try:
        loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return f"{host!r} is no IP address"
    if not loopback:
        return f"{listen} needs TLS, which comes later; until then listen on 127.0.0.1"
    return ""
