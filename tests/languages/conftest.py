from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.languages.examples import Machine, go_folder, machine, node_folder


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Name of an example → its folder, where it can be run; built once. Skips, or fails in CI, when it can't be."""
    into = tmp_path_factory.mktemp("plugins")

    @cache
    def make(name: str) -> Path:
        return (node_folder if name.startswith("node-") else go_folder)(name, into)

    return make


@pytest.fixture
def helix() -> Iterator[Machine]:
    with machine() as one:
        yield one
