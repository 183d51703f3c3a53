"""What is hidden is as if it were not there: in every call of the API, to the byte.

The same questions are asked of a plant with something hidden, and of one that never had it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.protobuf import json_format
from tests.policy.plant import Plant, running

from bedplate.api.v1 import (
    access_pb2,
    api_pb2,
    command_pb2,
    gaps_pb2,
    maintenance_pb2,
    why_pb2,
)

SELECTORS = {
    "Catalog/ListTags": api_pb2.ListTagsRequest,
    "Live/Current": api_pb2.CurrentRequest,
    "History/Query": api_pb2.QueryRequest,
    "History/ListGaps": gaps_pb2.ListGapsRequest,
    "Alarms/ListAlarms": api_pb2.ListAlarmsRequest,
    "Alarms/WatchAlarms": api_pb2.WatchAlarmsRequest,
    "Command/ListCommands": command_pb2.ListCommandsRequest,
}
NAMED: dict[str, Callable[[str], Any]] = {
    **{name: lambda text, made=made: made(selectors=[text]) for name, made in SELECTORS.items()},
    "Catalog/ListAssets": lambda text: api_pb2.ListAssetsRequest(below=text),
    "Live/Subscribe": lambda text: api_pb2.SubscribeRequest(
        open=api_pb2.SubscribeOpen(selectors=[text], credit=1)
    ),
    "Alarms/Acknowledge": lambda text: api_pb2.AcknowledgeRequest(source=text),
    "Admin/Explain": lambda text: why_pb2.ExplainRequest(subject=text),
    "Admin/SetMaintenance": lambda text: maintenance_pb2.SetMaintenanceRequest(
        device=text, until=1 << 62, reason="x"
    ),
    "Admin/EndMaintenance": lambda text: maintenance_pb2.EndMaintenanceRequest(device=text),
    "Command/Submit": lambda text: command_pb2.SubmitRequest(
        command_id="one", tag=text, value={"float64": 3.0}, dry_run=True
    ),
    "Command/Approve": lambda text: command_pb2.ApproveRequest(command_id=text),
    "Command/Cancel": lambda text: command_pb2.CancelRequest(command_id=text),
    "Access/CheckAccess": lambda text: access_pb2.CheckAccessRequest(
        action="live.current", resource=text
    ),
}
UNNAMED = {  # take no name of anything in the plant
    "Access/WhoAmI",
    "Access/Login",
    "Access/ListSessions",
    "Admin/GetStatus",
    "Admin/ListPlugins",
    "Admin/Plan",
    "Admin/Apply",
    "Admin/ListDeployments",
    "Admin/ListAudit",
    "Admin/VerifyAudit",
}
MOVING = {
    "Live/Current",
    "Live/Subscribe",
    "History/Query",
    "History/ListGaps",
    "Admin/Explain",
    "Command/Submit",
}  # full of values
SLOW = gaps_pb2.GAP_REASON_THROTTLED  # this machine
HIDDEN = ("oven", "recipe")
NAMES = [
    "acme/hall/oven/recipe",
    "oven/recipe",
    "recipe",
    "oven",
    "oven/setpoint",
    "**/recipe",
    "oven/*",
    "acme/hall/ovem",
    "setpoint",
    "hall",
    "broken",
    "oven/hot",
    "hot",
]


def methods() -> dict[str, Any]:
    """Of the descriptor: "Service/Name" → the method."""
    services = api_pb2.DESCRIPTOR.services_by_name.values()
    return {f"{s.name}/{m.name}": m for s in services for m in s.methods}


def test_every_call_of_the_descriptor_is_here() -> None:
    assert set(NAMED) | UNNAMED == set(methods())
    assert not set(NAMED) & UNNAMED


async def answer(plant: Plant, channel: Any, method: str, request: Any) -> tuple[Any, ...]:
    """Code, words, and up to two messages of a call, as they were on the wire."""
    call = channel.stream_stream(f"/bedplate.api.v1.{method}")(
        iter([request.SerializeToString()]), metadata=plant.metadata
    )
    found: list[bytes] = []
    endless = method in ("Live/Subscribe", "Alarms/WatchAlarms")
    try:
        async with asyncio.timeout(0.2 if endless else 5):
            while len(found) < 2 - endless and (one := await call.read()) is not grpc.aio.EOF:
                found.append(one)
    except TimeoutError:
        call.cancel()
        return "open", "", found
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details(), found
    if endless:
        call.cancel()
        return "open", "", found
    return (await call.code()) if len(found) < 2 else "more", "", found


def without_moments(method: str, messages: list[bytes]) -> list[Any]:
    """What was answered, but for times and the numbers of tables."""
    made = methods()[method].output_type._concrete_class
    moving = {"to", "from", "received", "time", "head", "resumeToken", "expected", "activeSince"}

    def rest(node: Any) -> Any:
        if isinstance(node, dict):
            return {k: rest(v) for k, v in node.items() if k not in moving}
        return [rest(one) for one in node] if isinstance(node, list) else node

    return [rest(json_format.MessageToDict(made.FromString(one))) for one in messages]


@pytest.mark.case("A18")
async def test_nothing_that_is_hidden_is_in_any_answer(tmp_path: Path) -> None:
    async with running(tmp_path, hidden=["oven"]) as plant, plant.channel() as channel:
        plant.alarm("oven")
        plant.alarm("filler")
        for method in sorted(methods()):
            made = methods()[method].input_type._concrete_class
            asked = NAMED.get(method, lambda text, made=made: made())
            for text in ("**", "broken", ""):
                code, words, messages = await answer(plant, channel, method, asked(text))
                whole = b"".join(messages) + words.encode()
                assert not [h for h in HIDDEN if h.encode() in whole], (method, text, whole)
                assert code is not grpc.StatusCode.INTERNAL, (method, text, words)


@pytest.mark.case("A18")
async def test_a_plant_with_something_hidden_is_like_one_that_never_had_it(tmp_path: Path) -> None:
    """To the byte of each refusal, and to the last count of each answer."""
    found: list[dict[Any, Any]] = []
    for name, oven in (("with", True), ("without", False)):
        folder = tmp_path / name
        folder.mkdir()
        async with running(folder, oven=oven, hidden=["oven"]) as plant, plant.channel() as channel:
            plant.alarm("filler")
            if oven:
                plant.alarm("oven")
            await asyncio.sleep(0.3)
            told: dict[Any, Any] = {}
            for method, request in NAMED.items():
                for text in NAMES:
                    code, words, messages = await answer(plant, channel, method, request(text))
                    counted = [] if method in MOVING else without_moments(method, messages)
                    told[method, text] = code, words, counted
            found.append({**told, **await _seen(plant, channel)})
    for question, one in found[0].items():
        assert one == found[1][question], question
    assert found[0]["tags"] == [f"acme/hall/filler/{n}" for n in ("broken", "setpoint", "speed")]


async def _seen(plant: Plant, channel: Any) -> dict[str, Any]:
    """All that can be counted."""

    async def of(method: str, request: Any) -> Any:
        _, words, messages = await answer(plant, channel, method, request)
        assert messages, words
        return methods()[method].output_type._concrete_class.FromString(messages[0])

    tags = await of("Catalog/ListTags", api_pb2.ListTagsRequest())
    assets = await of("Catalog/ListAssets", api_pb2.ListAssetsRequest())
    current = await of("Live/Current", api_pb2.CurrentRequest())
    status = await of("Admin/GetStatus", api_pb2.GetStatusRequest())
    alarms = await of("Alarms/ListAlarms", api_pb2.ListAlarmsRequest())
    gaps = await of("History/ListGaps", gaps_pb2.ListGapsRequest())
    live = await of(
        "Live/Subscribe",
        api_pb2.SubscribeRequest(open=api_pb2.SubscribeOpen(current_first=True, events=True)),
    )
    explained = await of("Admin/Explain", why_pb2.ExplainRequest(subject="hall"))
    return {
        "tags": [one.tag.path for one in tags.tags],
        "assets": [json_format.MessageToDict(one) for one in assets.assets],
        "current": [tag.path for tag in current.tags],
        "components": [(one.id, one.tags, one.tags_good) for one in status.components],
        "alarms": [(one.source, one.alarm.tag) for one in alarms.alarms],
        "causes": [(one.subject, list(one.components), one.tags) for one in status.causes],
        "completeness": [one.path for one in gaps.completeness],
        "gaps": [(one.path, one.tags) for one in gaps.gaps if one.reason != SLOW],
        "live": sorted(tag.path for table in live.tables for tag in table.tags),
        "explained": (explained.subject, list(explained.effect)),
    }


async def test_a_history_over_everything_has_only_what_may_be_seen(tmp_path: Path) -> None:
    async with running(tmp_path, hidden=["oven"]) as plant, plant.channel() as channel:
        await asyncio.sleep(0.2)
        request = api_pb2.QueryRequest()
        for selectors in ([], ["**"], ["hall"], ["**/setpoint"]):
            del request.selectors[:]
            request.selectors.extend(selectors)
            code, words, messages = await answer(plant, channel, "History/Query", request)
            assert messages, (code, words)
            paths = {t.path for one in messages for t in api_pb2.QueryResponse.FromString(one).tags}
            assert paths
            assert not [path for path in paths if "oven" in path]
        plant.order(hidden=[])
        async with asyncio.timeout(5):
            while not any(b"recipe" in one for one in messages):
                request = api_pb2.QueryRequest(selectors=["**"])
                _, _, messages = await answer(plant, channel, "History/Query", request)
