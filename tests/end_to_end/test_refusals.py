"""What `bedplate run` does not start: one sentence, or all that is wrong in the file; exit code 2; nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.end_to_end.program import Program, plugins_of

from bedplate.cli.exits import Exit

LINE = "  line: {use: simline, tags: {speed: {address: filler.speed}}}\n"
FINE = f"bedplate: 1\nname: fine\nconnectors:\n{LINE}"


@dataclass(frozen=True)
class Refusal:
    """code: exit code · text: what it said, stdout and stderr."""

    code: int
    text: str

    @property
    def sentences(self) -> list[str]:
        return self.text.strip().splitlines()


async def refusal(folder: Path, text: str, *words: str) -> Refusal:
    """Runs it, expects it to end by itself, and looks at what is always so."""
    async with Program(folder, text) as program:
        await program.begin(*words, json=False)
        code = await program.ended(90)
        said = "".join(program.lines)
        assert plugins_of(folder) == []
    assert "Traceback" not in said
    assert code == Exit.NOT_DONE
    return Refusal(code, said)


UNSERVED = """
bedplate: 1
name: everything
engine: "nats://127.0.0.1:4222"
types:
  machine:
    use: simline
    tags: {setpoint: {address: filler.speed_setpoint, write: {range: [50, 100]}}}
connectors:
  machines: {type: machine, each: {one: {}, two: {}}}
  history: {use: history, deliver: ["**"], folder: history}
writes: {enabled: true}
api: {listen: "127.0.0.1:7443", tls: tls}
audit: {}
telemetry: {prometheus: "127.0.0.1:9464"}
"""


async def test_what_is_not_served_is_refused_by_name_and_all_at_once(tmp_path: Path) -> None:
    found = await refusal(tmp_path, UNSERVED)
    for named in ("4  engine", "15  telemetry.prometheus"):
        assert f"plant.yaml:{named}: not served yet: " in found.text, named
    assert len(found.sentences) == 2
    assert not (tmp_path / "data").exists(), "nothing was begun"


async def test_an_app_is_refused_by_name(tmp_path: Path) -> None:
    found = await refusal(tmp_path, FINE + "apps: {console: {use: console}}\n")
    assert "plant.yaml:5  apps.console" in found.text


async def test_a_broken_file_is_refused_with_all_its_mistakes(tmp_path: Path) -> None:
    broken = """bedplate: 1
name: broken
connectors:
  a: {use: simlime}
  b: {use: simline, tags: {speed: {address: filler.speed, deadbnad: 1, scan: fas}}}
journal: {sync: 5}
"""
    found = await refusal(tmp_path, broken)
    assert [re.search(r"plant\.yaml:(\d)", line)[1] for line in found.sentences] == list("4556")  # type: ignore[index]
    assert "did you mean `deadband`?" in found.text


ODD: dict[str, Callable[[Path], str]] = {
    "bedplate: 1\nname: [": lambda folder: "not YAML",
    "": lambda folder: "empty",
    FINE + "api: {listen: '0.0.0.0:7443'}\n": lambda folder: "or listen on 127.0.0.1",
    FINE + "api: {listen: nonsense}\n": lambda folder: '"nonsense" is no host:port',
    FINE + "journal: {folder: plant.yaml}\n": lambda folder: f"{folder}/plant.yaml",
    FINE.replace("simline", "nothing"): lambda folder: "no plugin offers `nothing`",
}


async def test_what_cannot_run_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """Not YAML, an empty file, an address for all, none at all, a file where the journal should be, no such plugin."""

    async def told(number: int, text: str) -> None:
        words = ("--listen", "127.0.0.1:0") if "api:" not in text else ()
        folder = tmp_path / str(number)
        found = await refusal(folder, text, *words)
        assert len(found.sentences) == 1, found.text
        assert ODD[text](folder) in found.text

    await asyncio.gather(*(told(number, text) for number, text in enumerate(ODD)))


# occupied --------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def another(folder: Path) -> AsyncIterator[Program]:
    """A Bedplate that runs already."""
    async with Program(folder, FINE) as program:
        await program.start()
        yield program
        assert await program.stop() == Exit.DONE


@pytest.mark.case("A62")
async def test_a_journal_has_one_kernel(tmp_path: Path) -> None:
    async with another(tmp_path) as first:
        assert first.process
        found = await refusal_beside(tmp_path, "--listen", "127.0.0.1:0")
        assert len(found.sentences) == 1, found.text
        assert f"in use by process {first.process.pid}" in found.text


async def refusal_beside(folder: Path, *words: str) -> Refusal:
    """Of a second program on the same file, whose plugins are those of the first."""
    async with Program(folder, FINE) as program:
        await program.begin(*words, json=False)
        code = await program.ended(90)
        assert code == Exit.NOT_DONE
        return Refusal(code, "".join(program.lines))


async def test_a_port_has_one_kernel(tmp_path: Path) -> None:
    async with another(tmp_path / "first") as first:
        found = await refusal(tmp_path / "second", FINE, "--listen", first.address)
        assert len(found.sentences) == 1, found.text
        assert found.text.startswith(f"bedplate: cannot listen on {first.address}: address already")
        assert not (tmp_path / "second" / "data").exists(), "it was refused before it began"


@pytest.fixture
def occupied() -> Iterator[str]:
    """A port where somebody else listens, who would share it."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield f"127.0.0.1:{other.getsockname()[1]}"


async def test_a_port_is_not_shared_with_a_stranger_either(tmp_path: Path, occupied: str) -> None:
    found = await refusal(tmp_path, FINE, "--listen", occupied)
    assert len(found.sentences) == 1, found.text


async def test_a_start_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    """SIGTERM at several moments of the start: it ends in order, with 0, or as what the signal makes of a program that
    was not up yet."""
    for moment in (0.4, 0.9):
        async with Program(tmp_path, FINE) as program:
            await program.begin()
            await asyncio.sleep(moment)
            assert await program.stop() in {Exit.DONE, -15}
            assert "Traceback" not in "".join(program.lines)
            assert plugins_of(tmp_path) == []
