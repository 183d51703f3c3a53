"""What `status`, `tags`, `tail`, `query` and `alarms` say, to people and to programs."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from tests.cli.conftest import Shell, environment
from tests.cli.terminal import see
from tests.client.plant import (
    CURRENT,
    NOW,
    TAGS,
    TOKEN,
    Plant,
    S,
    Serving,
    alarm,
    batch_record,
    event_record,
    history_page,
    samples,
    table,
)

from bedplate.api.v1 import api_pb2
from bedplate.cli.parameters import token, written
from bedplate.cli.screen import shortened
from bedplate.model import AlarmPriority, AlarmState, Event, EventKind
from bedplate.shown import age_text, cells, size_text, value_text


def component(name: str, **more: object) -> api_pb2.ComponentStatus:
    found = {"kind": 1, "use": "opcua", "state": "up", "tags": 10, "tags_good": 10, "group": name}
    return api_pb2.ComponentStatus(id=name, **found | more)  # type: ignore[arg-type]


def fill(plant: Plant) -> api_pb2.GetStatusResponse:
    """Forty presses of which two are silent, a reader that lags, three processes."""
    status = plant.status
    status.name, status.started = "berlin", plant.now - 41 * 86400 * S - 6 * 3600 * S
    for n in range(1, 41):
        press = component(f"press-{n:02}", group="presses", samples_per_second=13.9)
        press.quietest_seconds = 0.9
        if n in (12, 13):
            press.state, press.since, press.tags_good = "unreachable", plant.now - 260 * S, 0
        status.components.append(press)
    history = component("history", use="history", tags=0, detail="55.7 GB, 211 days kept")
    history.reader.behind_seconds = 0.4
    status.components.append(history)
    status.problems.append("press-12 unreachable: no route to 10.20.1.22")
    cause = status.causes.add(subject="press-12", state="unreachable", since=plant.now - 260 * S)
    cause.text, cause.hint = "unreachable: no route to 10.20.1.22", "bedplate why press-12"
    status.processes.add(
        name="line1",
        pid=1,
        started=plant.now - 100 * S,
        cpu_seconds=3.0,
        memory_bytes=65_400_000,
        restarts=2,
    )
    status.cpu_seconds, status.memory_bytes = 3000.0, 83_900_000
    status.journal.MergeFrom(
        api_pb2.JournalStatus(engine="embedded", bytes=400_000_000, state="synced", appended=9)
    )
    status.journal.synced, status.journal.oldest_seconds = 9, 86400.0
    return status


def test_status_without_problems_says_so_and_ends_with_zero(connected: Shell, plant: Plant) -> None:
    plant.status.started = plant.now - 102 * S
    done = connected("status")
    assert done.code == 0
    assert done.lines[0].startswith("bottling-line · up 1 min 42 s · bedplate 0.1.0 · ")
    assert "  no problems" in done.lines


def test_alarms_says_what_nobody_watches(connected: Shell, plant: Plant) -> None:
    detail = "158 of 160 limits watching, 2 without input: press-07/oil-hot (temperature BadNodeIdUnknown)"
    plant.status.components.append(component("press-alarms", kind=2, detail=detail))
    plant.status.components.append(component("oee", kind=2, detail="2 inputs"))
    done = connected("alarms")
    assert done.code == 0
    assert f"press-alarms: {detail}" in done.lines
    assert not [line for line in done.lines if line.startswith("oee")]


def test_who_is_off_is_one_line_for_an_entry_and_no_problem(connected: Shell, plant: Plant) -> None:
    off = {"state": "off", "tags_good": 0, "reason": "silent until Mon 06:00 CET"}
    plant.status.components.extend(
        component(f"press-{n}", group="presses", **(off if n < 3 else {})) for n in range(1, 5)
    )
    plant.status.components.append(component("oven", **off))
    done = connected("status")
    assert done.code == 0
    shown = [" ".join(line.split()) for line in done.lines]
    assert "2 of presses off silent until Mon 06:00 CET" in shown
    assert "oven off silent until Mon 06:00 CET" in shown
    assert any(line.startswith("presses opcua 2 of 2 20 of 20") for line in shown)


def test_status_has_problems_first_one_line_a_cause_and_ends_with_one(
    connected: Shell, plant: Plant
) -> None:
    fill(plant)
    done = connected("status")
    assert done.code == 1
    assert done.lines[:4] == [
        done.lines[0],
        "",
        "  1 problem",
        "  ✖  press-12  unreachable for 4 min: no route to 10.20.1.22  bedplate why press-12",
    ]
    assert done.lines[0].startswith("berlin · up 41 d 6 h · ")


def test_status_groups_connectors_by_their_entry_of_the_file(
    connected: Shell, plant: Plant
) -> None:
    fill(plant)
    found = [re.split(r"\s{2,}", line.strip()) for line in connected("status").lines]
    assert ["presses", "opcua", "38 of 40", "380 of 400", "556", "0.9 s", "–"] in found
    assert ["history", "history", "0.4 s", "55.7 GB, 211 days kept"] in found
    assert ["line1", "1 min", "3.0 %", "65.4 MB", "2"] in found
    assert ["journal", "400 MB embedded, 1 d kept · all on disk"] in found


def test_status_says_what_is_set_aside_without_calling_it_a_problem(
    connected: Shell, plant: Plant
) -> None:
    aside = component("press-12", state="set aside", reason="maintenance until 06:00")
    plant.status.components.extend([aside, component("press-13", group="press-12")])
    done = connected("status")
    assert done.code == 0
    assert "  press-12  set aside  maintenance until 06:00" in done.lines
    assert "1 of 1" in done.out


def test_status_shouts_when_nothing_is_stored(connected: Shell, plant: Plant) -> None:
    fill(plant).journal.state = "no space left on device"
    assert "NOT STORED: no space left on device" in connected("status").out


def test_status_has_the_same_facts_as_json(connected: Shell, plant: Plant) -> None:
    fill(plant)
    done = connected("status", "--json")
    found = json.loads(done.out)
    assert done.code == 1
    assert found["problems"] == ["press-12 unreachable: no route to 10.20.1.22"]
    assert found["causes"][0]["subject"] == "press-12"
    assert len(found["components"]) == 41
    assert found["components"][11]["state"] == "unreachable"
    assert found["started"].endswith("Z")


def test_tags_are_a_table_with_value_unit_quality_and_age(connected: Shell) -> None:
    lines = connected("tags").lines
    assert re.split(r"\s{2,}", lines[0].strip()) == ["tag", "value", "unit", "quality", "age"]
    found = {line.split()[0]: line.split()[1:-2] for line in lines[1:]}
    assert found["line1/filler/power"] == ["12.4", "kW", "Good"]
    assert found["line1/filler/state"] == ["running", "Good"]
    assert found["line1/capper/power"] == ["–", "kW", "BadNodeIdUnknown"]
    assert found["line1/capper/guard_closed"] == ["true", "Good"]


def test_tags_of_any_script_stand_in_line(connected: Shell) -> None:
    lines = connected("tags").lines
    ends = {cells(line[: re.search(r"(Good|Bad)", line).start()]) for line in lines[1:]}  # type: ignore[union-attr]
    assert len(ends) == 1


def test_tags_as_json_have_every_digit_and_what_is_known_of_them(connected: Shell) -> None:
    found = {one["path"]: one for one in json.loads(connected("tags", "--json").out)}
    state = found["line1/filler/state"]
    assert (state["value"], state["quality"], state["states"]["1"]) == (1, "Good", "running")
    assert found["line1/capper/power"]["quality"] == "BadNodeIdUnknown"
    assert found["line1/Abfüller/温度"]["unit"] == "°C"


def test_a_selector_narrows_the_tags(connected: Shell) -> None:
    assert [line.split()[0] for line in connected("tags", "filler/power").lines[1:]] == [
        "line1/filler/power"
    ]


def updates(plant: Plant, *records: object, lost: int = 0) -> None:
    plant.updates = [
        api_pb2.SubscribeResponse(
            tables=[table(*range(1, 7))],
            records=records,  # type: ignore[arg-type]
            resume_token=b"0123456789abcdef",
            lost=lost,
        )
    ]


def test_tail_prints_a_line_a_sample_by_time(connected: Shell, plant: Plant) -> None:
    numbers = samples([1, 4], [NOW + S, NOW], [12.4, 1.1])
    updates(
        plant,
        batch_record(1, numbers),
        batch_record(2, samples([2], [NOW + 2 * S], [1])),
    )
    done = connected("tail", "**")
    assert done.code == 0
    assert done.lines == [
        "Wed 2025-11-19",
        "02:47:10.000  line1/capper/power                1.1 kW",
        "02:47:11.000  line1/filler/power               12.4 kW",
        "02:47:12.000  line1/filler/state            running",
    ]


def test_tail_says_the_quality_when_it_is_not_good(connected: Shell, plant: Plant) -> None:
    bad = samples([1], [NOW], [0.0])
    bad = type(bad).of([1], [NOW], [0.0], quality=[0x80310000])
    updates(plant, batch_record(1, bad), lost=1500)
    assert connected("tail", "filler/power").lines == [
        "1,500 records were lost before this",
        "Wed 2025-11-19",
        "02:47:10.000  line1/filler/power           – kW  BadNoCommunication",
    ]


def test_tail_shows_events_when_asked(connected: Shell, plant: Plant) -> None:
    jam = alarm(
        "line1/capper/jam", AlarmState.UNACKNOWLEDGED, AlarmPriority.HIGH, 0, condition="code = 21"
    )
    state = Event("line1/filler", EventKind.STATUS, NOW, "unreachable: connection refused")
    updates(plant, event_record(1, jam), event_record(2, state))
    done = connected("tail", "filler/power", "--events")
    assert plant.requests[-1].events
    assert [line.split(None, 1)[1] for line in done.lines[1:]] == [
        "line1/capper/jam    high  not acknowledged  code = 21",
        "line1/filler        unreachable: connection refused",
    ]


def test_tail_as_json_is_one_object_a_line(connected: Shell, plant: Plant) -> None:
    updates(
        plant, batch_record(1, samples([1], [NOW + 1], [12.4])), event_record(2, plant.alarms[0])
    )
    sample, event = [json.loads(line) for line in connected("tail", "**", "--json").lines]
    assert sample == {
        "path": "line1/filler/power",
        "time": "2025-11-19T01:47:10.000000001Z",
        "value": 12.4,
        "quality": "Good",
    }
    assert event["alarm"]["state"] == "unacknowledged"


def test_tail_goes_on_from_a_token(connected: Shell, plant: Plant) -> None:
    connected("tail", "**", "--resume", written(b"0123456789abcdef"))
    assert plant.requests[-1].resume_token == b"0123456789abcdef"
    assert not plant.requests[-1].current_first
    assert connected("tail", "**", "--resume", "not!one").code == 2


@pytest.mark.parametrize("content", [b"", b"\xff" * 16, b"0123456789abcdef"])
def test_a_token_survives_being_written_down(content: bytes) -> None:
    assert token(written(content)) == content


def test_query_writes_whole_lines_where_nobody_looks(connected: Shell, plant: Plant) -> None:
    plant.pages = [history_page([TAGS[0]], 2)]
    assert connected("query", "filler/power").lines == [
        "2025-11-19 02:37:10.000  line1/filler/power  12.4 kW  Good",
        "2025-11-19 02:37:11.000  line1/filler/power  12.4 kW  Good",
    ]


def test_query_as_csv_has_utc_and_every_digit(connected: Shell, plant: Plant) -> None:
    plant.pages = [history_page([TAGS[0], TAGS[2], TAGS[5]], 1), history_page([TAGS[1]], 1)]
    rows = list(csv.reader(io.StringIO(connected("query", "**", "--format", "csv").out)))
    assert rows[0] == ["time", "path", "value", "unit", "quality"]
    assert ["2025-11-19T01:37:10.000Z", "line1/filler/order_id", "A-17", "", "Good"] in rows
    assert ["2025-11-19T01:37:10.000Z", "line1/filler/state", "1", "", "Good"] in rows
    assert len(rows) == 5


def test_query_as_json_is_one_object_a_line(connected: Shell, plant: Plant) -> None:
    plant.pages = [history_page(TAGS, 1)]
    found = [json.loads(line) for line in connected("query", "**", "--json").lines]
    assert {one["path"]: one["value"] for one in found} == {t.path: CURRENT[t.handle] for t in TAGS}
    assert connected("query", "**", "--format", "json").lines == [
        json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in found
    ]


def test_what_is_no_number_is_null_in_json_and_empty_nowhere(
    connected: Shell, plant: Plant
) -> None:
    page = history_page([TAGS[0]], 1)
    page.batches[0].float64[0] = float("nan")
    plant.pages = [page]
    assert json.loads(connected("query", "filler/power", "--json").out)["value"] is None
    assert " nan kW " in connected("query", "filler/power").out


def test_query_passes_on_what_was_asked(connected: Shell, plant: Plant) -> None:
    connected("query", "filler/power", "--from", "2025-11-19T06:00", "--to", "2025-11-19T07:00")
    request = plant.requests[-1]
    assert (getattr(request, "from"), request.to) == (1763528400 * S, 1763532000 * S)
    connected("query", "filler/power", "--last", "5m", "--every", "10s", "--agg", "max")
    assert (plant.requests[-1].every, plant.requests[-1].aggregate) == (10 * S, 3)
    connected("query", "filler/power", "--points", "100", "--limit", "7")
    assert (plant.requests[-1].points, plant.requests[-1].limit) == (100, 7)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--last", "5"], "write a number and a unit"),
        (["--from", "yesterday"], "is no time"),
        (["--every", "1s", "--points", "3"], "leave one of them out"),
        (["--from", "07:00", "--to", "06:00"], "the range is empty"),
        (["--agg", "median"], "median"),
    ],
)
def test_query_refuses_what_cannot_be_asked(
    connected: Shell, plant: Plant, options: list[str], words: str
) -> None:
    done = connected("query", "filler/power", *options)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert not plant.requests


def test_no_samples_are_said_to_be_none(connected: Shell, plant: Plant) -> None:
    plant.pages = [history_page([], 0)]
    done = connected("query", "filler/power")
    assert (done.code, done.out, done.err) == (0, "", "no samples in this range\n")


def test_alarms_say_why_what_to_do_and_how_to_acknowledge(connected: Shell) -> None:
    lines = connected("alarms").lines
    assert [line.rstrip() for line in lines] == [
        "priority  alarm                     since  state",
        "high      capper/jam                 38 s  not acknowledged"
        "    bedplate alarms ack capper/jam",
        "          fault_code = 21 · Open the guard and clear the chute",
        "medium    filler/product-warm       2 min  acknowledged by operator-1",
        "          temperature > 10",
    ]


def test_alarms_that_share_a_tail_are_named_by_more_of_their_path(
    connected: Shell, plant: Plant
) -> None:
    first = plant.alarms[0]
    state, priority = AlarmState.UNACKNOWLEDGED, AlarmPriority.HIGH
    plant.alarms = [first, alarm("line2/capper/jam", state, priority, 1)]
    out = connected("alarms").out
    assert "ack line1/capper/jam" in out
    assert "ack line2/capper/jam" in out


def test_no_alarms_are_said_to_be_none(connected: Shell, plant: Plant) -> None:
    normal = alarm("line1/capper/jam", AlarmState.NORMAL, AlarmPriority.HIGH, 9)
    plant.alarms = [normal]
    assert connected("alarms").out == "no alarms\n"
    assert "normal" in connected("alarms", "--all").out
    assert json.loads(connected("alarms", "--json").out) == []


def test_alarms_as_json_have_their_whole_state(connected: Shell) -> None:
    jam = json.loads(connected("alarms", "--json").out)[0]
    assert (jam["source"], jam["alarm"]["priority"]) == ("line1/capper/jam", "high")
    assert jam["alarm"]["returned_at"] is None


def test_watching_alarms_prints_what_stands_then_changes(connected: Shell, plant: Plant) -> None:
    plant.changes = [alarm("line1/capper/jam", AlarmState.NORMAL, AlarmPriority.HIGH, 0)]
    lines = connected("alarms", "--watch").lines
    assert [line.split()[1] for line in lines] == [
        "line1/capper/jam",
        "line1/filler/product-warm",
        "line1/capper/jam",
    ]
    assert "high  normal" in lines[-1]


def test_an_alarm_is_acknowledged_by_its_tail(connected: Shell, plant: Plant) -> None:
    done = connected("alarms", "ack", "jam", "--comment", "cleared")
    assert (done.code, done.out) == (0, "line1/capper/jam acknowledged\n")
    assert (plant.requests[-1].source, plant.requests[-1].comment) == ("jam", "cleared")
    assert json.loads(connected("alarms", "ack", "jam", "--json").out)["source"]


def test_what_a_machine_says_cannot_steer_the_terminal(connected: Shell, plant: Plant) -> None:
    updates(plant, batch_record(1, samples([3], [NOW], ["\x1b[31mred\x07\nline"])))
    out = connected("tail", "order_id").out
    assert "·[31mred··line" in out
    assert "\x1b" not in out


@pytest.fixture
def environ(serving: Serving, tmp_path: Path) -> dict[str, str]:
    return {
        **environment(tmp_path),
        "BEDPLATE_ENDPOINT": serving.address,
        "BEDPLATE_TOKEN": TOKEN,
        "TZ": "Europe/Berlin",
    }


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("command", [["status"], ["tags"], ["alarms"], ["query", "**"]])
def test_a_terminal_gets_colours_and_nothing_too_wide(
    environ: dict[str, str], plant: Plant, command: list[str], columns: int
) -> None:
    fill(plant)
    seen = see(*command, environ=environ, columns=columns)
    assert [line for line in seen.lines if cells(line) > columns] == []
    assert "\x1b[" in seen.raw


def test_colour_stays_on_the_word_it_is_for(environ: dict[str, str]) -> None:
    raw = see("alarms", environ=environ, columns=120).raw
    assert "\x1b[31mhigh\x1b[0m      capper/jam" in raw
    assert "not acknowledged\x1b[2m    bedplate alarms ack" in raw


def test_no_color_is_respected(environ: dict[str, str], plant: Plant) -> None:
    fill(plant)
    assert "\x1b[" not in see("status", environ=environ | {"NO_COLOR": "1"}).raw


def test_a_query_on_a_terminal_has_a_heading_per_tag(environ: dict[str, str], plant: Plant) -> None:
    plant.pages = [history_page([TAGS[0], TAGS[3]], 2)]
    assert see("query", "**/power", environ=environ).lines[:7] == [
        "line1/capper/power",
        "  Wed 2025-11-19  02:37:10.000           1.1 kW",
        "                  02:37:11.000           1.1 kW",
        "",
        "line1/filler/power",
        "  Wed 2025-11-19  02:37:10.000          12.4 kW",
        "                  02:37:11.000          12.4 kW",
    ]


def test_a_read_that_takes_long_shows_how_far_it_is(environ: dict[str, str], plant: Plant) -> None:
    plant.pages, plant.stuck = [history_page([TAGS[0]], 0, 0.4)], True
    seen = see("query", "filler/power", environ=environ, until="40%")
    assert "reading history" in "".join(seen.lines)
    assert seen.code == 130


def test_a_quick_read_shows_no_bar(environ: dict[str, str], plant: Plant) -> None:
    assert "reading" not in see("query", "filler/power", environ=environ).raw


def test_ctrl_c_on_a_tail_says_how_to_go_on(environ: dict[str, str], plant: Plant) -> None:
    plant.hold.set()
    updates(plant, batch_record(1, samples([1], [NOW], [12.4])))
    seen = see("tail", "**/power", environ=environ, until="kW")
    assert seen.code == 130
    assert f"bedplate tail '**/power' --resume {written(b'0123456789abcdef')}" in "\n".join(
        seen.lines
    )


@pytest.mark.parametrize(
    ("path", "width", "expected"),
    [
        ("line1/filler/power", 18, "line1/filler/power"),
        ("line1/filler/power", 17, "…/filler/power"),
        ("line1/filler/power", 10, "…/power"),
        ("line1/filler/power", 5, "powe…"),
        ("線/温度", 6, "…/温度"),
    ],
)
def test_a_path_loses_its_beginning_first(path: str, width: int, expected: str) -> None:
    assert shortened(path, width) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (118.0, "118"),
        (47.3, "47.3"),
        (0.83, "0.83"),
        (12418.04, "12418"),
        (12418.44, "12418.4"),
        (1.5e-9, "1.5e-09"),
        (2**63, "9223372036854775808"),
        (float("nan"), "nan"),
        (True, "true"),
        (None, "–"),
        (b"\x01\xff", "01 ff (2 bytes)"),
        ("x" * 80, "x" * 59 + "…"),
    ],
)
def test_values_are_written_plainly(value: object, text: str) -> None:
    assert value_text(value) == text


def test_labels_stand_for_numbers_also_for_averages_that_are_whole() -> None:
    assert value_text(1, {1: "running"}) == "running"
    assert value_text(1.0, {1: "running"}) == "running"
    assert value_text(1.5, {1: "running"}) == "1.5"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0 s"),
        (0.21, "0.2 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (140, "2 min"),
        (4 * 3600 + 37 * 60, "4 h 37 min"),
        (86400, "1 d"),
        (41 * 86400 + 6 * 3600, "41 d 6 h"),
    ],
)
def test_ages_are_written_in_at_most_two_units(seconds: float, text: str) -> None:
    assert age_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (40_000, "40 kB"), (300_000, "0.3 MB"), (55.7e9, "55.7 GB"), (4.4e12, "4.4 TB")],
)
def test_sizes_are_decimal(count: float, text: str) -> None:
    assert size_text(count) == text


def test_query_offers_the_aggregates_that_the_client_knows() -> None:
    from bedplate.cli import query
    from bedplate.client import questions

    assert query.AGGREGATES == questions.AGGREGATES
    assert query.SHORT.items() <= questions.SHORT.items()
