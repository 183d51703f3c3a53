"""Reading: every tag answered once, with its quality, in sound batches."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from bedplate.model import quality
from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import (
    SHOULD,
    NotApplicable,
    NotRun,
    check,
    expect_code,
    require,
)
from bedplate.testing.conformance.profile import TagEntry
from bedplate.testing.conformance.session import Session

CONNECTOR = ("connector",)
DAY = 86_400 * 10**9
CLASSES = 0xC0000000
RESERVED = 0x30008000  # bits of a StatusCode that must be 0 (OPC 10000-4 §7.39)


@check(
    "CON-001",
    "Every tag that is read is in the answer, once, and no other",
    "A tag left out looks as if it were still what it was. One that nobody asked for has no place to go.",
    "§3.2 Read",
    kinds=CONNECTOR,
    needs="read",
)
async def every_tag(bench: Bench) -> str:
    session = await bench.session()
    wanted = [session.handles, session.handles[:1], list(reversed(session.handles))]
    for handles in wanted:
        batches = await session.batches(handles)
        seen = [h for batch in batches for h in batch.tags().tolist()]
        require(sorted(seen) == sorted(handles), f"Read of handles {handles} answered for {seen}")
    await session.close()
    return f"{len(session.handles)} tags, all, one, and in another order"


@check(
    "CON-002",
    "Batches are sound: columns of one length, one type each",
    "The kernel takes columns as they come. One that is too short is a fault of the component.",
    "§4 Records and batches",
    kinds=CONNECTOR,
    needs="read",
)
async def sound_batches(bench: Bench) -> str:
    session = await bench.session()
    batches = await session.batches()  # decoding checks lengths and types
    await session.close()
    return ", ".join(f"{len(b)} × {b.data_type.name}" for b in batches)


@check(
    "CON-003",
    "Qualities are OPC UA StatusCodes",
    "Everybody down the line decides by the two top bits and reads the rest as a code of OPC 10000-6.",
    "§4 Records and batches",
    kinds=CONNECTOR,
    needs="read",
)
async def codes_are_codes(bench: Bench) -> str:
    session = await bench.session()
    names = set()
    for batch in await session.batches():
        for code in batch.qualities().tolist():
            require(code & CLASSES != CLASSES, f"quality 0x{code:08X} is of no severity")
            require(not code & RESERVED, f"quality 0x{code:08X} has reserved bits set")
            names.add(quality.name(code))
    await session.close()
    return ", ".join(sorted(names))


@check(
    "CON-004",
    "Source times are absent or sane",
    "A plugin that has no time from its source leaves it to the kernel. A time of 1970, or of next year, makes a "
    "history useless.",
    "§4 Records and batches",
    kinds=CONNECTOR,
    needs="read",
)
async def times_are_sane(bench: Bench) -> str:
    session = await bench.session()
    told = "the kernel stamps"
    for batch in await session.batches():
        if len(batch.time):
            times = batch.times()
            low, high = int(times.min()), int(times.max())
            require(low > 946_684_800 * 10**9, f"a source time of {low} ns is before the year 2000")
            require(high < time.time_ns() + DAY, f"a source time of {high} ns is in the future")
            told = "times of the source"
    await session.close()
    return told


@check(
    "CON-005",
    "A tag keeps its type",
    "Another type is another handle: a tag that is a number now and a text then falls apart in the history.",
    "§4 Records and batches",
    level=SHOULD,
    kinds=CONNECTOR,
    needs="read",
)
async def types_stay(bench: Bench) -> str:
    session = await bench.session()
    types: dict[int, set[str]] = {}
    for _ in range(10):
        for batch in await session.batches():
            good = quality.good_mask(batch.qualities())
            for handle in np.unique(batch.tags()[good]).tolist():
                types.setdefault(handle, set()).add(batch.data_type.name)
    await session.close()
    changed = {handle: sorted(found) for handle, found in types.items() if len(found) > 1}
    require(not changed, f"types within ten reads, by handle: {changed}")
    return f"{len(types)} tags, ten reads"


@check(
    "CON-006",
    "A missing address reads Bad, alone",
    "One wrong line in a list of four hundred must cost one tag, not the machine.",
    "§3.1 Open",
    kinds=CONNECTOR,
    needs="read",
)
async def missing_is_bad(bench: Bench) -> str:
    missing = {name: tag for name, tag in bench.profile.tags.items() if tag.missing}
    if bench.profile.every_address:
        raise NotApplicable("conformance.toml says every_address = true")
    if not missing:
        raise NotRun("name an address that the device does not have: missing = true of a tag")
    session = await bench.session(tags={**bench.tags(), **missing})
    for name in missing:
        value, code = await session.value(name)
        require(
            quality.is_bad(code), f"{name} is missing and reads {value!r}, {quality.name(code)}"
        )
    batches = await session.batches()
    codes = {
        h: c
        for b in batches
        for h, c in zip(b.tags().tolist(), b.qualities().tolist(), strict=True)
    }
    for name in bench.tags():
        code = codes[session.handle(name)]
        require(not quality.is_bad(code), f"beside a missing tag {name} reads {quality.name(code)}")
    await session.close()
    return f"{len(missing)} Bad, {len(bench.tags())} beside it fine"


@check(
    "CON-007",
    "Known values are read as they are",
    "The one thing a connector is for. Byte orders, signs and scales are wrong until somebody looks.",
    "§3.2 Read",
    kinds=CONNECTOR,
    needs="read",
)
async def known_values(bench: Bench) -> str:
    known = {name: tag for name, tag in bench.tags().items() if tag.known}
    if not known:
        raise NotRun("say what the simulator holds: value = …, or between = […], of a tag")
    session = await bench.session(tags=known)
    for name, tag in known.items():
        value, code = await session.value(name)
        require(quality.is_good(code), f"{name} reads {quality.name(code)}")
        require(right(value, tag), f"{name} reads {value!r}, and {there(tag)} is there")
    await session.close()
    return ", ".join(known)


def right(value: Any, tag: TagEntry) -> bool:
    """Whether this is what the author says the simulator holds."""
    if tag.value is not None:
        return same(value, tag.value)
    low, high = tag.between
    return isinstance(value, (int, float)) and low <= value <= high


def there(tag: TagEntry) -> str:
    """The same in words."""
    return f"{tag.value!r}" if tag.value is not None else f"{tag.between[0]} to {tag.between[1]}"


def same(value: Any, wanted: Any) -> bool:
    """Equal, numbers within the precision of a float32."""
    if isinstance(value, bytes) and isinstance(wanted, str):
        return value.hex() == wanted
    if isinstance(value, (int, float)) and isinstance(wanted, (int, float)):
        return math.isclose(value, wanted, rel_tol=1e-6, abs_tol=1e-9)
    return bool(value == wanted)


@check(
    "CON-008",
    "A thousand tags are read in one answer",
    "A tag list of a large machine is ordinary. Read is one ask, and its answer one message below 16 MiB.",
    "§3 Asks and answers",
    level=SHOULD,
    kinds=CONNECTOR,
    needs="read",
)
async def many_tags(bench: Bench) -> str:
    name, tag = next(iter(bench.tags().items()))
    if 0 < bench.profile.most_tags < 1000:
        raise NotApplicable(f"conformance.toml says most_tags = {bench.profile.most_tags}")
    if not bench.profile.tags:
        raise NotRun("name tags in conformance.toml")
    many: dict[str, TagEntry] = {f"{name}-{n}": tag for n in range(1000)}
    session = Session(await bench.running(), bench.component(), bench.message(tags=many))
    expect_code(await session.open(), "Open with 1,000 tags", "OK")
    reply = await session.read(within=30.0)
    expect_code(reply, "Read of 1,000 tags", "OK")
    found = sum(len(b) for b in await session.batches())
    require(found == 1000, f"Read of 1,000 tags gave {found} samples")
    await session.close()
    return f"{reply.ByteSize() >> 10} KiB"
