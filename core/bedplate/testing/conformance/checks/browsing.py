"""Browsing: nodes below an address, as deep as asked, with addresses that can be used."""

from __future__ import annotations

from typing import Any

from bedplate.model import quality
from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import SHOULD, Failed, check, expect_code, require
from bedplate.testing.conformance.profile import TagEntry
from bedplate.testing.conformance.session import Browse, Session

BROWSE: dict[str, Any] = {"kinds": ("connector",), "needs": "browse"}
PAGES, TRIED, LEVELS = 200, 20, 8


async def nodes_below(session: Session, below: str, depth: int) -> list[Any]:
    """All pages. Raises Failed when they do not end."""
    found: list[Any] = []
    page = b""
    for _ in range(PAGES):
        reply = await session.ask(30.0, browse=Browse(below=below, depth=depth, page=page))
        expect_code(reply, f"Browse below {below or 'the root'}", "OK")
        found += reply.browse.nodes
        page = reply.browse.next_page
        if not page:
            return found
    raise Failed(f"Browse below {below or 'the root'} did not end after {PAGES} pages")


@check(
    "CON-040",
    "Browse goes as deep as asked, and no deeper",
    "An operator opens a tree level by level; a server of a million nodes must not be read for the first of them.",
    "§3.2 Browse",
    **BROWSE,
)
async def depth(bench: Bench) -> str:
    session = await bench.session()
    counts = []
    for levels in (1, 2):
        nodes = await nodes_below(session, "", levels)
        require(nodes or levels > 1, "Browse of the root found nothing")
        deep = [n.path for n in nodes if n.path.count("/") >= levels]
        require(not deep, f"Browse of {levels} levels found {deep[:3]}")
        addresses = [n.address for n in nodes]
        require(len(addresses) == len(set(addresses)), "a node was found twice")
        counts.append(len(nodes))
    require(counts[1] >= counts[0], f"two levels have {counts[1]} nodes, one has {counts[0]}")
    await session.close()
    return f"{counts[0]} nodes on one level, {counts[1]} on two"


@check(
    "CON-041",
    "Addresses that Browse finds can be opened and read",
    "What is found is what the operator writes into his file.",
    "§3.2 Browse",
    **BROWSE,
)
async def addresses_work(bench: Bench) -> str:
    session = await bench.session()
    variables: list[Any] = []
    level, seen = [""], set()
    for _ in range(LEVELS):
        nodes = [n for below in level[:10] for n in await nodes_below(session, below, 1)]
        variables += [n for n in nodes if n.is_variable and n.address not in seen]
        seen |= {n.address for n in nodes}
        level = [n.address for n in nodes if n.has_children]
        if len(variables) >= TRIED or not level:
            break
    require(variables, f"no variable within {LEVELS} levels")
    tried = {f"v{i}": TagEntry(address=n.address) for i, n in enumerate(variables[:TRIED])}
    if "read" not in bench.subject.capabilities:
        await (await bench.session(session.kernel, tags=tried)).close()
        return f"{len(tried)} opened"
    again = await bench.session(session.kernel, tags=tried)
    codes = [c for batch in await again.batches() for c in batch.qualities().tolist()]
    unknown = [
        c
        for c in codes
        if quality.name(c) in ("BadNodeIdUnknown", "BadNotFound", "BadNodeIdInvalid")
    ]
    require(not unknown, f"{len(unknown)} of {len(tried)} addresses from Browse read as not there")
    await again.close()
    await session.close()
    return f"{len(tried)} of {len(variables)} read"


@check(
    "CON-042",
    "Browse below what is not there is REFUSED",
    "A typing mistake must not look like an empty machine, nor like a bug.",
    "§3.2 Browse",
    level=SHOULD,
    **BROWSE,
)
async def nowhere(bench: Bench) -> str:
    session = await bench.session()
    reply = await session.ask(10.0, browse=Browse(below="kit/no-such-node", depth=1))
    expect_code(reply, "Browse below a node that is not there", "REFUSED")
    expect_code(await session.close(), "Close", "OK")
    return "REFUSED"
