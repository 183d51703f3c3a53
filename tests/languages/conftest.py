from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.languages.examples import Machine, go_folder, machine, node_folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where what was built lies, by name of the example; filled by `made`."""
    return {"": tmp_path_factory.mktemp("plugins")}


@pytest.fixture
def made(folders: dict[str, Path]) -> Made:
    return Made(folders)


class Made:
    """Examples, each built once for all tests."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = folders

    def __call__(self, name: str) -> Path:
        """The folder of an example that can be run. Skips, or fails in CI, when it can't be made here."""
        if name not in self._folders:
            make = node_folder if name.startswith("node-") else go_folder
            self._folders[name] = make(name, self._folders[""])
        return self._folders[name]


@pytest.fixture
def helix() -> Iterator[Machine]:
    with machine() as one:
        yield one
