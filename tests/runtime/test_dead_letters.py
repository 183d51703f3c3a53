"""A record that a sink refuses for ever: kept in its dead-letter file, declared, alarmed once; the rest flows."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.policy.callers import anybody
from tests.runtime.plant import OFFERS, SETTINGS, RigOffer, plant, state, until, value

from bedplate.config import PluginSchema
from bedplate.model import AlarmState, Body
from bedplate.server.admin import Admin
from bedplate.wire import decode_batch, decode_event

FILE = Path(__file__).with_name("ticking.py")


class PickyOffer(RigOffer):
    @property
    def schema(self) -> PluginSchema:
        more = {"refuses": {"type": "integer"}, "says": {"type": "boolean"}}
        settings = SETTINGS | {"properties": SETTINGS["properties"] | more}  # type: ignore[operator]
        return PluginSchema(self.use, self.kind, self.capabilities, settings=settings)


RIGS = OFFERS | {
    "choosy": PickyOffer(
        "choosy", "connector", ("deliver",), "ticking:Picky", plugin="ticking", file=FILE
    )
}
TEXT = """
connectors:
  one: {use: counter, placement: inline, scan_classes: {fast: 10ms}, tags: {number: {address: a, scan: fast}}}
  other: {use: sink, folder: FOLDER, deliver: ["one/number"]}
  cloud: {use: choosy, folder: FOLDER, says: SAYS, deliver: ["one/number"]}
"""
ALARM = "kernel/journal/dead-letters/cloud"


@pytest.mark.parametrize("says", ["true", "false"])
@pytest.mark.case("A60")
async def test_what_a_sink_refuses_is_kept_apart_declared_once_and_the_rest_flows(
    tmp_path: Path, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.reader.RELIEVE_EVERY", 0.1)
    told: list[str] = []
    async with plant(tmp_path, TEXT.replace("SAYS", says), offers=RIGS) as kernel:
        kernel.lost = lambda reader, text: told.append(text)
        listener, _ = kernel.spine.live.listen()
        await until(lambda: (value(kernel, "one/number") or 0) > 65)
        await until(lambda: 65 in got(tmp_path, "cloud"))
        assert state(kernel, "cloud") == "up"
        assert kernel.components["cloud"].role.figures.restarts == 0
        alarm = await until(lambda: kernel.spine.alarms.get(ALARM))
        assert alarm.alarm.state is AlarmState.UNACKNOWLEDGED
        await until(lambda: 65 in got(tmp_path, "other"))
        status = await Admin(kernel, ()).status(SimpleNamespace(with_output=False), anybody())  # type: ignore[arg-type]
        detail_of = {one.id: one.detail for one in status.components}
        assert "records for ever, kept in" in detail_of["cloud"]
        events = [decode_event(f.record.payload) for f in listener.take()
                  if f.record.stream == "cloud/event" and f.record.kind is Body.EVENT]  # fmt: skip
        (event,) = [one for one in events if one.text.startswith("DEAD LETTER")]
        detail = json.loads(event.detail)["dead_letter"]
        assert (detail["records"], detail["first"] > 0) == (1, True), "the others a minute later"
        assert "10 is no number for us" in detail["reason"]
        assert len(told) == 1
        file = Path(detail["file"])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        letters = [json.loads(line) for line in file.read_text().splitlines()]
        file.rename(tmp_path / "seen")
        await until(lambda: kernel.components["cloud"].role.letters.count > len(letters))
        kernel.components["cloud"].role.letters._declared = -1e9  # a minute goes by
        await until(lambda: len(told) == 2)
    refused = [n for one in letters for n in numbers(one)]
    assert [n for n in refused if n % 10 == 0] == list(range(10, 10 * len(letters) + 1, 10))
    assert refused[0] == 10
    mine = set(got(tmp_path, "cloud"))
    assert {n for n in range(1, 60) if n % 10} <= mine | set(refused)
    assert not [n for n in mine if n % 10 == 0]
    assert set(range(1, 60)) <= set(got(tmp_path, "other")), "nobody else loses anything"


async def test_the_alarm_ends_when_somebody_has_taken_the_file_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.reader.RELIEVE_EVERY", 0.1)
    text = TEXT.replace("SAYS", "true, refuses: 30")
    async with plant(tmp_path, text, offers=RIGS) as kernel:
        await until(lambda: kernel.spine.alarms.get(ALARM))
        (tmp_path / "dead-letters" / "cloud.jsonl").unlink()
        returned = AlarmState.RETURNED_UNACKNOWLEDGED
        await until(lambda: kernel.spine.alarms.get(ALARM).alarm.state is returned)


@pytest.mark.case("A60")
async def test_what_can_not_be_kept_is_not_let_go(tmp_path: Path) -> None:
    (tmp_path / "dead-letters").write_text("in the way")
    async with plant(tmp_path, TEXT.replace("SAYS", "true"), offers=RIGS) as kernel:
        await until(lambda: state(kernel, "cloud") == "unreachable")
        assert "what it refuses can't be kept" in kernel.components["cloud"].life.reason
        (tmp_path / "dead-letters").unlink()
        await until(lambda: 11 in got(tmp_path, "cloud"))
    assert 10 in numbers(
        json.loads((tmp_path / "dead-letters" / "cloud.jsonl").read_text().splitlines()[0])
    )


def got(folder: Path, sink: str) -> list[int]:
    file = folder / f"{sink}.got"
    return [int(n) for n in file.read_text().split()] if file.exists() else []


def numbers(letter: dict[str, Any]) -> list[int]:
    return list(decode_batch(base64.b64decode(letter["payload"])).value.tolist())
