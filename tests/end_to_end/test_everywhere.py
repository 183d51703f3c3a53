"""The simulated line as a plugin of its own, with a history behind it, in every placement: the same comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.end_to_end.site import EVERYWHERE, HISTORY, Site, until

TEXT = f"""
bedplate: 1
name: everywhere
scan_classes: {{fast: 100ms}}
connectors:
  line:
    use: simline
    placement: PLACE
    tags:
      made: {{address: filler.parts_total, scan: fast, unit: "1"}}
      state: {{address: filler.state, scan: fast}}
      phase: {{address: line.phase, scan: fast}}
  {HISTORY}
"""


async def shape(site: Site) -> dict[str, Any]:
    """What does not depend on when it was asked."""
    tags = await site.client.tags("line/**", current=True)
    kept = await site.client.history("line/**", start=1)
    made = kept["line/made"].value
    return {
        "tags": [(t.path, t.tag.data_type, t.unit, t.current.quality) for t in tags if t.current],
        "kept": sorted((path, str(series.value.dtype)) for path, series in kept.items()),
        "rises": bool((made[1:] >= made[:-1]).all()),
        "phase": set(kept["line/phase"].value.tolist()),
    }


async def test_the_simulated_line_is_the_same_in_every_placement(tmp_path: Path) -> None:
    told = {}
    for placement in EVERYWHERE:
        site = Site(tmp_path / placement, TEXT, placement=placement)
        try:
            await site.start()
            await until(site.all_up, 30)

            async def enough(site: Site = site) -> bool:
                kept = await site.client.history("line/made", start=1)
                return len(kept) > 0 and len(kept["line/made"]) > 10

            await until(enough, 30)
            told[placement] = await shape(site)
        finally:
            await site.stop()
    assert told["process"]["rises"]
    assert len(told["process"]["tags"]) == 3
    assert told["process"] == told["inline"] == told["remote"]
