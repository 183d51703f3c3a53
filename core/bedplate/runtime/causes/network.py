"""Which addresses are near each other, and how a row of them is written."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

IP = IPv4Address | IPv6Address


@lru_cache(10_000)
def address(host: str) -> IP | None:
    """None for a name or a serial port."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


@lru_cache(10_000)
def network(host: str) -> str:
    """The neighbourhood of a host: the /24 or /64 of an address, the domain of a name, a serial port itself."""
    found = address(host)
    if isinstance(found, IPv4Address):
        return str(found).rpartition(".")[0]
    if found is not None:
        return ":".join(found.exploded.split(":")[:4])
    return host.partition(".")[2] if "." in host and not host.startswith("/") else host


def span(hosts: Iterable[str]) -> str:
    """10.20.1.21-30 for addresses of one neighbourhood; else the names, or their domain when there are many."""
    distinct = sorted(set(hosts), key=_order)
    if len(distinct) == 1:
        return distinct[0]
    found = [a for a in map(address, distinct) if a is not None]
    if len(found) == len(distinct) and len({network(h) for h in distinct}) == 1:
        low, high = str(found[0]), str(found[-1])
        separator = "." if isinstance(found[0], IPv4Address) else ":"
        return f"{low}-{high.rpartition(separator)[2]}"
    if len(distinct) > 3:
        around = sorted({network(h) for h in distinct})
        return around[0] if len(around) == 1 else f"{len(around)} networks"
    return ", ".join(distinct)


class Row:
    """Addresses from the lowest to the highest of these, in their neighbourhoods; names of their domains."""

    def __init__(self, hosts: Iterable[str]) -> None:
        hosts = list(hosts)
        self._networks = set(map(network, hosts))
        found = [a for a in map(address, hosts) if a is not None]
        self._ends = {
            version: (min(same), max(same))
            for version in (4, 6)
            if (same := [int(a) for a in found if a.version == version])
        }

    def __contains__(self, host: str) -> bool:
        if network(host) not in self._networks:
            return False
        mine = address(host)
        if mine is None:
            return True
        low, high = self._ends.get(mine.version, (1, 0))
        return low <= int(mine) <= high


def _order(host: str) -> tuple[int, int, str]:
    found = address(host)
    return (found.version, int(found), "") if found else (9, 0, host)
