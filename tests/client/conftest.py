from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.client.plant import NOW, TOKEN, Plant, Serving

from bedplate.client import AsyncClient, Client


@pytest.fixture
def plant() -> Plant:
    return Plant()


@pytest.fixture
def serving(plant: Plant) -> Iterator[Serving]:
    serving = Serving(plant)
    yield serving
    serving.close()


@pytest.fixture
def client(serving: Serving) -> Iterator[Client]:
    with Client(serving.address, TOKEN, now=lambda: NOW) as client:
        yield client


@pytest.fixture
async def async_client(serving: Serving) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(serving.address, TOKEN, now=lambda: NOW) as client:
        yield client
