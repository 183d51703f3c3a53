"""Open streams of somebody who would not be let in now: cut within 5 s, by the words a new call gets."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.door.rig import Plant, fingerprint, plant, until
from tests.remote.certificates import Authority

import bedplate
from bedplate.client import AsyncClient
from bedplate.errors import CallError

WITHIN = 5.0  # s


class Watching:
    """A stream that is read until it ends. code: how, empty while it goes on · after: s since the test said so."""

    def __init__(self, client: AsyncClient) -> None:
        self.code, self.text, self.updates = "", "", 0
        self.ended = 0.0
        self.task = asyncio.create_task(self._read(client))

    async def _read(self, client: AsyncClient) -> None:
        try:
            async for _ in client.subscribe("**"):
                self.updates += 1
        except CallError as error:
            self.code, self.text, self.ended = error.code, str(error), time.monotonic()


async def ended(streams: list[Watching], since: float) -> float:
    """s until the last of them."""
    await until(lambda: all(stream.code for stream in streams), WITHIN + 2)
    return max(stream.ended for stream in streams) - since


async def watching(stack: AsyncExitStack, running: Plant, *many: dict[str, Any]) -> list[Watching]:
    found = []
    for how in many:
        client = await stack.enter_async_context(bedplate.connect_async(running.address, **how))
        found.append(Watching(client))
    await until(lambda: all(stream.updates for stream in found))
    return found


@pytest.mark.case("A06", "A09")
@pytest.mark.parametrize("placement", ["inline", pytest.param("process", marks=pytest.mark.soak)])
async def test_whoever_is_revoked_is_cut_and_nobody_else(tmp_path: Path, placement: str) -> None:
    """A token, a certificate and a disabled user; others go on, over the same and other ways."""
    authority = Authority()
    tls = authority.kernel(tmp_path / "tls")
    vera, olga = (authority.place(tmp_path / name, "x") for name in ("vera", "olga"))
    everybody = {
        "tina-token": {"id": "tina"},
        "theo-token": {"id": "theo"},
        fingerprint(vera): {"id": "vera"},
        fingerprint(olga): {"id": "olga"},
    }
    ca = tls / "ca.pem"
    async with (
        plant(tmp_path, tls=tls, placement=placement) as running,
        AsyncExitStack() as stack,
    ):
        running.know(who=everybody)
        pairs = [(folder / "cert.pem", folder / "key.pem") for folder in (vera, olga)]
        streams = await watching(
            stack,
            running,
            {"token": "tina-token", "ca": ca},
            {"cert": pairs[0], "ca": ca},
            {"token": "theo-token", "ca": ca},
            {"cert": pairs[1], "ca": ca},
        )
        here = await stack.enter_async_context(
            bedplate.connect_async(f"unix:{running.here.socket}")
        )
        local = Watching(here)
        await until(lambda: local.updates)
        running.know(
            who={key: who for key, who in everybody.items() if who["id"] in {"theo", "olga"}}
        )
        took = await ended(streams[:2], time.monotonic())
        print(f"{placement}: cut {took:.2f} s after it was revoked")
        assert took < WITHIN
        assert {stream.code for stream in streams[:2]} == {"UNAUTHENTICATED"}
        before = [stream.updates for stream in (*streams[2:], local)]
        await asyncio.sleep(0.5)
        after = [stream.updates for stream in (*streams[2:], local)]
        assert all(b > a for a, b in zip(before, after, strict=True))
        with pytest.raises(CallError) as refused:
            async with bedplate.connect_async(running.address, "tina-token", ca=ca) as client:
                await client.whoami()
        assert refused.value.code == "UNAUTHENTICATED"


async def test_a_module_that_says_forget_is_asked_at_once(tmp_path: Path) -> None:
    async with plant(tmp_path) as running, AsyncExitStack() as stack:
        running.know(who={"t": {"id": "tina"}})
        streams = await watching(stack, running, {"token": "t"})
        running.know(who={})
        since = time.monotonic()
        running.platform.kernel.components["guard"].role.forget()
        took = await ended(streams, since)
        print(f"cut {took:.2f} s after forget")
        assert took < 1.5


async def test_what_has_ended_or_given_less_than_it_was_begun_with_ends_its_streams(
    tmp_path: Path,
) -> None:
    """A credential by its time, and roles that were taken away."""
    async with plant(tmp_path) as running, AsyncExitStack() as stack:
        until_ = time.time_ns() + 2_000_000_000
        short = {"id": "tina", "until": until_}
        running.know(who={"t": short, "u": {"id": "olga", "roles": ["viewer", "operator"]}})
        streams = await watching(stack, running, {"token": "t"}, {"token": "u"})
        running.know(who={"t": short, "u": {"id": "olga", "roles": []}})
        assert await ended(streams, time.monotonic()) < 2 + WITHIN
        assert time.time_ns() >= until_
        assert streams[0].code == "UNAUTHENTICATED"
        assert "what you may has changed" in streams[1].text


async def test_a_module_that_falls_silent_ends_what_it_let_in_and_nothing_local(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path, placement="process") as running, AsyncExitStack() as stack:
        running.know(who={"t": {"id": "tina"}})
        streams = await watching(stack, running, {"token": "t"})
        here = running.here
        running.know(who={"t": {"id": "tina"}}, silent=60)
        took = await ended(streams, time.monotonic())
        print(f"cut {took:.2f} s after the module fell silent")
        assert took < WITHIN
        for where, token in ((f"unix:{here.socket}", ""), (running.address, here.token)):
            async with bedplate.connect_async(where, token) as client:
                began = time.monotonic()
                assert (await client.whoami()).id.startswith("local-")
                assert time.monotonic() - began < 1
        async with bedplate.connect_async(running.address, "t") as client:
            with pytest.raises(CallError):
                await client.whoami()
