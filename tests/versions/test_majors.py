"""Versions: a plugin of the last major runs through an adapter file; one that is too old or too new is told why."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from tests.runtime.plant import OFFERS, RigOffer, code, plant, state, until, value
from tests.versions.connector_v0 import MAJOR

from bedplate.admission.manifest import fence
from bedplate.model import quality
from bedplate.runtime.kernel import Kernel
from bedplate.version import API, SERVED

OLD = (sys.executable, str(Path(__file__).with_name("old_plugin.py")))


@dataclass(frozen=True)
class OldOffer(RigOffer):
    plugin: str = "old"
    file: Path | None = None
    folder: Path | None = Path(__file__).parent
    command: tuple[str, ...] = OLD


OLDER = {
    "old": OldOffer("old", "connector", ("read",), ""),
    "old-push": OldOffer("old-push", "connector", ("subscribe",), ""),
}
LINE = """
connectors:
  press: {use: old, scan: 50ms, tags: {a: {address: one}, b: {address: none}}}
  today: {use: counter, scan: 50ms, tags: {a: {address: one}}}
"""
LINE = LINE.replace("scan: 50ms", "scan_classes: {normal: 50ms}")


async def test_a_plugin_of_the_last_major_runs_beside_todays(tmp_path: Path) -> None:
    async with plant(tmp_path, LINE, offers=OFFERS | OLDER, majors=[MAJOR]) as kernel:
        await until(lambda: (value(kernel, "press/a") or 0) > 3)
        await until(lambda: (value(kernel, "today/a") or 0) > 3)
        assert state(kernel, "press") in ("up", "degraded")
        assert quality.is_bad(code(kernel, "press/b"))


async def test_it_may_push_within_the_credit_it_is_told_of(tmp_path: Path) -> None:
    text = "connectors:\n  press: {use: old-push, tags: {a: {}}}\n"
    async with plant(tmp_path, text, offers=OFFERS | OLDER, majors=[MAJOR]) as kernel:
        await until(lambda: value(kernel, "press/a") == 64)
        assert state(kernel, "press") == "up"


async def test_its_machine_that_is_away_is_away_today_too(tmp_path: Path) -> None:
    text = "connectors:\n  press: {use: old, how: away, tags: {a: {}}}\n"
    async with plant(tmp_path, text, offers=OFFERS | OLDER, majors=[MAJOR]) as kernel:
        await until(lambda: state(kernel, "press") == "unreachable")
        assert kernel.components["press"].life.reason == "the machine is switched off"


def words(kernel: Kernel) -> list[str]:
    """What processes printed last."""
    return [line for place in kernel.places.values() for line in getattr(place.run, "output", ())]


async def test_without_the_adapter_it_is_told_that_its_contract_is_not_served(
    tmp_path: Path,
) -> None:
    text = "connectors:\n  press: {use: old, tags: {a: {}}}\n"
    async with plant(tmp_path, text, offers=OFFERS | OLDER) as kernel:
        told = await until(lambda: next((line for line in words(kernel) if "details" in line), ""))
        assert "bedplate.connector.v0.Host is not served here" in told
        assert "serves bedplate.connector.v1.ConnectorHost" in told


FENCES = {
    ">=1,<2": "",
    ">=0.5,<1": "install a newer version of this plugin",
    ">=2,<3": "install a newer Bedplate, or an older version of this plugin",
    ">=0.5,<2": "",
}


@pytest.mark.parametrize("requires", FENCES)
def test_too_old_and_too_new_are_told_with_both_ranges_and_the_cure(requires: str) -> None:
    told = fence(requires)
    assert told.endswith(FENCES[requires])
    if told:
        assert f"API {requires}, and" in told
        assert f"serves API 1 up to {API}" in told


def test_an_older_major_that_has_an_adapter_is_served() -> None:
    assert fence(">=0.5,<1", ("1.4", MAJOR.api)) == ""
    assert "serves API 1 up to 1.4 and 0 up to 0.9: install a newer Bedplate" in fence(
        ">=2,<3", ("1.4", MAJOR.api)
    )
    assert SERVED == (API,)


@given(st.integers(0, 9), st.integers(1, 9), st.lists(st.integers(0, 9), min_size=1, max_size=3))
def test_the_fence_lets_in_just_what_the_ranges_share(
    low: int, width: int, served: list[int]
) -> None:
    versions = [f"{major}.{index}" for index, major in enumerate(served)]
    requires = f">={low},<{low + width}"
    inside = any(version in SpecifierSet(requires) for version in versions)
    assert (fence(requires, versions) == "") == inside
