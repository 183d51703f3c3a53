"""What the deployment file may say."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from plugins.alarms.tests.driving import drive
from pydantic import ValidationError

from bedplate import Invalid
from bedplate_alarms import Alarms

OIL = {"tag": "temperature", "high": 65, "deadband": 2, "on_delay": "10s", "priority": "medium"}


@pytest.mark.parametrize(
    "limit",
    [
        OIL,
        {"tag": "oil_level", "low": 20, "deadband": 2, "on_delay": "5min", "priority": "low"},
        {"tag": "lubrication_ok", "equals": False, "on_delay": "30s", "do": "Stop the press"},
        {"tag": "state", "not_equals": "running", "text": "stands still"},
    ],
)
def test_limits_of_a_real_plant_are_taken_by_model_and_schema(limit: dict[str, Any]) -> None:
    Alarms.Config.model_validate({"limits": {"a": limit}})
    jsonschema.validate({"limits": {"a": limit}}, Alarms.Config.model_json_schema())


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"tag": "x"}, "exactly one of high, low, equals, not_equals; found none"),
        ({"tag": "x", "high": 1, "low": 0}, "found high and low"),
        ({"tag": "x", "high": "warm"}, "number"),
        ({"tag": "x", "high": 1, "priority": "urgent"}, "'low', 'medium', 'high' or 'highest'"),
        ({"tag": "x", "high": 1, "on_delay": "soon"}, "is no duration"),
        ({"tag": "x", "high": 1, "deadband": -1}, "greater than or equal to 0"),
        ({"tag": "x", "high": 1, "deadbnad": 1}, "deadbnad"),
        ({"high": 1}, "tag"),
    ],
)
def test_a_wrong_limit_is_refused_in_words(limit: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Alarms.Config.model_validate({"limits": {"a": limit}})
    if "on_delay" not in limit:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"limits": {"a": limit}}, Alarms.Config.model_json_schema())


def test_a_deadband_needs_a_high_or_low_limit() -> None:
    with pytest.raises(ValidationError, match="a deadband needs high or low, not equals"):
        Alarms.Config.model_validate({"limits": {"a": {"tag": "x", "equals": 1, "deadband": 1}}})


@pytest.mark.parametrize("name", ["", "a/b", "*", "a\x00b"])
def test_a_limit_is_named_as_a_path_allows(name: str) -> None:
    with pytest.raises(ValidationError, match="can't name a limit"):
        Alarms.Config.model_validate({"limits": {name: OIL}})


def test_no_limits_are_no_alarms_component() -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        Alarms.Config.model_validate({"limits": {}})


def test_the_schema_marks_the_tag_for_the_kernel() -> None:
    schema = Alarms.Config.model_json_schema()
    assert schema["$defs"]["Limit"]["properties"]["tag"]["x-bedplate-tag"] is True


def test_a_label_that_the_tag_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(Invalid, match="has no state 'falut'; it has running, fault") as caught:
        drive(jam={"tag": "x", "equals": "falut"}, labels={"x": {1: "running", 3: "fault"}})
    assert caught.value.pointer == "/limits/jam/equals"


def test_a_tag_that_the_asset_does_not_have_is_refused() -> None:
    from bedplate import Asset

    one = Alarms()
    one.config = Alarms.Config.model_validate({"limits": {"hot": OIL}})
    one.asset, one.component = Asset("acme/press"), "alarms"
    with pytest.raises(Invalid, match="acme/press has no tag temperature"):
        one.open()
