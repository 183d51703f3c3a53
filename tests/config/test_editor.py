"""The JSON Schema that makes an editor complete the file and underline what is wrong."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.config.plant import ALL, PLANTS, berlin

from bedplate.config import document, editor_schema

SCHEMA = editor_schema(ALL.values())
VALIDATOR = Draft202012Validator(SCHEMA)


def tree(content: bytes) -> Any:
    node, problems = document.read(content, "plant.yaml")
    assert node is not None
    assert problems == []
    return node.plain()


def test_it_is_a_schema_and_the_same_each_time() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert json.dumps(SCHEMA) == json.dumps(editor_schema(reversed(ALL.values())))


@pytest.mark.parametrize("file", ["berlin.yaml", "small.yaml"])
def test_the_plants_fit_it(file: str) -> None:
    errors = [error.message for error in VALIDATOR.iter_errors(tree((PLANTS / file).read_bytes()))]

    assert errors == []


WRONG: list[tuple[str, Any]] = [
    ("types/press/endpoint", "x"),
    ("types/press/security_mode", "SignAndEncrpyt"),
    ("types/press/tags/state/deadbnad", 1),
    ("types/press/tags/state/queue_size", 0),
    ("types/press/tags/force/scale/raw", [1]),
    ("types/meter/tags/power/address", 40001),
    ("types/meter/tags/power/data_type", "float3"),
    ("types/meter/use", "modbsu"),
    ("connectors/cloud/password", "hunter2"),
    ("connectors/cloud/password", {"secret": "hunter2"}),
    ("connectors/cloud/brokr_url", "x"),
    ("connectors/cloud/placement", "here"),
    ("connectors/history/keep/ages", "1d"),
    ("analytics/oee/stat", "x"),
    ("analytics/press-alarms/limits/oil-hot/priority", "huge"),
    ("apps/console/use", "oee"),
    ("security", "nobody"),
    ("journal/sinc", "1s"),
    ("bedplate", 2),
    ("tpyes", {}),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_a_mistake_is_underlined(path: str, value: Any) -> None:
    whole = tree(berlin())
    *steps, last = path.split("/")
    place = whole
    for step in steps:
        place = place[step]
    place[last] = value

    assert list(VALIDATOR.iter_errors(whole))


def test_a_parameter_may_stand_anywhere_in_a_type() -> None:
    whole = copy.deepcopy(tree(berlin()))
    whole["types"]["meter"]["unit_id"] = "$unit_id"
    whole["types"]["meter"]["tags"]["power"]["address"] = "$base"
    whole["types"]["press"]["tags"]["force"]["scale"] = {"raw": [0, "$raw"], "to": "$to"}

    assert not list(VALIDATOR.iter_errors(whole))
