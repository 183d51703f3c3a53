"""Where the API may listen, and with what."""

from __future__ import annotations

import errno
import ipaddress
import socket

NO_TLS = (
    "{listen} can be reached from elsewhere, so the API needs TLS there: write api.tls, a folder with cert.pem, key.pem"
    " and ca.pem (`bedplate access cert` makes one), or listen on 127.0.0.1"
)
NO_CLIENTS = (
    "{listen} can be reached from elsewhere, and nothing could tell who calls: put a ca.pem for client certificates"
    " into {tls}, or name a security module that knows users (security: {{access: {{use: access}}}})"
)


def listen_problem(listen: str, tls: str = "", *, knows_clients: bool = True) -> str:
    """Why the API must not listen there; empty when it may. tls: folder of the files, empty for none · knows_clients:
    something can say who calls over the network."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        return f"{listen!r} is no address; write host:port, such as 127.0.0.1:7443"
    if host == "localhost":
        return ""
    try:
        loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return f"{host!r} is no IP address"
    if loopback:
        return ""
    if not tls:
        return NO_TLS.format(listen=listen)
    return "" if knows_clients else NO_CLIENTS.format(listen=listen, tls=tls)


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
        elsewhere = error.errno == errno.EADDRNOTAVAIL
        do = "name an address of this machine" if elsewhere else "stop what runs there"
        return f"cannot listen on {listen}: {why}; {do}, or choose another with --listen"
    return ""
