"""Where a component connects to, as its manifest and settings say, and the same settings leading elsewhere.

The network permissions of the manifest name the settings: `tcp:$host:$port`, or `$url` for a setting with a URL. A
single file has no manifest; there the settings host and port, or the only one with a URL, are taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from bedplate.errors import BedplateError

PORTS: Final = {"opc.tcp": 4840, "http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883, "ws": 80}
_PAIR = re.compile(r"tcp:\$(\w+):\$(\w+)", re.ASCII)
_URL = re.compile(r"\$(\w+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Route:
    """One place. host, port: of the device · names: the settings that say so, host and port, or one with a URL."""

    host: str
    port: int
    names: tuple[str, ...]

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


def routes(
    network: Sequence[str], schema: Mapping[str, Any], settings: Mapping[str, Any]
) -> list[Route]:
    """The places of a component. network: permissions of the manifest, none for a single file · schema: JSON Schema
    of its settings, for defaults.

    Raises BedplateError when a place can't be led elsewhere, with the reason.
    """
    parts = schema.get("properties", {})
    values = {name: part["default"] for name, part in parts.items() if "default" in part}
    values |= settings
    found = [_route(one, values) for one in network or _guessed(parts, values)]
    if not found:
        raise BedplateError(
            "there is no telling where it connects to: it has no settings host and port and none with a URL, and"
            ' no manifest that names its network, such as network = ["tcp:$host:$port"]; only TCP can be captured'
        )
    return [one for one in dict.fromkeys(found) if one is not None]


def reroute(
    settings: Mapping[str, Any], places: Sequence[Route], ports: Sequence[int]
) -> dict[str, Any]:
    """The settings with these places on this machine instead, at these ports."""
    changed = dict(settings)
    for place, port in zip(places, ports, strict=True):
        if len(place.names) == 2:
            changed |= dict(zip(place.names, ("127.0.0.1", port), strict=True))
        else:
            (name,) = place.names
            url = urlsplit(str(settings[name]))
            who = f"{url.netloc.rpartition('@')[0]}@" if "@" in url.netloc else ""
            changed[name] = url._replace(netloc=f"{who}127.0.0.1:{port}").geturl()
    return changed


def _guessed(parts: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    if "host" in parts and "port" in parts:
        return ["tcp:$host:$port"]
    urls = [name for name in parts if "://" in str(values.get(name, ""))]
    return [f"${urls[0]}"] if len(urls) == 1 else []


def _route(permission: str, values: Mapping[str, Any]) -> Route | None:
    if pair := _PAIR.fullmatch(permission):
        host, port = values.get(pair[1]), values.get(pair[2])
        if not isinstance(host, str) or not isinstance(port, int):
            raise BedplateError(f"{permission}: the settings {pair[1]} and {pair[2]} name no place")
        return Route(host, port, (pair[1], pair[2]))
    if one := _URL.fullmatch(permission):
        text = values.get(one[1])
        return _of_url(one[1], text) if isinstance(text, str) and text else None
    why = "UDP can't be recorded" if permission.startswith("udp:") else "it is not in its settings"
    raise BedplateError(f"{permission}: the plugin can't be led elsewhere: {why}")


def _of_url(name: str, text: str) -> Route:
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port or PORTS.get(url.scheme)
    except ValueError as error:
        raise BedplateError(f"{name}: {error}") from None
    if not host or not port:
        raise BedplateError(f"{name}: no host and port in it; write scheme://host:port")
    return Route(host, port, (name,))
