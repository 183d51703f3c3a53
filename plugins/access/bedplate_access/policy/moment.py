"""The moment as policies see it, and until when nothing of it changes that they look at."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import tzinfo
from ipaddress import ip_address
from typing import Any

from bedplate import Subject
from bedplate.calendar import Calendar, local, zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = 3600.0  # s
MINUTE = 60.0  # s


def moment(at_ns: int, calendar: Calendar | None, here: tzinfo | None = None) -> dict[str, Any]:
    """hour, minute, weekday and shift. here: the time zone where there is no calendar; None: of this machine."""
    where = zone(calendar.timezone) if calendar else here
    told = local(at_ns, where) if where else local(at_ns, zone("UTC")).astimezone()
    shift = calendar.shift_at(at_ns) if calendar else None
    return {
        "hour": told.hour,
        "minute": told.hour * 60 + told.minute,
        "weekday": WEEKDAYS[told.weekday()],
        "shift": shift.name if shift else "",
    }


def lasts(at_ns: int, looked_at: Collection[str]) -> float:
    """Seconds that a decision of this moment holds: to the end of the minute where the clock is looked at at all."""
    if not looked_at:
        return LONGEST
    return MINUTE - at_ns % 60_000_000_000 / 1e9


def caller(subject: Subject) -> Mapping[str, Any]:
    """What the context says of who asks."""
    local_ = subject.peer.startswith("unix:")
    return {
        "method": subject.method,
        "credential": subject.credential,
        "local": local_,
        "ip": {"__extn": {"fn": "ip", "arg": "127.0.0.1" if local_ else _address(subject.peer)}},
    }


def _address(peer: str) -> str:
    """Of "ipv4:10.0.0.1:4711", "ipv6:[fe80::1%25eth0]:4711" and bare ones."""
    scheme, _, rest = peer.partition(":")
    text = rest if scheme in ("ipv4", "ipv6") else peer
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return "0.0.0.0"
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
