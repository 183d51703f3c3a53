"""Fixtures for pytest; none needs a kernel. In conftest.py: `pytest_plugins = ["bedplate.testing.fixtures"]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bedplate.testing.clock import FakeClock
from bedplate.testing.plugging import Plugged, plugged
from bedplate.testing.runs import Program


@pytest.fixture
def fake_clock() -> FakeClock:
    """A clock that moves only when told."""
    return FakeClock()


@pytest.fixture
def plug() -> Iterator[Callable[[type | Program], Plugged]]:
    """plug(Scale): the plugin runs until the test ends."""
    with ExitStack() as running:
        yield lambda plugin: running.enter_context(plugged(plugin))
