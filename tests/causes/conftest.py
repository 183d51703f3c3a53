from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tokens and endpoints of the platforms of a module lie in a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDPLATE_HOME", str(tmp_path_factory.mktemp("home")))
        for name in ("BEDPLATE_ENDPOINT", "BEDPLATE_TOKEN"):
            patch.delenv(name, raising=False)
        yield
