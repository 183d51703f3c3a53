"""What a test needs that confines for real."""

from __future__ import annotations

import os

import pytest

from bedplate.isolation import Level, this_machine


@pytest.fixture
def confined() -> None:
    """Skips at a desk whose machine can't; fails in CI."""
    if this_machine().default < Level.L2:
        assert "CI" not in os.environ, "needs Landlock and seccomp"
        pytest.skip("needs Landlock and seccomp")
