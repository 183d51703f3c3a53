from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Token and endpoints of the platforms of a module lie in a folder of its own."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDPLATE_HOME", str(folder))
        for name in ("BEDPLATE_ENDPOINT", "BEDPLATE_TOKEN"):
            patch.delenv(name, raising=False)
        yield folder
