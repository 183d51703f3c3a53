"""Lists, acknowledgement, status; identity; and what a caller reads when a call fails."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from tests.client.plant import NOW, TAGS, TOKEN, Plant, S, Serving

import bedplate
from bedplate.api.v1 import api_pb2
from bedplate.client import AsyncClient, Client
from bedplate.errors import CallError


def test_tags_come_with_their_current_samples_when_asked(client: Client) -> None:
    (power,) = client.tags("filler/power", current=True)
    assert (power.path, power.unit, power.type) == ("line1/filler/power", "kW", "machine")
    assert power.current is not None
    assert (power.current.value, power.current.time) == (12.4, NOW - S)
    assert client.tags("filler/power")[0].current is None


def test_assets_name_what_feeds_them(client: Client) -> None:
    (asset,) = client.assets()
    assert (asset.path, asset.components, asset.tags) == ("line1/filler", ("filler",), 3)


def test_alarms_come_as_events_with_their_whole_state(client: Client) -> None:
    jam = client.alarms()[0]
    assert jam.alarm is not None
    assert (jam.source, jam.alarm.state.name) == ("line1/capper/jam", "UNACKNOWLEDGED")


def test_an_acknowledgement_says_which_alarm_it_was(client: Client, plant: Plant) -> None:
    assert client.acknowledge("jam", comment="cleared") == "line1/capper/jam"
    assert (plant.requests[-1].source, plant.requests[-1].comment) == ("jam", "cleared")


def test_alarms_are_watched_from_what_stands_on(client: Client, plant: Plant) -> None:
    plant.changes = [plant.alarms[0]]
    sources = [event.source for event in client.watch_alarms()]
    assert sources == ["line1/capper/jam", "line1/filler/product-warm", "line1/capper/jam"]


def test_the_status_has_every_fact_of_the_contract(client: Client, plant: Plant) -> None:
    component = api_pb2.ComponentStatus(id="filler", kind=1, state="up", tags=11, group="machines")
    component.history.add(at=NOW, state="up", reason="opened")
    reader = api_pb2.ComponentStatus(id="history", kind=1)
    reader.reader.behind_seconds = 0.4
    plant.status.components.extend([component, reader])
    plant.status.processes.add(name="opcua", pid=4711, components=["filler"])
    plant.status.problems.append("press-12 unreachable: no route to host")
    status = client.status()
    filler, history = status.components
    assert (filler.id, filler.kind, filler.tags, filler.reader) == ("filler", "connector", 11, None)
    assert filler.history[0].state == "up"
    assert history.reader is not None
    assert history.reader.behind_seconds == 0.4
    assert (status.processes[0].components, status.problems) == (
        ("filler",),
        ("press-12 unreachable: no route to host",),
    )
    for kind in (status, filler, history.reader, status.journal, status.processes[0]):
        descriptor = getattr(api_pb2, type(kind).__name__, api_pb2.GetStatusResponse).DESCRIPTOR
        assert {field.name for field in descriptor.fields} == set(type(kind).__slots__)


def test_plugins_come_with_their_verdicts(client: Client, plant: Plant) -> None:
    plant.plugins = [api_pb2.PluginStatus(name="opcua", verdict="admitted", offers=["opcua"])]
    (plugin,) = client.plugins()
    assert (plugin.name, plugin.verdict, plugin.offers) == ("opcua", "admitted", ("opcua",))


def test_an_ambiguous_name_lists_the_candidates(client: Client) -> None:
    with pytest.raises(CallError, match="power names 2 tags") as failure:
        client.tags("power")
    assert failure.value.code == "INVALID_ARGUMENT"
    assert "line1/capper/power" in str(failure.value)


def test_a_kernel_that_does_not_run_is_named_with_what_to_do() -> None:
    with Client("127.0.0.1:1", TOKEN) as client, pytest.raises(CallError) as failure:
        client.status()
    assert failure.value.code == "UNAVAILABLE"
    assert str(failure.value) == (
        "no Bedplate runs at 127.0.0.1:1; start one with `bedplate run plant.yaml`"
    )


def test_a_failed_call_carries_no_traceback_of_grpc() -> None:
    with Client("127.0.0.1:1", TOKEN) as client, pytest.raises(CallError) as failure:
        list(client.subscribe("**"))
    assert failure.value.__suppress_context__
    assert "grpc" not in str(failure.value).lower()


def test_a_wrong_token_is_said_to_be_one(serving: Serving) -> None:
    with Client(serving.address, "wrong") as client, pytest.raises(CallError) as failure:
        client.tags()
    assert (failure.value.code, "token" in str(failure.value)) == ("UNAUTHENTICATED", True)


@pytest.mark.parametrize(
    ("code", "said", "read"),
    [
        (grpc.StatusCode.UNAVAILABLE, "the journal is full", "the journal is full"),
        (grpc.StatusCode.PERMISSION_DENIED, "not allowed", "not allowed"),
        (grpc.StatusCode.UNIMPLEMENTED, "Method not found!", "of another version"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "late", "did not answer in time"),
        (grpc.StatusCode.INTERNAL, "", r"failed without a word \(INTERNAL\)"),
    ],
)
def test_what_the_kernel_says_reaches_the_caller(
    client: Client, plant: Plant, code: grpc.StatusCode, said: str, read: str
) -> None:
    plant.failures["GetStatus"] = (code, said)
    with pytest.raises(CallError, match=read) as failure:
        client.status()
    assert failure.value.code == code.name


def test_a_connection_that_breaks_off_is_said_to_have_done_so(
    client: Client, plant: Plant, serving: Serving
) -> None:
    plant.hold.set()
    subscription = client.subscribe("**")
    client.tags()  # the connection stands
    serving.close()
    with pytest.raises(CallError) as failure:
        next(subscription)
    assert failure.value.code in {"UNAVAILABLE", "CANCELLED"}


async def test_the_asynchronous_client_asks_the_same(
    async_client: AsyncClient, plant: Plant
) -> None:
    assert [t.path for t in await async_client.tags("filler/power")] == ["line1/filler/power"]
    assert (await async_client.assets())[0].path == "line1/filler"
    assert (await async_client.current("filler/power"))["power"].value.tolist() == [12.4]
    assert (await async_client.history("**", last="5m")).samples == 30
    assert [p.samples async for p in async_client.history_pages("**", last="5m")] == [30]
    assert (await async_client.alarms())[0].source == "line1/capper/jam"
    assert [e.source async for e in async_client.watch_alarms()] == [e.source for e in plant.alarms]
    assert await async_client.acknowledge("jam") == "line1/capper/jam"
    assert (await async_client.status()).name == "bottling-line"
    assert await async_client.plugins() == []


async def test_an_asynchronous_call_fails_with_the_same_sentence() -> None:
    async with AsyncClient("127.0.0.1:1", TOKEN) as client:
        with pytest.raises(CallError, match="no Bedplate runs at"):
            await client.status()
        with pytest.raises(CallError, match="no Bedplate runs at"):
            await client.history("**")
        with pytest.raises(CallError, match="no Bedplate runs at"):
            await anext(client.subscribe("**"))


async def test_several_asynchronous_calls_run_side_by_side(async_client: AsyncClient) -> None:
    results = await asyncio.gather(*(async_client.history("**") for _ in range(10)))
    assert {result.samples for result in results} == {30}


def test_both_clients_offer_the_same_methods() -> None:
    def offered(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert offered(Client) == offered(AsyncClient)


def test_connect_takes_an_endpoint_and_a_token(serving: Serving) -> None:
    with bedplate.connect(serving.address, TOKEN) as client:
        assert len(client.tags()) == len(TAGS)


async def test_connect_async_does_the_same(serving: Serving) -> None:
    async with bedplate.connect_async(serving.address, TOKEN) as client:
        assert len(await client.tags()) == len(TAGS)
