"""When it denies and why, until when a decision may be remembered, and that it locks a Bedplate."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bedplate import CallError, Check, Decision, Subject, Verdict
from bedplate.testing import running, until
from bedplate_shiftlock import Shiftlock

PACKAGE = Path(__file__).parents[1]
COMMAND = ["-c", "from bedplate.cli import main; main()"]
SIMULATOR = PACKAGE / "bedplate_shiftlock" / "sim.py"
SPEED = "plant/line1/filler/speed"
CALENDAR = {
    "name": "plant",
    "timezone": "Europe/Berlin",
    "shifts": {
        "early": {"days": "mon-fri", "from": "06:00", "to": "14:00"},
        "night": {"days": "fri-sat", "from": "22:00", "to": "06:00"},
    },
    "closed": ["2026-12-24/2027-01-03"],
}


def lock(at="2026-11-23T12:00:00+01:00", calendar=CALENDAR, **settings):
    """Opened, with a clock that stands."""
    module = Shiftlock()
    module.config = Shiftlock.Config(calendar=calendar, **settings)
    module.now = lambda: nanoseconds(datetime.fromisoformat(at))
    module.open()
    return module


def nanoseconds(at):
    return int(at.timestamp()) * 1_000_000_000


def decide(module, resource=SPEED, *roles, action="command.submit"):
    (decision,) = module.authorize(Subject("somebody", roles), [Check(action, resource)])
    return decision


DENIED = {
    "2026-11-23T05:59:59+01:00": "early starts Mon 2026-11-23 06:00 CET",
    "2026-11-23T14:00:00+01:00": "early starts Tue 2026-11-24 06:00 CET",
    "2026-12-24T10:00:00+01:00": "early starts Mon 2027-01-04 06:00 CET",  # closed days
    "2027-03-28T06:00:00+02:00": "early starts Mon 2027-03-29 06:00 CEST",  # a night of seven hours
}


@pytest.mark.parametrize("at", DENIED)
def test_outside_the_shifts_it_denies_and_says_when_the_next_one_starts(at):
    assert decide(lock(at)).verdict is Verdict.DENY
    assert decide(lock(at)).reason == f"outside the shifts of plant; {DENIED[at]}"


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-23T06:00:00+01:00",
        "2026-11-23T13:59:59+01:00",
        "2026-11-28T03:00:00+01:00",  # of the night that began on Friday
        "2027-03-28T05:59:59+02:00",
    ],
)
def test_inside_a_shift_it_is_none_of_its_business(at):
    assert decide(lock(at)).verdict is Verdict.ABSTAIN


def test_inside_a_shift_it_says_how_long_for_whoever_asks_whether_he_may():
    assert decide(lock()).reason == "early ends Mon 2026-11-23 14:00 CET"


def test_a_calendar_without_shifts_denies_for_ever():
    never = decide(lock(calendar=CALENDAR | {"shifts": {}}))

    assert never.verdict is Verdict.DENY
    assert never.reason == "outside the shifts of plant; none starts within 400 days"


@pytest.mark.parametrize("before", [0.25, 1, 20, 59, 61, 3600])
def test_a_decision_is_not_remembered_beyond_the_next_boundary(before):
    module = lock()
    first = nanoseconds(datetime(2026, 12, 18, tzinfo=UTC))
    shifts = module.config.calendar.shifts_between(first, first + 21 * 86_400 * 1_000_000_000)
    for boundary in (edge for shift in shifts for edge in (shift.start_ns, shift.end_ns)):
        at = boundary - int(before * 1e9)
        decision = module.at(at)
        assert 0 <= decision.remember <= 60
        assert module.at(at + int(decision.remember * 1e9)).verdict is decision.verdict


def test_just_before_a_boundary_nothing_is_remembered_that_changes_at_it():
    assert decide(lock("2026-11-23T13:59:50+01:00")).remember == 9.5
    assert decide(lock("2026-11-23T05:59:50+01:00")).remember == 9.5


OUT = "2026-11-23T23:00:00+01:00"
FREE = Decision(Verdict.ABSTAIN, remember=3600.0)


def test_who_has_an_exempt_role_may_at_any_time():
    assert decide(lock(OUT, roles=["admin"]), SPEED, "operator", "admin") == FREE
    assert decide(lock(OUT, roles=["admin"]), SPEED, "operator").verdict is Verdict.DENY


def test_actions_that_are_not_named_are_none_of_its_business():
    assert decide(lock(OUT), action="live.current") == FREE
    assert decide(lock(OUT), action="command.cancel") == FREE
    assert decide(lock(OUT), action="command.approve").verdict is Verdict.DENY
    assert decide(lock(OUT, actions=["alarms.acknowledge"])) == FREE


@pytest.mark.parametrize("selector", ["**", SPEED, "plant/**", "**/speed", "plant/*/fil*/**/speed"])
def test_paths_that_are_selected_are_locked(selector):
    assert decide(lock(OUT, only=["other", selector])).verdict is Verdict.DENY


@pytest.mark.parametrize(
    "selector",
    ["*", "speed", "plant", "plant/*", "plant/line1/filler/spee", "**/speed/*", "**/s.eed"],
)
def test_paths_that_are_not_selected_are_not_locked(selector):
    assert decide(lock(OUT, only=[selector])) == FREE


def test_decisions_are_in_the_order_of_the_checks():
    checks = [Check("command.submit", f"plant/line{n}/filler/speed") for n in (1, 2, 1)]
    decisions = lock(OUT, only=["plant/line1/**"]).authorize(Subject("somebody"), checks)

    assert [one.verdict for one in decisions] == [Verdict.DENY, Verdict.ABSTAIN, Verdict.DENY]


def now_is(inside):
    """The shift of a calendar, in UTC: around now, or in two hours."""
    start = datetime.now(UTC) + timedelta(hours=-2 if inside else 2)
    end = start + timedelta(hours=4)
    return f"{{days: mon-sun, from: '{start:%H:%M}', to: '{end:%H:%M}'}}"


LINE = """
bedplate: 1
name: shiftlock-test
calendars: {{on: {{shift: {on}}}, off: {{shift: {off}}}}}
connectors:
  awake: {{use: setpoints, path: plant/awake, tags: {{speed: {{write: {{range: [0, 100]}}}}}}}}
  asleep: {{use: setpoints, path: plant/asleep, tags: {{speed: {{write: {{range: [0, 100]}}}}}}}}
