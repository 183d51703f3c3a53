"""The rights that Landlock knows, by the version of its ABI, and what each version leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << n for n in range(6))
MAKE_DIR, MAKE_REG, MAKE_FIFO, MAKE_SYM = 1 << 7, 1 << 8, 1 << 10, 1 << 12
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
BIND_TCP, CONNECT_TCP = 1, 2
SCOPES = 3  # abstract unix sockets, signals

LOOK = READ_FILE | READ_DIR
RUN = LOOK | EXECUTE
CHANGE = (
    LOOK
    | WRITE_FILE
    | REMOVE_DIR
    | REMOVE_FILE
    | MAKE_DIR
    | MAKE_REG
    | MAKE_FIFO
    | MAKE_SYM
    | REFER
    | TRUNCATE
)
USE = READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV


def rules(
    abi: int, paths: Sequence[tuple[str, int]], ports: Sequence[int] | None
) -> dict[str, Any]:
    """For enter.py. ports: that may be connected to; None for all."""
    net = 0 if abi < 4 else BIND_TCP if ports is None else BIND_TCP | CONNECT_TCP
    return {
        "fs": _files(abi),
        "net": net,
        "scope": SCOPES if abi >= 6 else 0,
        "size": 24 if abi >= 6 else 16 if abi >= 4 else 8,
        "paths": [*paths],
        "ports": [(port, CONNECT_TCP) for port in ports or () if abi >= 4],
    }


def _files(abi: int) -> int:
    known = (1 << 13) - 1
    for since, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)):
        if abi >= since:
            known |= right
    return known


def gaps(abi: int) -> Iterator[str]:
    """What this version does not limit, in words."""
    if abi < 4:
        yield "TCP ports are not limited (Landlock 4, Linux 6.7)"
    if abi < 6:
        yield "processes of the same user can be signalled (Landlock 6, Linux 6.12)"
