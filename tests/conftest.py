"""For the whole suite: the longest files go first, and the table of security cases stands at its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.security.shown import Plugin

# Half a minute and more each. Begun last, one of them would keep one worker busy while the others have nothing left.
LONG = (
    "tests/simulation/test_simulation_1.py",
    "tests/simulation/test_simulation_2.py",
    "tests/simulation/test_simulation_3.py",
    "tests/conformance/test_first_party.py",
    "tests/faults/test_kill.py",
    "tests/backup/test_backup.py",
    "tests/demo/test_demo.py",
    "tests/docs/test_tutorial.py",
    "tests/config/test_mutations.py",
    "tests/plan/test_commands.py",
    "tests/mutants/test_mutants.py",
    "tests/upgrade/test_upgrade.py",
    "tests/runtime/test_sessions.py",
    "plugins/opcua/tests/test_opcua_losing.py",
    "tests/soak/test_soak.py",
    "tests/test_tools.py",
    "plugins/opcua/tests/test_opcua_taking_over.py",
    "tests/runtime/test_two_lanes.py",
    "plugins/history/tests/test_history_crashes.py",
)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Plugin(config), "security cases")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    places = {Path(config.rootpath, name): place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path, len(LONG)))
