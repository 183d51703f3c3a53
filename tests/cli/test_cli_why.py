"""What `why` says to people and to programs; and the problems of `status` beside the command that tells more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Shell, environment
from tests.cli.terminal import see
from tests.client.plant import TOKEN, Plant, S, Serving

from bedplate.api.v1 import why_pb2

TAG = "acme/berlin/press-shop/line1/press-07/temperature"
EXPLAINED = why_pb2.ExplainResponse(
    subject=TAG,
    headline="Bad (BadNodeIdUnknown) for 15 min 26 s · last good 47.3 °C at 02:31:43",
    cause="the machine's program no longer has this node (BadNodeIdUnknown)",
    facts=["02:31:43  last good value: 47.3 °C", "02:31:44  temperature turned BadNodeIdUnknown"],
    chain=[
        why_pb2.Link(name="journal", state="good", text="on disk up to a moment ago"),
        why_pb2.Link(name="session", state="unknown", text="could not be seen: no process"),
        why_pb2.Link(name="node", state="bad", text="BadNodeIdUnknown 0x80340000"),
    ],
    also=["38 of 38 others have temperature", "9 of 9 others are well"],
    effect=["press-alarms: nobody watches oil-hot of press-07, which has no input"],
    lost=["temperature from 02:31:44 to now, 926 samples"],
    whose=why_pb2.WHOSE_MACHINE_PROGRAM,
    whose_text="machine program (not storage, not network, not Bedplate)",
    actions=["Ask who changed the machine's program", "bedplate plan plant.yaml"],
)
WELL = why_pb2.ExplainResponse(
    subject="press-01",
    headline="up for 19 d · 18 of 18 tags good",
    chain=[why_pb2.Link(name="journal", state="good", text="on disk")],
    effect=["none: all 4 limits and inputs that hang on it have a value"],
    lost=["nothing in the last hour"],
    whose_text="nobody's: nothing is wrong",
    actions=["nothing to do"],
)


@pytest.fixture
def told(plant: Plant) -> Plant:
    plant.explained |= {"press-07/temperature": EXPLAINED, "press-01": WELL}
    return plant


def test_why_ends_in_lost_whose_and_do(connected: Shell, told: Plant) -> None:
    done = connected("why", "press-07/temperature")
    assert done.code == 1
    assert done.lines == [
        TAG,
        "Bad (BadNodeIdUnknown) for 15 min 26 s · last good 47.3 °C at 02:31:43",
        "",
        "  cause   the machine's program no longer has this node (BadNodeIdUnknown)",
        "          02:31:43  last good value: 47.3 °C",
        "          02:31:44  temperature turned BadNodeIdUnknown",
        "",
        "  chain  ✔  journal  on disk up to a moment ago",
        "         ?  session  could not be seen: no process",
        "         ✖  node     BadNodeIdUnknown 0x80340000",
        "",
        "  also    38 of 38 others have temperature · 9 of 9 others are well",
        "  effect  press-alarms: nobody watches oil-hot of press-07, which has no input",
        "  lost    temperature from 02:31:44 to now, 926 samples",
        "",
        "  whose   machine program (not storage, not network, not Bedplate)",
        "  do      Ask who changed the machine's program",
        "          bedplate plan plant.yaml",
    ]


def test_what_is_well_is_told_plainly_and_ends_with_zero(connected: Shell, told: Plant) -> None:
    done = connected("why", "press-01")
    assert done.code == 0
    assert done.lines[:2] == ["press-01", "up for 19 d · 18 of 18 tags good"]
    assert "  cause" not in done.out
    assert done.lines[-3:] == [
        "",
        "  whose   nobody's: nothing is wrong",
        "  do      nothing to do",
    ]


def test_what_does_not_exist_ends_with_two_and_says_so(connected: Shell, told: Plant) -> None:
    done = connected("why", "press-77")
    assert (done.code, done.err) == (2, "bedplate: there is nothing named press-77\n")


def test_why_as_json_has_everything(connected: Shell, told: Plant) -> None:
    done = connected("why", "press-07/temperature", "--json")
    found = json.loads(done.out)
    assert done.code == 1
    assert found["whose"] == "machine_program"
    assert found["chain"][2] == {
        "name": "node",
        "state": "bad",
        "text": "BadNodeIdUnknown 0x80340000",
    }
    assert found["actions"] == ["Ask who changed the machine's program", "bedplate plan plant.yaml"]


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_screen(
    tmp_path: Path, told: Plant, serving: Serving, columns: int
) -> None:
    cause = told.status.causes.add(subject="line2", state="unreachable", since=told.now - 14 * S)
    cause.text = (
        "9 of 9 devices silent within 1.2 s at 03:14:07, all of them in 10.20.1.21-29 and nobody else:"
        " look at their switch"
    )
    cause.hint = "bedplate why line2"
    told.status.problems.append(f"line2: {cause.text}")
    environ = environment(tmp_path) | {
        "BEDPLATE_ENDPOINT": serving.address,
        "BEDPLATE_TOKEN": TOKEN,
    }
    for words in (["why", "press-07/temperature"], ["status"]):
        seen = see(*words, environ=environ, columns=columns)
        assert max(map(len, seen.lines)) <= columns
    first = next(line for line in seen.lines if "✖" in line)
    assert first.startswith("  ✖  line2  9 of 9 devices silent")
    assert ("bedplate why line2" in first) == (columns == 120)
    assert any("bedplate why line2" in line for line in seen.lines)
