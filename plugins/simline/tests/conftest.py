"""Simulator processes for the tests: started on a free port, ended at the end of the test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bedplate_simline.launch import Simulator


@pytest.fixture
def simulator() -> Iterator[Callable[..., Simulator]]:
    """Start a simulator with these arguments."""
    with ExitStack() as started:
        yield lambda *arguments: started.enter_context(
            Simulator(*arguments, stderr=subprocess.PIPE)
        )
