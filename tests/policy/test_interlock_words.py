"""What an interlock says of tags that somebody may not see: whether it holds, and nothing of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.policy.callers import SILENT, Module, caller, hiding
from tests.writes.rig import ENGINEER, TEXT, shop

from bedplate.api.v1 import command_pb2
from bedplate.gate.gate import Gate
from bedplate.server.commands import CommandService
from bedplate.wire import value_message

LOCKED = TEXT.replace("step: 50", "step: 50, interlock: guard and state != fault")
SPEED = "acme/press/speed"


@pytest.mark.case("A18")
@pytest.mark.parametrize("dry", [True, False])
async def test_values_of_hidden_tags_are_not_told_by_an_interlock(
    tmp_path: Path, dry: bool
) -> None:
    """Otherwise a dry run would read any tag of the asset, as often as one likes."""
    async with shop(tmp_path, text=LOCKED) as press:
        service = CommandService(press.kernel, press.guard)
        partly = caller(ENGINEER, Gate({"door": Module(hiding("press/state"))}, SILENT))
        whole = caller(ENGINEER, Gate({}, SILENT))
        wish = command_pb2.SubmitRequest(
            command_id="c1", tag=SPEED, value=value_message(95.0), dry_run=dry
        )
        told = [await service.submit(wish, one) for one in (whole, partly)]
        listed = await service.list(command_pb2.ListCommandsRequest(), partly)
    assert "state" in str(told[0])
    assert "interlock" in str(told[1])
    for one in (told[1], listed):
        assert not any(word in str(one) for word in ("state !=", "state ==", "state is", "fault"))
    assert bool(listed.commands) is not dry


async def test_why_it_does_not_hold_is_told_to_who_sees_what_it_reads(tmp_path: Path) -> None:
    text = TEXT.replace("step: 50", "step: 50, interlock: guard and state == fault")
    async with shop(tmp_path, text=text) as press:
        service = CommandService(press.kernel, press.guard)
        wish = command_pb2.SubmitRequest(command_id="c1", tag=SPEED, value=value_message(95.0))
        hiding_state = caller(ENGINEER, Gate({"door": Module(hiding("press/state"))}, SILENT))
        hiding_other = caller(ENGINEER, Gate({"door": Module(hiding("press/count"))}, SILENT))
        told = [(await service.submit(wish, one)).command for one in (hiding_state, hiding_other)]
    assert told[0].text == "the interlock does not hold"
    assert "state" in told[1].text
