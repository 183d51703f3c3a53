"""How many files and sockets this process may have open: all that the system lets it, and never all for connections."""

from __future__ import annotations

import contextlib
import resource

ENOUGH = 65_536
RESERVED = 256  # for everything else that a kernel has open


def raise_limit() -> int:
    """As far as it may be raised; returns how many there are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            return most
    return ENOUGH if soft == resource.RLIM_INFINITY else soft


def connections(descriptors: int, each: int) -> int:
    """How many connections leave enough for everything else. each: descriptors of one."""
    return max(8, (descriptors - RESERVED) // each)
