"""A Bedplate for the time of a test, and what an author of a first plugin meets in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bedplate.testing import running, until

WEATHER = '''from pathlib import Path
from bedplate import Bad, Connector
from pydantic import BaseModel


class Weather(Connector):
    """A station that writes its newest values into a file: name=value lines."""

    class Config(BaseModel):
        file: str

    def read(self, tags):
        lines = Path(self.config.file).read_text().splitlines()
        values = dict(line.split("=") for line in lines)
        return [
            float(values[tag.address]) if tag.address in values else Bad("not in the file")
            for tag in tags
        ]
'''
ROOF = """
bedplate: 1
name: roof
connectors:
  station: {use: weather, file: FILE, tags: {temperature: {unit: °C, scan: fast}, wind: {scan: fast}}}
"""


def test_a_tag_without_an_address_is_asked_for_by_its_name_and_a_bad_one_says_why(
    tmp_path: Path,
) -> None:
    (tmp_path / "weather.py").write_text(WEATHER)
    station = tmp_path / "station.txt"
    station.write_text("temperature=21.5\nwind=3\n")
    (tmp_path / "roof.yaml").write_text(ROOF.replace("FILE", str(station)))
    here = (tmp_path / "roof.yaml", tmp_path / "weather.py")
    with running(*here) as bedplate, bedplate.client() as client:
        until(lambda: client.current("wind")["wind"].value.tolist() == [3.0])
        station.write_text("temperature=22\n")
        problem = until(lambda: client.status().problems[0])
        value = client.current("temperature")["temperature"].value.tolist()

    assert value[0] in (21.5, 22.0)
    assert problem == "station/wind Bad: not in the file (BadDeviceFailure)"


def test_a_deployment_that_does_not_run_fails_the_test_with_what_was_said(tmp_path: Path) -> None:
    (tmp_path / "roof.yaml").write_text("bedplate: 1\nname: roof\nconnectors: {a: {use: nobody}}\n")
    wanted = pytest.raises(AssertionError, match="no plugin offers `nobody`")
    with wanted, running(tmp_path / "roof.yaml"):
        raise RuntimeError("it must not come up")
