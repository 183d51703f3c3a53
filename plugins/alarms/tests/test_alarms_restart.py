"""What survives a restart, and what a changed deployment does to it."""

from __future__ import annotations

import json

import pytest
from plugins.alarms.tests.driving import acknowledge, drive, series

from bedplate import Invalid

HOT = {"tag": "x", "high": 65.0, "on_delay": "10s"}


def test_a_restart_repeats_no_event_and_forgets_no_acknowledgement() -> None:
    asset = drive(hot=HOT | {"on_delay": "0s"})
    asset.stretch(2, x=series([1.0], [70.0]))
    asset.stretch(4, acknowledge(3, by="maria", text="seen"))
    asset.restart()
    assert asset.stretch(6, x=series([5.0], [71.0])) == []
    (event,) = asset.stretch(8, x=series([7.0], [60.0]))
    assert event.alarm is not None
    assert (event.alarm.state.name, event.alarm.acknowledged_by) == ("NORMAL", "maria")
    assert (event.alarm.comment, event.alarm.value) == ("seen", 70.0)


def test_a_delay_goes_on_through_a_restart() -> None:
    asset = drive(hot=HOT)
    asset.stretch(2, x=series([1.0], [70.0]))
    asset.restart()
    assert asset.states(60) == [("UNACKNOWLEDGED", 11.0)]


def test_an_asset_without_alarms_keeps_a_small_state() -> None:
    asset = drive(hot=HOT)
    asset.stretch(2, x=series([1.0], [20.0]))
    assert len(asset.object.state()) < 120
    assert json.loads(asset.object.state())["limits"] == {}


def test_the_state_stays_the_same_bytes_while_nothing_comes() -> None:
    asset = drive(hot=HOT)
    asset.stretch(2, x=series([1.0], [20.0]))
    before = asset.object.state()
    asset.stretch(3)
    assert asset.object.state() is before


def test_the_alarm_of_a_removed_limit_ends() -> None:
    asset = drive(hot=HOT | {"on_delay": "0s"}, cold={"tag": "x", "low": 1.0})
    asset.stretch(2, x=series([1.0], [70.0]))
    asset.restart({"limits": {"cold": {"tag": "x", "low": 1.0}}})
    (event,) = asset.stretch(5)
    assert event.alarm is not None
    assert (event.source, event.alarm.state.name) == ("acme/line1/press/hot", "NORMAL")
    assert "no longer watched" in event.text
    assert asset.stretch(6) == []


def test_a_new_limit_starts_as_new_beside_old_ones() -> None:
    asset = drive(hot=HOT | {"on_delay": "0s"})
    asset.stretch(2, x=series([1.0], [70.0]))
    asset.restart({"limits": {"hot": HOT, "hotter": {"tag": "x", "high": 69.0}}})
    (event,) = asset.stretch(5, x=series([4.0], [70.0]))
    assert event.source.endswith("/hotter")


@pytest.mark.parametrize(
    "state", [b"", b"{", b"[]", b'{"version":9}', b'{"version":1}', b'{"version":1,"times":1}',
              b'{"version":1,"times":{},"limits":{"acme/line1/press/hot":{}}}']
)  # fmt: skip
def test_a_state_that_cannot_be_read_is_refused_in_words(state: bytes) -> None:
    with pytest.raises(Invalid, match="acme/line1/press"):
        drive(hot=HOT).object.restore(state)
