"""For the whole suite: the table of security cases at its end."""

from __future__ import annotations

import pytest
from tests.security.shown import Plugin


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Plugin(config), "security cases")
