"""What a value is worth when its source is away, comes and goes, or has not been there since the platform started."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.end_to_end.site import PLACEMENTS, RIGS, Site, running, until

from bedplate.model import quality

FLAPPING = '''from pathlib import Path

from bedplate import Connector
from pydantic import BaseModel


class Flapping(Connector):
    """Can always be opened; has no answer while there is a file `mute`."""

    class Config(BaseModel):
        folder: str

    def open(self):
        self.count = 0

    def read(self, tags):
        if (Path(self.config.folder) / "mute").exists():
            raise TimeoutError("no answer")
        self.count += 1
        return [f"text {self.count}" if tag.address == "text" else self.count for tag in tags]
'''
PLANT = """
bedplate: 1
name: quality
path: plant
scan_classes: {normal: 100ms}
connectors:
  a:
    use: flapping
    placement: PLACE
    folder: FOLDER
    tags: {one: {address: r1}, text: {address: text}, float: {address: r2, scale: 0.5}}
analytics:
  sums: {use: sums, placement: PLACE, for: a, of: one}
journal: {folder: journal, sync: 50ms}
"""
UNCERTAIN = quality.CODES["UncertainNoCommunicationLastUsableValue"]
BAD = quality.CODES["BadNoCommunication"]
TAGS = {"plant/a/one", "plant/a/text", "plant/a/float"}


def site(folder: Path, placement: str) -> Site:
    (folder / "flapping.py").write_text(FLAPPING)
    return Site(folder, PLANT, placement=placement, plugins=[RIGS, folder / "flapping.py"])


async def codes(of: Site) -> set[int]:
    """Qualities of all tags of the device."""
    tags = await of.client.tags("a/*", current=True)
    return {tag.current.quality for tag in tags if tag.current and tag.path in TAGS}


async def all_are(of: Site, code: int) -> bool:
    return await codes(of) == {code} and (await of.client.current("a/*")).samples == len(TAGS)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bedplate.runtime.source.BAD_AFTER", 1.5)


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.usefixtures("soon")
async def test_a_device_that_opens_but_never_answers_turns_bad(
    tmp_path: Path, placement: str
) -> None:
    one = site(tmp_path, placement)
    try:
        await one.start()
        await until(lambda: all_are(one, quality.GOOD))
        (tmp_path / "mute").touch()
        await until(lambda: all_are(one, UNCERTAIN), 3)
        await until(lambda: all_are(one, BAD), 5)
        assert (await one.component("a")).restarts >= 1
        (tmp_path / "mute").unlink()
        await until(lambda: all_are(one, quality.GOOD))
    finally:
        await one.stop()


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.usefixtures("soon")
async def test_values_of_a_device_that_is_away_since_the_start_are_not_good(
    tmp_path: Path, placement: str
) -> None:
    one = site(tmp_path, placement)
    try:
        await one.start()
        await until(lambda: all_are(one, quality.GOOD))
        await one.stop()
        (tmp_path / "mute").touch()
        await one.start()
        before = {
            path: series.value.tolist() for path, series in (await one.client.current()).items()
        }
        assert set(before) >= TAGS
        await until(lambda: all_are(one, UNCERTAIN))
        await until(lambda: all_are(one, BAD))
        after = await one.client.current("a/*")
        assert {path: after[path].value.tolist() for path in TAGS} == {p: before[p] for p in TAGS}
        (tmp_path / "mute").unlink()
        await until(lambda: all_are(one, quality.GOOD))
    finally:
        await one.stop()


async def test_what_an_analytic_wrote_stays_current_over_restarts(tmp_path: Path) -> None:
    async with running(tmp_path, PLANT, placement="inline", plugins=plugins(tmp_path)) as one:
        await until(lambda: counted(one, 5))
        (tmp_path / "mute").touch()
        await until(lambda: all_are(one, UNCERTAIN))
        for _ in range(2):
            told = (await one.client.current("sums/*"))["sums/sum"].value[0]
            await one.restart()
            await until(one.all_up)
            now = (await one.client.current("sums/*"))["sums/sum"].value
            assert len(now) == 1, "it has opened, has not written anything new, and is still there"
            assert now[0] >= told


def plugins(folder: Path) -> list[Path]:
    (folder / "flapping.py").write_text(FLAPPING)
    return [RIGS, folder / "flapping.py"]


async def counted(of: Site, least: int) -> bool:
    result = await of.client.current("a/**")
    return "sums/count" in result and bool((result["sums/count"].value >= least).any())
