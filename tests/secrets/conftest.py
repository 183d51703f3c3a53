from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def for_oneself_alone() -> Iterator[None]:
    """What a test writes, others can't read."""
    before = os.umask(0o077)
    yield
    os.umask(before)
