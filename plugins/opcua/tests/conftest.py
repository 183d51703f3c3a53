from __future__ import annotations

from collections.abc import Iterator

import pytest
from plugins.opcua.tests.peer import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that the tests share: they must leave it as they found it."""
    one = Server(tmp_path_factory.mktemp("opcua"))
    yield one
    one.kill()
