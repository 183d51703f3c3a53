"""How one Bedplate is reached: its address, and over the network TLS, with the CA it is known by and our certificate.

A token never goes over a network in clear text: whatever is not on this machine is spoken to by TLS, or not at all.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from bedplate.client.calls import OPTIONS
from bedplate.errors import CallError

File = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files. ca: who may have made the kernel's certificate, "" for those this machine trusts anyway · cert, key:
    ours, "" for none."""

    ca: str = ""
    cert: str = ""
    key: str = ""

    def credentials(self) -> Any:
        """Raises CallError for a file that can't be read."""
        ca, key, cert = _read(self.ca), _read(self.key), _read(self.cert)
        return grpc.ssl_channel_credentials(ca, key, cert)


@dataclass(frozen=True, slots=True)
class Link:
    """known: whether a token or a certificate of ours goes along."""

    address: str
    tls: Tls | None = None
    known: bool = False

    def channel(self, grpc_: Any) -> Any:
        """grpc_: grpc or grpc.aio. Contacts nothing. Raises CallError."""
        if self.tls is None:
            return grpc_.insecure_channel(self.address, options=OPTIONS)
        return grpc_.secure_channel(self.address, self.tls.credentials(), options=OPTIONS)


def linked(address: str, token: str, tls: Tls | None) -> Link:
    """TLS wherever it is not this machine."""
    if tls is None and not is_here(address):
        tls = Tls()
    return Link(address, tls, bool(token or (tls and tls.cert)))


def is_here(address: str) -> bool:
    """Whether it is on this machine."""
    host = address.rpartition(":")[0].strip("[]")
    if address.startswith("unix:") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tls_of(ca: File | None, cert: tuple[File, File] | File | None) -> Tls | None:
    """As `connect` takes them. cert: certificate and key, or one file with both."""
    if ca is None and cert is None:
        return None
    pair = (cert, cert) if isinstance(cert, str | os.PathLike) else cert or ("", "")
    return Tls(os.fspath(ca or ""), os.fspath(pair[0]), os.fspath(pair[1]))


def _read(file: str) -> bytes | None:
    if not file:
        return None
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise CallError(f"{file}: {error.strerror}", code="INVALID_ARGUMENT") from None
    if b"-----BEGIN" not in content:
        raise CallError(f"{file}: is no PEM file", code="INVALID_ARGUMENT")
    return content
