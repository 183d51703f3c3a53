"""Subscriptions: updates by path, credit, tokens, and how they end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from tests.client.plant import NOW, TAGS, Plant, S, batch_record, event_record, samples, table

from bedplate.api.v1 import api_pb2
from bedplate.client import AsyncClient, Client
from bedplate.errors import CallError, ProtocolError


def response(number: int, *records: Any, **more: Any) -> api_pb2.SubscribeResponse:
    tables = [table(1, 2, 3)] if number == 1 else []
    return api_pb2.SubscribeResponse(
        records=records, tables=tables, resume_token=number.to_bytes(16, "big"), **more
    )


def power(number: int) -> api_pb2.SubscribeResponse:
    return response(number, batch_record(number, samples([1], [NOW + number], [float(number)])))


def test_an_update_gives_samples_by_path(client: Client, plant: Plant) -> None:
    batch = samples([1, 1], [NOW, NOW + S], [1.0, 2.0])
    texts = samples([3], [NOW], ["A-18"])
    plant.updates = [response(1, batch_record(1, batch), batch_record(2, texts))]
    (update,) = client.subscribe("filler")
    assert update["filler/power"].value.tolist() == [1.0, 2.0]
    assert update["order_id"].value.tolist() == ["A-18"]
    assert list(update) == ["line1/filler/order_id", "line1/filler/power"]
    assert update.samples == 3


def test_a_subscriber_gets_more_than_its_first_credit(client: Client, plant: Plant) -> None:
    plant.updates = [power(n) for n in range(1, 101)]
    values = [update["power"].value[0] for update in client.subscribe("**")]
    assert values == [float(n) for n in range(1, 101)]


async def test_an_asynchronous_subscriber_gets_the_same(
    async_client: AsyncClient, plant: Plant
) -> None:
    plant.hold.set()
    plant.updates = [power(n) for n in range(1, 101)]
    async with async_client.subscribe("**") as subscription:
        values = [(await anext(subscription))["power"].value[0] for _ in range(100)]
    assert values == [float(n) for n in range(1, 101)]


def test_events_come_beside_samples(client: Client, plant: Plant) -> None:
    plant.updates = [response(1, event_record(1, plant.alarms[0]), lost=3)]
    (update,) = client.subscribe(events=True)
    assert [event.source for event in update.events] == ["line1/capper/jam"]
    assert (update.lost, len(update)) == (3, 0)
    assert plant.requests[-1].events


def test_the_token_of_the_newest_update_resumes(client: Client, plant: Plant) -> None:
    plant.updates = [power(1), power(2)]
    subscription = client.subscribe("**")
    tokens = [update.resume_token for update in subscription]
    assert subscription.resume_token == tokens[-1] == (2).to_bytes(16, "big")
    list(client.subscribe("**", resume=subscription.resume_token))
    assert plant.requests[-1].resume_token == tokens[-1]


def test_one_that_was_cut_knows_where_to_go_on(client: Client, plant: Plant) -> None:
    plant.updates, plant.cut = [power(1)], b"cut-here-at-99.."
    subscription = client.subscribe("**")
    next(subscription)
    with pytest.raises(CallError, match="resume with the token") as failure:
        next(subscription)
    assert (failure.value.code, subscription.resume_token) == ("ABORTED", b"cut-here-at-99..")


async def test_an_asynchronous_one_that_was_cut_knows_it_too(
    async_client: AsyncClient, plant: Plant
) -> None:
    plant.cut = b"cut-here-at-99.."
    subscription = async_client.subscribe("**")
    with pytest.raises(CallError, match="resume with the token"):
        await anext(subscription)
    assert subscription.resume_token == b"cut-here-at-99.."


def test_a_waiting_subscription_ends_when_another_thread_closes_it(
    client: Client, plant: Plant
) -> None:
    plant.hold.set()
    plant.updates = [power(1)]
    subscription = client.subscribe("**")
    next(subscription)
    closing = threading.Timer(0.05, subscription.close)
    closing.start()
    assert list(subscription) == []
    closing.join()


async def test_a_waiting_asynchronous_subscription_ends_when_it_is_closed(
    async_client: AsyncClient, plant: Plant
) -> None:
    plant.hold.set()
    plant.updates = [power(1)]
    async with async_client.subscribe("**") as subscription:
        await anext(subscription)
        waiting = asyncio.ensure_future(anext(subscription, None))
        await asyncio.sleep(0)
        subscription.close()
        assert await asyncio.wait_for(waiting, 5) is None


async def test_cancelling_the_wait_leaves_nothing_behind(
    async_client: AsyncClient, plant: Plant
) -> None:
    plant.hold.set()
    subscription = async_client.subscribe("**")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(subscription), 0.1)
    assert len(await async_client.tags()) == len(TAGS)


def test_a_handle_that_nobody_explained_breaks_the_contract(client: Client, plant: Plant) -> None:
    plant.updates = [response(2, batch_record(1, samples([1], [NOW], [1.0])))]
    (update,) = client.subscribe("**")
    with pytest.raises(ProtocolError, match="handle 1, which was not explained"):
        len(update)


def test_subscribing_to_an_unknown_name_says_so(client: Client) -> None:
    with pytest.raises(CallError, match="no tag named flller; did you mean filler"):
        next(client.subscribe("flller"))
