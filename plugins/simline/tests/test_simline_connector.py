"""`use: simline`: the line in process, as the kernel would call it, on a clock of the test."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.resources import files

import pytest
from pydantic import TypeAdapter, ValidationError

from bedplate import Refused, Tag
from bedplate.contracts import capabilities_of
from bedplate_simline import Simline
from bedplate_simline.plant import Plant
from bedplate_simline.tags import ALL_TAGS


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.ns = 1_000

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
async def line(clock: Clock) -> Simline:
    return await opened(clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def opened(clock: Callable[[], int], **settings: object) -> Simline:
    connector = Simline(clock)
    connector.config = Simline.Config(**settings)
    await connector.open()
    return connector


def tags(*addresses: str) -> list[Tag]:
    return [Tag(handle, name, name) for handle, name in enumerate(addresses, start=1)]


async def test_it_reads_the_plant_of_its_seed_at_the_time_of_the_read(
    line: Simline, clock: Clock
) -> None:
    clock.ns += 20_000_000_000
    values = await line.read(tags("filler.parts_total", "filler.state", "line.phase"))
    plant = Plant(seed=7)
    plant.advance(20)
    assert values == [plant.read("filler.parts_total"), 1, "production"]


async def test_a_new_session_starts_the_plant_anew(clock: Clock) -> None:
    clock.ns += 50_000_000_000
    line = await opened(clock, seed=3, shift="90s")
    assert await line.read(tags("filler.parts_total")) == [0]


async def test_a_written_setpoint_is_read_back(line: Simline) -> None:
    (setpoint,) = tags("capper.speed_setpoint")
    await line.write(setpoint, 60)
    assert await line.read([setpoint]) == [60.0]


@pytest.mark.parametrize(
    ("address", "value", "why"),
    [
        ("filler.state", 1, "read-only"),
        ("filler.speed_setpoint", 500, "outside 40 to 140"),
        ("filler.speed_setpoint", "fast", "not supported"),
    ],
)
async def test_what_the_line_does_not_take_is_refused(
    line: Simline, address: str, value: object, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        await line.write(tags(address)[0], value)  # type: ignore[arg-type]


async def test_browsing_finds_every_tag_below_its_machine(line: Simline) -> None:
    machines = await line.browse("", 1)
    assert [node.name for node in machines] == ["filler", "capper", "labeller", "line"]
    assert all(node.has_children and not node.is_variable for node in machines)
    everything = await line.browse("", 2)
    assert {node.address for node in everything if node.is_variable} == ALL_TAGS.keys()
    speed = next(node for node in await line.browse("filler", 1) if node.name == "speed")
    assert (speed.address, speed.unit, speed.value) == ("filler.speed", "1/min", "0.0")


def test_an_unknown_address_and_a_wrong_setting_are_errors_before_anything_runs() -> None:
    with pytest.raises(ValidationError, match=r"has no 'palletiser\.speed'"):
        TypeAdapter(Simline.Address).validate_python("palletiser.speed")
    with pytest.raises(ValidationError, match="10s to 7d"):
        Simline.Config(shift="1s")
    with pytest.raises(ValidationError, match="sped"):
        Simline.Config(sped=1)  # type: ignore[call-arg]


def test_the_manifest_says_what_the_class_can_do() -> None:
    text = (files("bedplate_simline") / "bedplate-plugin.toml").read_text()
    (offer,) = tomllib.loads(text)["offer"]
    assert offer["use"] == "simline"
    assert set(offer["capabilities"]) == set(capabilities_of(Simline))


def test_the_simulators_do_without_bedplate() -> None:
    code = (
        "import sys, bedplate_simline.opcua, bedplate_simline.modbus, bedplate_simline.both;"
        "sys.exit('bedplate' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