security:
  day: {{use: shiftlock, calendar: on}}
  lock: {{use: shiftlock, calendar: off, only: ["plant/asleep/**"]}}
writes:
  enabled: true
  kill_switch: writes.disabled
  allow: [{{role: admin, tags: ["**/speed"]}}]
"""


def speeds(client):
    return [value for series in client.current("**/speed").values() for value in series.value]


def test_it_locks_a_bedplate(tmp_path):
    file = tmp_path / "line.yaml"
    file.write_text(LINE.format(on=now_is(inside=True), off=now_is(inside=False)))
    with running(file, SIMULATOR) as bedplate, bedplate.client() as client:
        until(lambda: speeds(client) == [50.0, 50.0])
        awake = client.write("awake/speed", 60.0)
        with pytest.raises(CallError) as refused:
            client.write("asleep/speed", 60.0)
        still = client.current("asleep/speed")["speed"].value.tolist()
        asked = bedplate_says(bedplate, "access", "check", "command.submit", "asleep/speed")
        written = bedplate_says(bedplate, "audit", "show", "--action", "command.submit")

    assert (awake.state, awake.read_back) == ("verified", 60.0)
    assert refused.value.code == "PERMISSION_DENIED"
    assert still == [50.0]
    assert asked.returncode == 1
    for said in (asked.stdout, written.stdout):
        assert "lock: denied: outside the shifts of off; shift starts " in said


def test_the_example_deployment_passes_check(tmp_path):
    file = shutil.copy(PACKAGE / "shiftlock-line.yaml", tmp_path)
    done = run(*COMMAND, "check", str(file), "--plugin", str(SIMULATOR))

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_description_of_our_settings_is_fresh():
    done = run("-m", "bedplate.admission.schema", "bedplate_shiftlock", "--check")

    assert done.returncode == 0, done.stderr


def bedplate_says(bedplate, *words):
    return run(*COMMAND, *words, env=bedplate.environ)


def run(*words, env=None):
    return subprocess.run(
        [sys.executable, *words], env=env, capture_output=True, text=True, timeout=60, check=False
    )
