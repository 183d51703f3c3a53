"""A connector in JavaScript on another machine: it dials with certificates, and is started again after a cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.site import Site, until
from tests.languages.examples import Machine
from tests.remote.proxy import network

TEXT = """
bedplate: 1
name: elsewhere
scan_classes: {fast: 200ms}
connectors:
  js: {use: helix-js, placement: remote, host: 127.0.0.1, port: PORT, tags: {speed: {address: 1, scan: fast}}}
"""


async def test_a_connector_in_javascript_serves_from_elsewhere_and_comes_back_after_a_cut(
    tmp_path: Path,
    made: Callable[[str], Path],
    helix: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    folder = await asyncio.to_thread(made, "node-connector")
    text = TEXT.replace("PORT", str(helix.port))
    site = Site(tmp_path / "site", text, placement="remote", plugins=[folder])
    async with network("") as proxy:
        site.through = proxy
        try:
            client = await site.start()

            async def good() -> Any:
                found = await client.current("js/speed")
                return found.samples and found["js/speed"].good.all()

            await until(good, 30)
            before = (await site.component("js")).restarts
            proxy.reset()
            await until(lambda: proxy.taken > 1, 30)
            await until(good, 30)
            assert (await site.component("js")).restarts > before, "it starts anew, and says so"
        finally:
            await site.stop()
