"""The addresses that a component's settings name: as its manifest reads them, or, where that says nothing, by the
names that settings usually have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bedplate.admission.permissions import Permissions
from bedplate.isolation.grants import ANY, GrantError, grant, of_url
from bedplate.runtime.causes.fact import Spot

HOSTS = ("host", "hostname", "address", "server", "broker")
SERIAL = ("serial_port", "serial", "device", "port")


def spots(permissions: Permissions, settings: Mapping[str, Any]) -> tuple[Spot, ...]:
    """TCP addresses and serial ports, the first the one that counts most; empty when none can be told."""
    network = permissions.model_copy(update={"files": ()})
    try:
        found = grant(network, settings, Path("/"))
    except GrantError:
        return tuple(dict.fromkeys(_guessed(settings)))
    named = [
        Spot(a.host, a.port)
        for a in found.network
        if a.protocol == "tcp" and a.port != ANY and "*" not in a.host
    ]
    ports = [Spot(str(path)) for path in found.devices if "*" not in str(path)]
    return tuple(dict.fromkeys([*named, *ports] or _guessed(settings)))


def _guessed(settings: Mapping[str, Any]) -> Iterator[Spot]:
    port = settings.get("port")
    for name, value in settings.items():
        if not isinstance(value, str) or not value:
            continue
        if name in SERIAL and value.startswith("/dev/"):
            yield Spot(value)
        elif "://" in value or name in HOSTS:
            try:
                text = value if "://" in value or not isinstance(port, int) else f"{value}:{port}"
                found = of_url(text, name)
            except GrantError:
                if name in HOSTS and "://" not in value:
                    yield Spot(value)
            else:
                yield Spot(found.host, found.port)
