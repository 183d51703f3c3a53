"""Why was I denied: by which rules, for who asks, and never with a word about what is hidden."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.policy.plant import running

from bedplate import connect
from bedplate.client.access import AccessCheck
from bedplate.errors import CallError


async def test_it_answers_with_the_rules_and_hides_what_is_hidden(tmp_path: Path) -> None:
    async with running(tmp_path, hidden=["oven"], actions=["alarms.acknowledge"]) as plant:
        endpoint = plant.endpoint
        with connect(endpoint.address, endpoint.token) as client:

            async def check(*words: str) -> AccessCheck:
                return await asyncio.to_thread(client.check_access, *words)

            allowed = await check("live.current", "filler/speed")
            assert allowed == AccessCheck(True, ("kernel: role admin", "door: orders"))
            assert (await check("live.current")).allowed
            denied = await check("alarms.acknowledge", "hall/filler")
            assert denied == AccessCheck(False, ("door: denied: orders",))
            hidden = await check("live.current", "oven/recipe")
            never = await check("live.current", "xven/xecipe")
            assert hidden == never == AccessCheck(False, ("there is nothing of that name",))
            with pytest.raises(CallError, match=r"did you mean live\.current") as error:
                await check("live.curent")
            assert error.value.code == "NOT_FOUND"


@pytest.mark.case("A14")
async def test_a_refusal_says_how_to_ask_and_what_it_would_change_is_named_only_if_it_is_seen(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, hidden=["oven"], actions=["admin.maintenance"]) as plant:
        endpoint = plant.endpoint
        with connect(endpoint.address, endpoint.token) as client:

            async def refusal(device: str) -> tuple[str, str]:
                call: Any = client.set_maintenance
                with pytest.raises(CallError) as error:
                    await asyncio.to_thread(call, device, "8h", "test")
                return error.value.code, str(error.value)

            code, text = await refusal("filler")
            assert code == "PERMISSION_DENIED"
            assert "`bedplate access check admin.maintenance acme/hall/filler` says why" in text
            code, text = await refusal("oven")
            assert code == "NOT_FOUND"
            assert text.startswith("no device named oven")
