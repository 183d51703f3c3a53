"""What nobody watches, because it has no input, is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.policy.callers import anybody
from tests.runtime.plant import code, plant, until, value

from bedplate.config.deployment import Asset, Component
from bedplate.model import quality
from bedplate.runtime.watching import Watched, watched, words
from bedplate.server.admin import Admin

TEXT = """
path: acme
connectors:
  box:
    use: counter
    placement: inline
    folder: FOLDER
    expected: EXPECTED
    scan_classes: {fast: 50ms}
    scan: fast
    tags: {number: {address: a}, missing: {address: none}}
analytics:
  sums: {use: sums, for: box, placement: inline, of: number}
  others: {use: sums, for: box, placement: inline, of: missing}
"""


async def details(kernel: Any) -> dict[str, str]:
    status = await Admin(kernel, ()).status(_Asked(), anybody())  # type: ignore[arg-type]
    return {one.id: one.detail for one in status.components if one.kind == 2}


async def test_inputs_without_a_value_are_named_and_those_of_what_is_off_are_not(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path, TEXT.replace("EXPECTED", "never")) as kernel:
        await until(lambda: value(kernel, "acme/box/number"))
        assert (await details(kernel)) == {
            "sums": "",
            "others": "0 of 1 inputs watching, 1 without input: box/missing (missing BadDeviceFailure)",
        }
        (tmp_path / "cut").touch()
        await until(lambda: code(kernel, "acme/box/number") == quality.BAD_OUT_OF_SERVICE)
        assert (await details(kernel))["sums"] == "0 of 1 inputs watching, 1 off"


async def test_an_input_that_never_had_a_value_is_not_watched(tmp_path: Path) -> None:
    (tmp_path / "cut").touch()
    async with plant(tmp_path, TEXT.replace("EXPECTED", "always")) as kernel:
        assert (await details(kernel))["sums"] == (
            "0 of 1 inputs watching, 1 without input: box/number (number BadWaitingForInitialData)"
        )


async def test_what_stands_under_a_section_has_its_name(tmp_path: Path) -> None:
    assets = tuple(
        Asset(f"acme/{name}", "press", {"oil": f"acme/{name}/oil", "force": f"acme/{name}/force"})
        for name in ("press-1", "press-2")
    )
    settings = {
        "limits": {"hot": {"tag": "oil", "high": 65}, "hotter": {"tag": "oil", "high": 75}},
        "lateness": "1s",
    }
    component = Component("press-alarms", "analytic", "alarms", assets=assets)
    every = watched(component, settings)
    async with plant(tmp_path, "path: acme\n") as kernel:
        told = words(every, kernel.spine)
    assert told == (
        "0 of 4 limits watching, 4 without input: press-1/hot (oil BadWaitingForInitialData), press-1/hotter (oil "
        "BadWaitingForInitialData), press-2/hot (oil BadWaitingForInitialData) and 1 more"
    )
    assert every == [
        Watched("limits", f"{press}/{limit}", "oil", f"acme/{press}/oil")
        for press in ("press-1", "press-2")
        for limit in ("hot", "hotter")
    ]


class _Asked:
    with_output = False
