"""Where the API may listen."""

from __future__ import annotations

import ipaddress
import socket


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


def listen_taken(listen: str) -> str:
    """Why nobody can listen there now; empty when one can. To be asked before anything starts: a second kernel is to
    contact no machine. Takes what `listen_problem` lets pass."""
    host, _, port = listen.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        family, kind, _, _, address = found[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return f"cannot listen on {listen}: {why}; stop what runs there, or choose another with --listen"
    return ""
