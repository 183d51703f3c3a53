"""A start with the secret of a manual is refused, by file and line, and without repeating it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bedplate.cli.exits import Exit
from bedplate.cli.group import root
from bedplate.errors import ConfigError
from bedplate.server.placeholders import is_placeholder
from bedplate.server.platform import prepare

HERE = Path(__file__).parent
PLANT = """bedplate: 1
name: plant
connectors:
  press: {use: keeper, password: {secret: "env:PRESS"}}
  oven: {use: keeper, password: {secret: "file:oven.secret"}}
"""


@pytest.mark.case("A07")
@pytest.mark.parametrize("secret", ["changeme", "Change-Me!", "your-256-bit-secret", "xxxxxxxx"])
def test_a_start_with_the_password_of_a_manual_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    (tmp_path / "plant.yaml").write_text(PLANT)
    (tmp_path / "oven.secret").write_text(f"{secret}\n")
    (tmp_path / "oven.secret").chmod(0o600)
    monkeypatch.setenv("PRESS", secret)
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    with pytest.raises(ConfigError) as refused:
        prepare(tmp_path / "plant.yaml", [HERE / "keeping.py"])
    assert [(one.line, one.path) for one in refused.value.problems] == [(4, "press"), (5, "oven")]
    assert "secret env:PRESS is a word of manuals" in str(refused.value)
    assert secret not in str(refused.value)
    words = ["run", str(tmp_path / "plant.yaml"), "--plugin", str(HERE / "keeping.py")]
    assert isinstance(CliRunner().invoke(root, words).exception, ConfigError)
    assert Exit.NOT_DONE == 2, "what the shell sees of it"


@pytest.mark.parametrize(
    "secret", ["admin", "1234", "Zebra-lorry-91", "x", "passwords-of-mine", "", "secretary 7"]
)
def test_a_bad_password_of_a_machine_is_not_ours_to_refuse(secret: str) -> None:
    assert not is_placeholder(secret)
