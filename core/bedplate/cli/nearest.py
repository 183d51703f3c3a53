"""The address that somebody probably meant: the closest of those that the device shows, by difflib, within bounds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from bedplate.errors import BedplateError
from bedplate.remote.attachment import Attachment
from bedplate.runtime import requests
from bedplate.runtime.role import ok

WITHIN = 8.0  # s of browsing
DEPTH = 6  # levels; address spaces are deep, and machines' variables are not
MOST_NODES, MOST_COMPARED = 5_000, 20  # addresses of the device · addresses looked for
CLOSE = 0.6  # of SequenceMatcher.ratio()


async def nearest(
    attachment: Attachment, component: str, wanted: Sequence[str], prefixes: Sequence[str]
) -> list[str]:
    """For each address the closest one that is there, "" for none. prefixes: what settings may put before addresses.

    An open component is browsed; what was seen when the time is over counts.
    """
    seen: list[str] = []
    with contextlib.suppress(TimeoutError, BedplateError, OSError):
        async with asyncio.timeout(WITHIN):
            await _browse(attachment, component, seen)
    return await asyncio.to_thread(_closest, wanted, _written(seen, prefixes))


async def _browse(attachment: Attachment, component: str, seen: list[str]) -> None:
    page = b""
    while True:
        ask = requests.Browse(below="", depth=DEPTH, page=page)
        found = ok(await attachment.ask(component, WITHIN, browse=ask)).browse
        seen += (node.address for node in found.nodes if node.is_variable)
        page = found.next_page
        if not page or len(seen) >= MOST_NODES:
            return


def _written(seen: Iterable[str], prefixes: Sequence[str]) -> list[str]:
    """Addresses as the file would write them: without what the settings put before them."""
    longest = sorted((prefix for prefix in prefixes if prefix), key=len, reverse=True)
    return [
        address.removeprefix(next((p for p in longest if address.startswith(p)), ""))
        for address in seen
    ]


def _closest(wanted: Sequence[str], there: Sequence[str]) -> list[str]:
    return [
        _best(address, there[:MOST_NODES]) if number < MOST_COMPARED else ""
        for number, address in enumerate(wanted)
    ]


def _best(address: str, there: Sequence[str]) -> str:
    """Case counts least: it is what is mistyped most."""
    matcher = SequenceMatcher(b=address.casefold(), autojunk=False)
    best, found = CLOSE, ""
    for candidate in there:
        matcher.set_seq1(candidate.casefold())
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best:
            ratio = matcher.ratio()
            if ratio > best:
                best, found = ratio, candidate
    return found
