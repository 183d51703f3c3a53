"""Two releases of this tree, one upgraded to the other and back, without a network; and what is refused."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.bundle.conftest import may_unshare
from tests.upgrade import releases
from tests.upgrade.releases import BEDPLATE

from bedplate.bundle.minisign import make_key
from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
PLANT = """
bedplate: 1
name: upgraded
connectors:
  line: {use: simline, tags: {speed: {address: filler.speed, scan: 100ms}, parts: {address: filler.parts_total}}}
journal: {folder: journal}
"""


@dataclass
class Site:
    """A machine without a network: versions, a home, a plant."""

    folder: Path

    @property
    def versions(self) -> Path:
        return self.folder / "versions"

    @property
    def file(self) -> Path:
        return self.folder / "plant" / "plant.yaml"

    @property
    def environ(self) -> dict[str, str]:
        nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
        return {**os.environ, **nowhere, "BEDPLATE_HOME": str(self.folder / "home")}

    def current(self) -> str:
        return os.readlink(self.versions / "current")

    def upgrade(self, *words: object, program: Path = BEDPLATE) -> subprocess.CompletedProcess[str]:
        """By the version that is used, once there is one; in a network namespace with no way out."""
        used = self.versions / "current" / "bin" / "bedplate"
        alone = ["unshare", "-r", "-n"] if may_unshare() else []
        return subprocess.run(
            [*alone, str(used if used.exists() else program), "upgrade", *map(str, words),
             "--of", str(self.file), "--versions", str(self.versions)],
            capture_output=True, text=True, env=self.environ, check=False, timeout=120,
        )  # fmt: skip

    async def run(self, records: int) -> dict[str, str]:
        """The version that is used runs until the journal holds so many more records; what its status said."""
        before = len(await self.journal())
        process = await asyncio.create_subprocess_exec(
            str(self.versions / "current" / "bin" / "bedplate"), "run", "--applied", str(self.file),
            "--listen", "127.0.0.1:0", "--json",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=self.environ,
        )  # fmt: skip
        try:
            assert process.stdout
            async with asyncio.timeout(60):
                line = b""
                while b'"running"' not in line:
                    line = await process.stdout.readline()
                    assert line, "it ended"
                told = await self._status(json.loads(line)["api"])
                while self._newest() < before + records:
                    await asyncio.sleep(0.1)
        finally:
            process.terminate()
            await process.communicate()
        return told

    async def _status(self, address: str) -> dict[str, str]:
        program = str(self.versions / "current" / "bin" / "bedplate")
        words = [program, "status", "--json", "--endpoint", address]
        asked = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.PIPE, env=self.environ
        )
        said, _ = await asked.communicate()
        told: dict[str, str] = json.loads(said)
        return told

    def _newest(self) -> int:
        file = self.folder / "plant" / "journal" / "journal.sqlite3"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as journal:
            (last,) = journal.execute("SELECT max(last) FROM chunks").fetchone()
        return last or 0

    async def journal(self) -> list[tuple[int, int]]:
        """Position and epoch of every record that is held, read by this tree."""
        folder = self.folder / "plant" / "journal"
        if not folder.exists():
            return []
        engine = EmbeddedEngine(folder, clock=SystemClock())
        await engine.open()
        try:
            found = await engine.read(0, records=1_000_000, size=1 << 30)
        finally:
            await engine.close()
        return [(record.position, record.epoch) for record in found]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("releases")
    key = make_key(os.urandom)
    (folder / "us.key").write_bytes(key.file("", os.urandom))
    (folder / "us.pub").write_bytes(key.public.file())
    libraries = releases.libraries(folder / "libraries")
    made = {}
    for version in ("0.1.0", "0.1.1"):
        wheels = releases.wheels(folder / version, version, libraries)
        made[version] = releases.bundle(wheels, folder / f"{version}.bundle", folder / "us.key")
    return made | {"key": folder / "us.pub", "wheels": folder / "0.1.1"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, bundles: dict[str, Path]) -> Site:
    """With 0.1.0 installed from its bundle."""
    site = Site(tmp_path_factory.mktemp("site"))
    site.file.parent.mkdir()
    site.file.write_text(PLANT)
    left = site.versions / "0.1.0" / "bin" / "left by one that was killed"
    left.mkdir(parents=True)
    done = site.upgrade(bundles["0.1.0"], "--key", bundles["key"], "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not left.exists()
    return site


async def test_there_and_back_again_without_a_network_and_nothing_is_lost(
    site: Site, bundles: dict[str, Path]
) -> None:
    assert site.current() == "0.1.0"
    assert (await site.run(30))["version"] == "0.1.0"
    first = await site.journal()

    planned = site.upgrade(bundles["0.1.1"], "--key", bundles["key"], "--plan")
    assert planned.returncode == 0, planned.stderr
    assert "with 0.1.1 instead of 0.1.0" in planned.stdout
    assert "nothing is different" in planned.stdout
    assert site.current() == "0.1.0"
    done = site.upgrade(bundles["0.1.1"], "--key", bundles["key"], "--yes")
    assert done.returncode == 0, done.stderr
    assert site.current() == "0.1.1"
    assert (await site.run(30))["version"] == "0.1.1"
    second = await site.journal()

    back = site.upgrade("--back", "--yes")
    assert back.returncode == 0, back.stderr
    assert site.current() == "0.1.0"
    assert (await site.run(30))["version"] == "0.1.0"
    third = await site.journal()

    held = {position for position, _ in first}
    assert held <= {position for position, _ in second} <= {position for position, _ in third}
    positions = [position for position, _ in third]
    assert positions == [*range(positions[0], positions[-1] + 1)], "without holes"
    epochs = [epoch for _, epoch in third]
    assert epochs == sorted(epochs)
    assert len(set(epochs)) == 3
    again = site.upgrade("--back", "--yes")
    assert (again.returncode, site.current()) == (0, "0.1.1")  # the one before is the newer one now
    assert site.upgrade("--back", "--yes").returncode == 0


def test_a_deployment_that_the_other_version_would_refuse_switches_nothing(
    site: Site, bundles: dict[str, Path]
) -> None:
    """It names a plugin that is not in the bundle."""
    applied = site.folder / "plant" / "deployments"
    aside = applied.with_name("aside")
    if applied.exists():
        applied.rename(aside)
    site.file.write_text(PLANT.replace("use: simline", "use: modbus, host: 127.0.0.1"))
    try:
        done = site.upgrade(bundles["0.1.1"], "--key", bundles["key"], "--yes")
    finally:
        site.file.write_text(PLANT)
        if aside.exists():
            aside.rename(applied)
    assert done.returncode == 2
    assert "no plugin offers `modbus`" in done.stdout
    assert "Nothing was switched" in done.stdout
    assert site.current() == "0.1.0"


def test_a_journal_of_a_newer_format_is_refused_before_anything_is_switched_and_left_untouched(
    site: Site, bundles: dict[str, Path]
) -> None:
    file = site.folder / "plant" / "journal" / "journal.sqlite3"
    file.parent.mkdir(exist_ok=True)
    for left in file.parent.iterdir():
        left.rename(site.folder / f"kept-{left.name}")
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 2")
        database.execute(f"PRAGMA application_id = {0x42504A4C}")
        database.execute("CREATE TABLE something_else (x)")
        database.commit()
    before = file.read_bytes()
    done = site.upgrade(bundles["0.1.1"], "--key", bundles["key"], "--yes")
    assert done.returncode == 2
    assert "newer Bedplate" in done.stdout
    assert site.current() == "0.1.0"
    assert file.read_bytes() == before
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def _flip(content: bytes) -> bytes:
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("change", "words"),
    [(_flip, "is damaged"), (lambda content: content[: len(content) // 2], "no bundle")],
)  # fmt: skip
def test_a_bundle_that_was_changed_is_refused_and_leaves_nothing(
    bundles: dict[str, Path], tmp_path: Path, change: Callable[[bytes], bytes], words: str
) -> None:
    site = Site(tmp_path)
    site.file.parent.mkdir()
    site.file.write_text(PLANT)
    changed = tmp_path / "changed.bundle"
    changed.write_bytes(change(bundles["0.1.1"].read_bytes()))
    done = site.upgrade(changed, "--key", bundles["key"], "--yes")
    assert done.returncode == 2
    assert words in done.stderr
    assert not [p for p in site.versions.iterdir() if p.is_dir() and not p.is_symlink()]


def test_who_signed_it_must_be_known_and_a_bundle_misses_nothing(
    site: Site, bundles: dict[str, Path], tmp_path: Path
) -> None:
    stranger = site.upgrade(bundles["0.1.1"], "--yes")
    assert (stranger.returncode, "you don't know" in stranger.stderr) == (2, True)
    few = tmp_path / "few"
    few.mkdir()
    for wheel in bundles["wheels"].iterdir():
        if not wheel.name.startswith("numpy"):
            os.link(wheel, few / wheel.name)
    words = [str(BEDPLATE), "bundle", "--platform", str(few), "-o", str(tmp_path / "few.bundle")]
    made = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (made.returncode, "needs numpy" in made.stderr) == (2, True)
    assert not (tmp_path / "few.bundle").exists()
