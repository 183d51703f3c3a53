"""Connectors of one file, tried with --plugin as their authors would: Helix's, and the bench scale of the README."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.docs.pages import blocks
from tests.end_to_end.machines import HELIX, Packer, Scale
from tests.end_to_end.program import BEDPLATE, Program, plugins_of
from tests.end_to_end.site import until

from bedplate.client import AsyncClient, connect_async
from bedplate.model import quality

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLANT = """
bedplate: 1
name: packing
path: acme
scan_classes: {normal: 100ms}
connectors:
  packer:
    use: helix
    host: 127.0.0.1
    port: HELIX
    tags:
      state:     {address: 1, states: {0: stopped, 1: running}}
      packs:     {address: 16, counter: true}
      seal_temp: {address: 49, unit: °C, scale: 0.1, deadband: 0.5}
      film_left: {address: 48, unit: m}
  bench:
    use: scale
    host: 127.0.0.1
    port: SCALE
    tags: {weight: {unit: kg}}
"""


@dataclass
class Packing:
    """Both machines, and Bedplate on them."""

    program: Program
    packer: Packer
    scale: Scale
    client: AsyncClient

    async def current(self, tail: str) -> Any:
        (tag,) = await self.client.tags(tail, current=True)
        return tag.current

    async def has(self, tail: str, value: Any, code: int | None = 0) -> bool:
        now = await self.current(tail)
        same = now is not None and now.value == pytest.approx(value)
        return same and code in (None, now.quality)

    async def state(self, component: str) -> str:
        status = await self.client.status()
        return next(one.state for one in status.components if one.id == component)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def packing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Packing]:
    folder = tmp_path_factory.mktemp("packing")
    (shown,) = blocks(Path("README.md"), "python")
    (folder / "scale.py").write_text(shown.text)
    (folder / "bedplate_helix.py").write_text(HELIX)
    packer, scale = Packer({1: 1.0, 16: 4711.0, 49: 1803.0}), Scale()
    await asyncio.gather(packer.on(), scale.on())
    text = PLANT.replace("HELIX", str(packer.port)).replace("SCALE", str(scale.port))
    files = [folder / "bedplate_helix.py", folder / "scale.py"]
    async with Program(folder, text, plugins=files) as program:
        await program.start()
        async with connect_async(program.address) as client:
            yield Packing(program, packer, scale, client)
        assert await program.stop() == 0
        assert "Traceback" not in "".join(program.lines)
    await asyncio.gather(packer.off(), scale.off())


async def test_values_arrive_scaled_and_a_missing_register_says_so(packing: Packing) -> None:
    await until(lambda: packing.has("packer/packs", 4711))
    assert await packing.has("seal_temp", 180.3), "scale: 0.1"
    assert await packing.has("packer/state", 1)
    missing = await packing.current("film_left")
    assert quality.is_bad(missing.quality)
    assert await packing.state("packer") == "degraded", "one of its tags is Bad"
    packing.packer.registers[48] = 120.0
    await until(lambda: packing.has("film_left", 120))
    assert await packing.state("packer") == "up"


async def test_the_scale_of_the_readme_weighs(packing: Packing) -> None:
    await until(lambda: packing.has("weight", 12.34))
    packing.scale.weight = 0.5
    await until(lambda: packing.has("weight", 0.5))


@pytest.mark.parametrize(("component", "tag"), [("packer", "packs"), ("bench", "weight")])
async def test_a_machine_that_was_switched_off_is_found_again(
    packing: Packing, component: str, tag: str
) -> None:
    machine = packing.packer if component == "packer" else packing.scale
    await until(lambda: settled(packing, component, "up"))
    await machine.off()
    await until(lambda: settled(packing, component, "unreachable"))
    assert not quality.is_good((await packing.current(f"{component}/{tag}")).quality)
    await machine.on()
    await until(lambda: settled(packing, component, "up"))
    now = await packing.current(f"{component}/{tag}")
    await until(lambda: packing.has(f"{component}/{tag}", now.value))
    history = (await packing.client.status()).components
    assert "faulted" not in {t.state for one in history for t in one.history}


async def settled(packing: Packing, component: str, state: str) -> bool:
    return await packing.state(component) == state


async def test_an_answer_to_another_question_ends_the_session_and_no_more(packing: Packing) -> None:
    await until(lambda: settled(packing, "packer", "up"))
    packing.packer.lying = True
    await until(lambda: settled(packing, "packer", "unreachable"))
    status = await packing.client.status()
    assert any("machine answered 9" in problem for problem in status.problems)
    packing.packer.lying = False
    await until(lambda: settled(packing, "packer", "up"))


async def command(*words: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        *(str(BEDPLATE), *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30):
            out, error = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode(), error.decode()


async def test_read_asks_a_machine_once_without_a_file(packing: Packing) -> None:
    plugin = str(packing.program.folder / "bedplate_helix.py")
    target = ("helix", "host=127.0.0.1", f"port={packing.packer.port}", "1", "16", "99")
    code, out, error = await command("read", "--plugin", plugin, *target)
    assert code == 0, error
    assert "4711" in out
    assert "no such register in this firmware" in out
    code, out, error = await command("read", "--plugin", plugin, *target, "--json")
    rows = json.loads(out)
    assert [row["value"] for row in rows] == [1.0, 4711.0, None]


async def test_read_asks_a_component_of_a_file(packing: Packing) -> None:
    folder = packing.program.folder
    plugins = ("--plugin", str(folder / "bedplate_helix.py"), "--plugin", str(folder / "scale.py"))
    code, out, error = await command("read", *plugins, str(packing.program.file), "bench")
    assert code == 0, error
    assert f"{packing.scale.weight:g}" in out
    assert "kg" in out


# a file that is no plugin ------------------------------------------------------------------------

TROUBLE = {
    "syntax": ("import bedplate\n\nx = = 1\n", "plugin.py:3: SyntaxError"),
    "raises": (
        "import bedplate\nraise OSError('no licence')\n",
        "plugin.py:2: OSError: no licence",
    ),
    "hangs": ("import time\ntime.sleep(3600)\n", "plugin.py: was not loaded within 10 s"),
    "exits": ("import sys\nsys.exit(3)\n", "plugin.py: ended the process with exit code 3"),
    "not there": (None, "plugin.py: No such file"),
}
PACKER = "packer: {use: helix, host: 127.0.0.1, tags: {state: {address: 1}}}"


async def test_a_file_that_cannot_be_loaded_is_refused_in_one_sentence(tmp_path: Path) -> None:
    async def told(name: str, *words: str) -> None:
        text, said = TROUBLE[name]
        folder = tmp_path / f"{name} {words[0]}"
        folder.mkdir()
        if text is not None:
            (folder / "plugin.py").write_text(text)
        (folder / "p.yaml").write_text(f"bedplate: 1\nname: p\nconnectors:\n  {PACKER}\n")
        file, plugin = str(folder / "p.yaml"), str(folder / "plugin.py")
        code, out, error = await command(words[0], "--plugin", plugin, file, *words[1:])
        assert code == 2
        assert (out, error.count("\n")) == ("", 1)
        assert f"bedplate: {folder}/{said}" in error
        assert plugins_of(folder) == []

    async with asyncio.TaskGroup() as group:
        for name in TROUBLE:
            group.create_task(told(name, "run"))
        group.create_task(told("syntax", "read", "packer"))
        group.create_task(told("raises", "check"))


async def test_a_file_that_cannot_be_loaded_a_second_time_harms_only_itself(tmp_path: Path) -> None:
    """It is asked what it offers in one process, and runs in another."""
    marker = tmp_path / "seen"
    second = f"from pathlib import Path\nif Path({str(marker)!r}).exists():\n    raise RuntimeError('only once')\n"
    (tmp_path / "once.py").write_text(f"{second}Path({str(marker)!r}).touch()\n{HELIX}")
    text = """
bedplate: 1
name: once
connectors:
  PACKER
  line: {use: simline, tags: {speed: {address: filler.speed}}}
"""
    text = text.replace("PACKER", PACKER)
    async with Program(tmp_path, text, plugins=[tmp_path / "once.py"]) as program:
        await program.start()
        async with connect_async(program.address) as client:

            async def told() -> Any:
                found = {one.id: one for one in (await client.status()).components}
                return found if found["packer"].state == "faulted" else None

            found = await until(told)
            assert "only once" in found["packer"].reason
            assert found["packer"].restarts == 0, "another try is of no use"
            await until(lambda: client_has(client, "line/speed"))
        assert await program.stop() == 0


async def client_has(client: AsyncClient, tail: str) -> bool:
    return bool((await client.current(tail)).samples)
