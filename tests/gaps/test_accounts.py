"""Counts are exact to the sample: one source, a clock that a test moves, and no kernel."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from tests.gaps.device import SECOND, Device

from bedplate.model import Batch, Flag, quality
from bedplate.runtime.ledger.columns import expected, received
from bedplate.runtime.ledger.counting import absent, pushed
from bedplate.runtime.ledger.reasons import Reason
from bedplate.runtime.lifecycle import State


def test_every_scan_that_is_answered_is_received_and_nothing_is_missing() -> None:
    press = Device()
    press.up()
    press.scan(600)
    assert press.missing() == {Reason.RECEIVED: 1800}
    assert press.gaps() == []


def test_a_device_that_is_away_misses_a_sample_a_scan_and_tag_in_one_gap() -> None:
    press = Device()
    press.up()
    press.scan(10)
    press.wait(0.5)
    press.ends(State.UNREACHABLE, "connection refused")
    press.wait(60)
    press.up()
    press.scan(5)
    assert press.missing() == {Reason.RECEIVED: 45, Reason.UNREACHABLE: 180}
    assert press.gaps() == [(Reason.UNREACHABLE, 10.5, 71.5, 3, 180)]


def test_a_scan_without_an_answer_and_those_it_held_up_are_the_devices() -> None:
    press = Device()
    press.up()
    press.scan(10)
    press.wait(1)
    press.account.started(SECOND)
    for _ in range(4):
        press.wait(1)
        press.account.skipped(SECOND)
    press.ends(State.UNREACHABLE, "no answer")
    press.wait(5)
    assert press.missing() == {Reason.RECEIVED: 30, Reason.UNREACHABLE: 30}
    assert press.gaps() == [(Reason.UNREACHABLE, 11.0, 0.0, 3, 30)]


def test_a_tag_that_is_bad_is_missing_alone_and_its_gap_ends_when_it_is_good_again() -> None:
    press = Device()
    press.up()
    press.scan(10)
    press.scan(7, bad=[2])
    press.scan(3)
    assert press.missing() == {Reason.RECEIVED: 53, Reason.BAD_QUALITY: 7}
    assert press.gaps() == [(Reason.BAD_QUALITY, 11.0, 18.0, 1, 7)]


def test_tags_that_turn_bad_together_are_one_gap_and_part_when_they_do_not_return_together() -> (
    None
):
    press = Device(tags=5)
    press.up()
    press.scan(5, bad=[1, 2, 3])
    press.scan(10, bad=[3])
    press.scan(1)
    gaps = [(Reason.BAD_QUALITY, 1.0, 6.0, 2, 10), (Reason.BAD_QUALITY, 1.0, 16.0, 1, 15)]
    assert press.gaps() == gaps
    press.scan(5, bad=[1, 2, 3])
    press.scan(3, bad=[3])
    press.scan(1)
    assert press.gaps() == [(Reason.BAD_QUALITY, 17.0, 25.0, 3, 18)]


def test_a_tag_that_answers_leave_out_is_missing() -> None:
    press = Device()
    press.up()
    press.scan(4, absent=[3])
    assert press.missing() == {Reason.RECEIVED: 8, Reason.MISSING: 4}
    assert press.gaps() == [(Reason.MISSING, 1.0, 0.0, 1, 4)]


def test_a_device_slower_than_its_scan_is_throttled_in_one_gap() -> None:
    press = Device()
    press.up()
    for _ in range(30):  # a scan takes a second and a half
        press.wait(1)
        press.account.started(SECOND)
        press.wait(1)
        press.account.skipped(SECOND)
        press.answer()
    assert press.missing() == {Reason.RECEIVED: 90, Reason.THROTTLED: 90}
    assert press.gaps() == [(Reason.THROTTLED, 2.0, 60.0, 3, 90)]


def test_an_answer_that_says_it_is_too_late_is_none() -> None:
    press = Device()
    press.up()
    press.scan(3)
    press.wait(1)
    press.account.started(SECOND)
    press.wait(0.5)
    press.account.late(SECOND)
    press.wait(0.5)
    press.account.started(SECOND)
    press.answer()
    assert press.missing() == {Reason.RECEIVED: 12, Reason.THROTTLED: 3}


def test_scans_that_the_journal_holds_back_are_throttled() -> None:
    press = Device()
    press.up()
    press.scan(5)
    for _ in range(4):
        press.wait(1)
        press.account.held(SECOND, "the journal is full")
    press.scan(5)
    assert press.missing() == {Reason.RECEIVED: 30, Reason.THROTTLED: 12}
    assert press.gaps() == [(Reason.THROTTLED, 6.0, 10.0, 3, 12)]


def test_scans_that_nobody_noticed_since_the_kernel_stood_still_are_throttled() -> None:
    press = Device()
    press.up()
    press.scan(5)
    press.wait(60)
    press.scan(5)
    received, throttled = (press.missing()[r] for r in (Reason.RECEIVED, Reason.THROTTLED))
    assert (received, received + throttled) == (
        30,
        3 * 70 - 3,
    )  # the pacer may still be a moment late


def test_a_device_that_is_off_or_set_aside_was_not_expected() -> None:
    press = Device()
    press.up()
    press.scan(5)
    press.ends(State.OFF, "silent until Monday")
    press.wait(600)
    press.up()
    press.scan(5)
    press.account.moved(State.SET_ASIDE, "new ram seal")
    press.scan(100)  # its session stands: what it says counts for nothing
    press.account.moved(State.UP, "back")
    press.scan(5)
    assert press.missing() == {Reason.RECEIVED: 45, Reason.OFF: 1800}
    off, aside = press.gaps()
    assert off == (Reason.OFF, 5.0, 606.0, 3, 0)
    assert aside == (Reason.MAINTENANCE, 610.0, 711.0, 3, 0)
    assert expected(press.account.columns()).sum() == received(press.account.columns()).sum() == 45


def test_who_is_lost_while_set_aside_is_so_when_it_is_back() -> None:
    press = Device()
    press.up()
    press.scan(5)
    press.account.moved(State.SET_ASIDE, "new ram seal")
    press.account.ends(SECOND)
    press.wait(100)
    press.account.moved(State.UNREACHABLE, "no route")
    press.wait(10)
    assert press.missing() == {Reason.RECEIVED: 15, Reason.MAINTENANCE: 300, Reason.UNREACHABLE: 30}


def test_a_plugin_that_crashed_is_a_restart() -> None:
    press = Device()
    press.up()
    press.scan(5)
    press.ends(State.STARTING, "the process was killed")
    press.wait(3)
    press.up()
    press.scan(1)
    assert press.missing() == {Reason.RECEIVED: 18, Reason.RESTART: 9}
    assert press.gaps() == [(Reason.RESTART, 5.0, 9.0, 3, 9)]


def test_before_its_first_session_nothing_is_expected_of_a_new_device_unless_it_is_silent() -> None:
    press = Device()
    press.account.moved(State.STARTING, "start")
    press.wait(5)
    assert press.missing() == {}
    assert press.gaps() == []
    press.account.moved(State.UNREACHABLE, "connection refused")
    press.wait(5)
    assert press.missing() == {Reason.UNREACHABLE: 15}


def test_one_cause_after_another_is_a_gap_each() -> None:
    press = Device()
    press.up()
    press.scan(5)
    press.ends(State.UNREACHABLE, "no route")
    press.wait(5)
    press.ends(State.OFF, "the shift is over")
    press.wait(5)
    press.ends(State.UNREACHABLE, "no route")
    press.wait(5)
    press.up()
    press.scan()
    reasons = [(gap[0], gap[1], gap[2], gap[4]) for gap in press.gaps()]
    assert reasons == [
        (Reason.UNREACHABLE, 5.0, 10.0, 15),
        (Reason.OFF, 10.0, 15.0, 0),
        (Reason.UNREACHABLE, 15.0, 21.0, 15),
    ]


# --- sources that push ---


def test_a_source_that_pushes_has_come_for_as_long_as_its_session_stands_and_its_value_is_good() -> (
    None
):
    server = Device(pushes=True)
    server.up()
    server.says()
    server.wait(100)
    server.says(2, bad=[2])
    server.wait(10)
    server.says(2)
    server.wait(5)
    assert server.missing() == {Reason.RECEIVED: 335, Reason.BAD_QUALITY: 10}
    assert server.gaps() == [(Reason.BAD_QUALITY, 100.0, 110.0, 1, 10)]


def test_the_loss_of_a_source_that_pushes_began_when_it_was_heard_last_if_that_is_not_long_ago() -> (
    None
):
    server = Device(pushes=True)
    server.up()
    server.says()
    server.wait(20)
    server.says(1)
    server.wait(8)
    server.ends(State.UNREACHABLE, "keep-alive")
    server.wait(12)
    server.up()
    server.says()
    assert server.missing() == {Reason.RECEIVED: 60, Reason.UNREACHABLE: 60}
    assert server.gaps() == [(Reason.UNREACHABLE, 20.0, 40.0, 3, 60)]

    server.wait(300)
    server.ends(State.UNREACHABLE, "keep-alive")
    assert server.missing()[Reason.UNREACHABLE] == 60 + 3 * 15


def test_a_tag_that_does_not_speak_after_its_source_is_back_is_missing_after_ten_seconds() -> None:
    server = Device(pushes=True)
    server.up()
    server.says()
    server.wait(10)
    server.ends(State.STARTING, "crashed")
    server.wait(5)
    server.up()
    server.says(1, 2)
    server.wait(10)
    server.missing()
    server.wait(20)
    assert server.missing() == {
        Reason.RECEIVED: 30 + 60,
        Reason.RESTART: 15 + 10,
        Reason.MISSING: 20,
    }


def test_a_queue_that_ran_over_is_at_least_one_sample_of_each_tag() -> None:
    server = Device(pushes=True)
    server.up()
    server.says()
    for _ in range(10):
        server.wait(1)
        server.account.overflowed(np.array([2, 2, 3]))
    assert server.missing() == {Reason.RECEIVED: 30, Reason.OVERFLOW: 20}
    assert server.gaps() == [(Reason.OVERFLOW, 1.0, 10.0, 2, 20)]


def test_a_source_that_pushes_says_again_what_it_was_when_it_is_no_longer_set_aside() -> None:
    server = Device(pushes=True)
    server.up()
    server.says(bad=[3])
    server.wait(10)
    server.account.moved(State.SET_ASIDE, "new ram seal")
    server.wait(50)
    server.says(1, bad=[1, 3])
    server.wait(50)
    server.account.moved(State.UP, "back")
    server.wait(10)
    assert server.missing() == {
        Reason.RECEIVED: 30,
        Reason.BAD_QUALITY: 30,
        Reason.MAINTENANCE: 300,
    }


def test_a_tag_that_is_bad_every_other_time_is_a_bounded_number_of_gaps() -> None:
    press = Device()
    press.up()
    for _ in range(500):
        press.scan(1, bad=[1])
        press.scan(1)
    press.wait(10)
    gaps = press.gaps()
    assert press.missing()[Reason.BAD_QUALITY] == 500 == sum(gap[4] for gap in gaps)
    assert len(gaps) == 17


# --- batches ---


def batch(tags: list[int], times: list[int], **more: Any) -> Batch:
    return Batch.of(tags, times, [1.0] * len(tags), **more)


def all_good() -> Any:
    return SimpleNamespace(bad=np.zeros(4, bool), bad_version=0)


def test_a_pushed_batch_says_what_ran_over_and_what_is_late() -> None:
    server = Device(pushes=True)
    server.up()
    account = server.account
    account.late_before = 1000
    pushed(account, batch([1, 2, 3], [5, 5, 5]), all_good())  # a first value is the present one
    assert server.gaps() == []
    pushed(account, batch([1, 2], [900, 2000]), all_good())
    pushed(account, batch([1], [800], flags=Flag.HISTORICAL), all_good())
    assert [g[0] for g in server.gaps()] == [Reason.LATE]
    late = account.runs.lasting()[0]
    assert (late.since, late.until, late.missing, late.filled) == (900, 901, 1, 1)
    pushed(account, batch([1, 2], [2001, 2002], quality=[0, quality.OVERFLOW]), all_good())
    pushed(account, batch([3], [2003], flags=Flag.OVERFLOW), all_good())
    assert server.missing() == {Reason.OVERFLOW: 2}


def test_absent_tags_are_those_of_the_asked_that_no_batch_has() -> None:
    asked = np.array([2, 4, 6])
    assert absent(asked, [batch([2, 4], [1, 1]), batch([6], [1])]) is None
    assert absent(asked, [batch([4], [1])]).tolist() == [2, 6]  # type: ignore[union-attr]
    assert absent(asked, []).tolist() == [2, 4, 6]  # type: ignore[union-attr]
