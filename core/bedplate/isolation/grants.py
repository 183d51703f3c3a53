"""What one component may have: its plugin's permissions with its own settings put in.

Rule: a permission that can't be understood grants nothing and says why; a folder of the kernel's own is granted to
nobody, whatever settings name it.
"""

from __future__ import annotations

import glob
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bedplate.admission.permissions import Permissions
from bedplate.errors import BedplateError

PORTS = {  # of URLs that name none
    "opc.tcp": 4840,
    "http": 80,
    "ws": 80,
    "https": 443,
    "wss": 443,
    "mqtt": 1883,
    "mqtts": 8883,
    "ssl": 8883,
    "amqp": 5672,
    "amqps": 5671,
    "nats": 4222,
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
}
ANY = 0  # instead of a port


class GrantError(BedplateError):
    """A permission can't be granted with these settings."""


@dataclass(frozen=True, slots=True)
class Address:
    """host: "*" for any · port: ANY for any."""

    protocol: str
    host: str
    port: int

    @property
    def named(self) -> bool:
        """Whether a resolver must be asked for it."""
        try:
            ip_address(self.host.strip("[]"))
        except ValueError:
            return self.host != "localhost"
        return False

    def __str__(self) -> str:
        port = "any port" if self.port == ANY else self.port
        return f"{self.protocol}:{self.host}:{port}"


@dataclass(frozen=True, slots=True)
class Grant:
    """Everything in full. writes, reads: paths · memory: bytes · cpu: processors, 0 for all · unconfined: it comes
    without a manifest, so nobody can tell what it needs."""

    network: tuple[Address, ...] = ()
    writes: tuple[Path, ...] = ()
    reads: tuple[Path, ...] = ()
    devices: tuple[Path, ...] = ()
    memory: int = 1 << 30
    cpu: float = 0.0
    subprocess: bool = False
    unconfined: bool = False


def grant(
    permissions: Permissions, settings: Mapping[str, Any], folder: Path, own: Collection[Path] = ()
) -> Grant:
    """settings: resolved, with the defaults of the schema · folder: what relative paths begin from · own: the kernel's
    folders. Raises GrantError, which names the permission."""
    written = [e for e in permissions.files if not e.startswith("read:")]
    read = [e.removeprefix("read:") for e in permissions.files if e.startswith("read:")]
    paths = {
        "writes": [p for e in written for p in _paths(e, settings, folder)],
        "reads": [p for e in read for p in _paths(e, settings, folder)],
    }
    for entries in paths.values():
        for path in entries:
            _check_path(path, own)
    return Grant(
        tuple(a for e in permissions.network for a in _addresses(e, settings)),
        tuple(paths["writes"]),
        tuple(paths["reads"]),
        tuple(p for e in permissions.devices for p in _devices(e, settings)),
        permissions.memory_bytes,
        permissions.cpu or 0.0,
        permissions.subprocess,
    )


def together(grants: Sequence[Grant]) -> Grant:
    """What a process may have that serves several components."""
    return Grant(
        tuple(dict.fromkeys(a for g in grants for a in g.network)),
        tuple(dict.fromkeys(p for g in grants for p in g.writes)),
        tuple(dict.fromkeys(p for g in grants for p in g.reads)),
        tuple(dict.fromkeys(p for g in grants for p in g.devices)),
        max((g.memory for g in grants), default=1 << 30),
        0.0 if any(not g.cpu for g in grants) else max((g.cpu for g in grants), default=0.0),
        any(g.subprocess for g in grants),
        any(g.unconfined for g in grants),
    )


def defaults(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of a plugin's settings."""
    properties = schema.get("properties", {})
    return {name: part["default"] for name, part in properties.items() if "default" in part}


def _value(name: str, settings: Mapping[str, Any], where: str) -> Any:
    value: Any = settings
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, dict) and set(value) == {"secret"}:
        raise GrantError(
            f"permission {where}: ${name} is a secret, so what it allows can't be told"
        )
    return value


def _texts(name: str, settings: Mapping[str, Any], where: str) -> Iterator[str]:
    """The values of a setting: one, several, or none."""
    value = _value(name, settings, where)
    for one in value if isinstance(value, list) else [value]:
        if one not in (None, ""):
            yield str(one)


def _paths(entry: str, settings: Mapping[str, Any], folder: Path) -> Iterator[Path]:
    texts = _texts(entry[1:], settings, f"files {entry}") if entry.startswith("$") else [entry]
    for text in texts:
        yield (folder / text).absolute()


def _devices(entry: str, settings: Mapping[str, Any]) -> Iterator[Path]:
    texts = _texts(entry[1:], settings, f"devices {entry}") if entry.startswith("$") else [entry]
    for text in texts:
        parts = text.split("/")
        if (
            len(parts) < 3
            or parts[:2] != ["", "dev"]
            or ".." in parts
            or parts[2] in ("", "*", ".")
        ):
            raise GrantError(f"permission devices {entry}: {text!r} is no device below /dev")
        found = glob.glob(text) if entry == text else [text]
        yield from map(Path, found)


def _check_path(path: Path, own: Collection[Path]) -> None:
    real = path.resolve()
    if len(real.parts) < 3 or real.parts[1] in ("proc", "sys", "dev"):
        raise GrantError(f"permission files: {path} is too much for any plugin")
    for kept in own:
        mine = kept.resolve()
        if real == mine or real in mine.parents or mine in real.parents:
            raise GrantError(
                f"permission files: {path} holds, or lies in, what is the kernel's own: {kept}; use another folder"
            )


def _addresses(entry: str, settings: Mapping[str, Any]) -> Iterator[Address]:
    where = f"network {entry}"
    if entry.startswith("$"):
        for text in _texts(entry[1:], settings, where):
            yield of_url(text, where)
        return
    protocol, rest = entry.split(":", 1)
    host, port = rest.rsplit(":", 1)
    hosts = [*_texts(host[1:], settings, where)] if host.startswith("$") else [host]
    ports = [*_texts(port[1:], settings, where)] if port.startswith("$") else [port]
    for one in hosts:
        name = of_url(one, where).host if "://" in one else one
        for number in ports:
            yield Address(protocol, name, _port(number, where))


def of_url(text: str, where: str) -> Address:
    """The address of a URL, or of host:port. Raises GrantError."""
    full = text if "://" in text else f"tcp://{text}"
    try:
        parts = urlsplit(full)
        port = parts.port or PORTS.get(parts.scheme, 0)
        host = parts.hostname or ""
    except ValueError:
        host, port = "", 0
    if not host or not port:
        raise GrantError(f"permission {where}: {text!r} names no host and port")
    return Address("udp" if parts.scheme in ("udp", "coap") else "tcp", host, port)


def _port(text: str, where: str) -> int:
    if text == "*":
        return ANY
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise GrantError(f"permission {where}: {text!r} is no port")
    return int(text)
