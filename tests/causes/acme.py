"""Acme Berlin as facts and members: forty presses, meters behind gateways, packers, a history, a broker; no kernel."""

from __future__ import annotations

from dataclasses import replace

from bedplate.model import quality
from bedplate.runtime.causes import BadTag, Fact, Kind, Member, Spot

S = 1_000_000_000
AT = 1_795_054_447 * S  # a night
GONE = quality.CODES["BadNodeIdUnknown"]


def plant() -> dict[str, Member]:
    """By id."""
    members = [_press(n) for n in range(1, 41)]
    members += [_meter(n) for n in range(1, 10)]
    members += [_packer(n) for n in (1, 2)]
    members += [
        Member("history", "history", "history", "bedplate-history", "history", entry="history", path="history"),
        _sink("cloud", "13 d 19 h of room"),
        _sink("mes", "6 d of room"),
        Member("oee", "analytic", "oee", "bedplate-oee", "oee", entry="oee", path="oee"),
    ]  # fmt: skip
    return {member.id: member for member in members}


def _press(n: int) -> Member:
    line, name = f"line{(n - 1) // 10 + 1}", f"press-{n:02}"
    return Member(
        name,
        "source",
        line,
        "bedplate-opcua",
        "opcua",
        "press",
        "presses",
        f"acme/berlin/press-shop/{line}/{name}",
        (Spot(f"10.20.1.{10 + n}", 4840),),
        "opcua@example",
        f"presses.csv:{n + 1}",
        tags=18,
        lines=(("temperature", "plant.yaml:41"),),
    )


def _meter(n: int) -> Member:
    gateway = Spot("10.20.9.1", 502)
    return Member(
        f"meter-{n:02}",
        "source",
        "modbus",
        "bedplate-modbus",
        "modbus",
        "meter",
        "meters",
        f"acme/berlin/press-shop/line1/press-{n:02}",
        (gateway,),
        place="meters.csv:2",
        tags=5,
    )


def _packer(n: int) -> Member:
    return Member(
        f"packer-{n}",
        "source",
        f"helix-{n}",
        "bedplate-helix",
        "helix",
        "packer",
        "packers",
        f"acme/berlin/packaging/pack-{n}/packer-{n}",
        (Spot(f"10.20.2.{10 + n}", 9100),),
        "support@helix.example",
        tags=8,
    )


def _sink(name: str, room: str) -> Member:
    spots = (Spot("broker.acme.example", 8883),)
    return Member(
        name,
        "reader",
        "mqtt",
        "bedplate-mqtt",
        "mqtt",
        entry=name,
        path=name,
        spots=spots,
        room=room,
    )


def silent(
    component: str, after: float = 0.0, reason: str = "did not answer", *, heard: float | None = 0.2
) -> Fact:
    """heard: seconds before it was noticed; None: never."""
    at = AT + round(after * S)
    return Fact(
        component,
        Kind.SILENT,
        "unreachable",
        at,
        reason,
        at - round(heard * S) if heard is not None else 0,
    )


def presses(first: int, last: int, **more: object) -> list[Fact]:
    """Silent one after the other, 0.1 s apart."""
    return [silent(f"press-{n:02}", (n - first) / 10, **more) for n in range(first, last + 1)]  # type: ignore[arg-type]


def meters(*numbers: int, **more: object) -> list[Fact]:
    return [silent(f"meter-{n:02}", n / 10, **more) for n in numbers]  # type: ignore[arg-type]


def fault(component: str, reason: str, after: float = 0.0) -> Fact:
    return Fact(component, Kind.FAULT, "faulted", AT + round(after * S), reason)


def refused(component: str, reason: str) -> Fact:
    return Fact(component, Kind.SETTINGS, "invalid", AT, reason)


def bad(component: str, *tags: BadTag) -> Fact:
    return Fact(component, Kind.TAGS, "degraded", AT, "some tags are Bad", tags=tags or (gone(),))


def gone(name: str = "temperature", code: int = GONE, why: str = "", *, had: bool = True) -> BadTag:
    return BadTag(name, code, why, AT, had)


def without(members: dict[str, Member], *ids: str) -> dict[str, Member]:
    """They are off or set aside."""
    return {m.id: replace(m, expected=m.expected and m.id not in ids) for m in members.values()}
