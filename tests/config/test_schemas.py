"""Plugins' schemas: what they may ask for, and that a bad one harms nobody."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from tests.config.plant import PLANTS

from bedplate.config import PluginSchema, duration, parse
from bedplate.errors import ConfigError
from bedplate.settings import Duration, parse_duration


def told(settings: dict[str, Any], written: str, **more: Any) -> list[str]:
    """Problems of one component `c` of a plugin `p` with these settings, written in line 4 and after."""
    plugin = PluginSchema("p", "connector", ("read", "write"), settings, **more)
    text = f"bedplate: 1\nname: x\nconnectors:\n  c: {{use: p, {written}}}\n"
    try:
        parse(text.encode(), "f.yaml", PLANTS, {"p": plugin}.get, ["p"])
    except ConfigError as error:
        return [
            " ".join(str(p).split()).removeprefix("f.yaml:4 connectors.c") for p in error.problems
        ]
    return []


class Near(BaseModel):
    kind: Literal["near"]
    metres: float = Field(gt=0)


class Far(BaseModel):
    kind: Literal["far"]
    host: str


class Config(BaseModel):
    """As plugin authors write them."""

    host: str
    port: int = Field(9100, ge=1, le=65535)
    password: SecretStr | None = None
    timeout: Duration | None = None
    where: Annotated[Near | Far, Field(discriminator="kind")] | None = None
    words: list[Annotated[str, Field(max_length=5)]] = Field([], max_length=2)
    ratio: float | None = None
    mode: Literal["fast", "safe"] = "safe"


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")


SETTINGS: dict[str, tuple[str, list[str]]] = {
    "fine": ('host: h, password: {secret: "env:X"}, timeout: 1s, where: {kind: near, metres: 2}, ratio: 1', []),
    "null where null is allowed": ("host: h, password: null, timeout: , ratio: ~", []),
    "missing": ("port: 1", [": `host` is missing"]),
    "unknown": ("host: h, prot: 1", [".prot: unknown; did you mean `port`?"]),
    "a kernel word misspelt": ("host: h, plaecment: inline", [".plaecment: unknown; did you mean `placement`?"]),
    "type": ("host: [h]", [".host: is a list; expected text"]),
    "null": ("host: ", [".host: is empty; expected text"]),
    "bool for a number": ("host: h, port: true", [".port: true is true or false; expected a whole number"]),
    "float for an integer": ("host: h, port: 1.5", [".port: 1.5 is a number; expected a whole number"]),
    "range": ("host: h, port: 70000", [".port: 70000 is more than 65535"]),
    "duration": ("host: h, timeout: 5", [".timeout: 5 has no unit: write 5s or 5ms"]),
    "duration of nothing": (
        "host: h, timeout: soon",
        ['.timeout: "soon" is no duration, such as 250ms, 1s, 5min, 2h or 14d'],
    ),
    "optional": ("host: h, ratio: x", ['.ratio: "x" is text; expected a number']),
    "choice": ("host: h, mode: fsat", ['.mode: "fsat" is none of fast, safe']),
    "inside a choice": ("host: h, where: {kind: near, metres: 0}", [".where.metres: 0 must be more than 0"]),
    "misspelt inside a choice": (
        "host: h, where: {kind: far, host: h, hst: 1}",
        [".where.hst: unknown; did you mean `host`?"],
    ),
    "none of the choices": ("host: h, where: {kind: up}", ['.where.kind: "up" is none of near, far']),
    "items": ("host: h, words: [abcdef]", ['.words[0]: "abcdef" is longer than 5']),
    "too many": ("host: h, words: [a, b, c]", [".words: takes 2 entries, has 3"]),
    "a plain secret": (
        "host: h, password: hunter2",
        ['.password: is a secret: write a reference, {secret: "env:NAME"} or {secret: "file:/path"}'],
    ),
    "a secret for a number": ('host: h, port: {secret: "env:X"}', [".port: can't be a secret"]),
    "a secret for any text": ('host: {secret: "env:X"}', []),
    "a secret with more in it": ("host: {secret: env:X, more: 1}", [".host: is a mapping; expected text"]),
}  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), SETTINGS.values(), ids=SETTINGS)
def test_settings_are_held_against_the_schema_that_pydantic_writes(
    written: str, expected: list[str]
) -> None:
    assert told(Config.model_json_schema(), written) == expected


def test_a_plugin_may_take_any_key_when_it_says_so() -> None:
    assert told(Loose.model_json_schema(), "anything: 1") == []


def test_a_plugin_without_settings_takes_none() -> None:
    assert told({"type": "object"}, "anything: 1") == [".anything: unknown"]
    assert told({"type": "object"}, "tags: {a: {address: 1, own: 2}}") == [".tags.a.own: unknown"]


def test_on_and_off_are_text_where_text_is_expected_and_no_bool() -> None:
    schema = {"properties": {"t": {"type": "string"}, "b": {"type": "boolean"}}}

    assert told(schema, "t: on, b: true") == []
    assert told(schema, "t: yes, b: on") == ['.b: "on" is text; expected true or false; write true']
    assert told(schema, "t: true, b: false") == [
        ".t: true is true or false; expected text; put it in quotes"
    ]


def test_a_schema_may_bring_its_own_words() -> None:
    schema = {
        "properties": {
            "n": {
                "type": "integer",
                "x-bedplate-message": "{value} is no lucky number",
                "maximum": 7,
            }
        }
    }

    assert told(schema, "n: 8") == [".n: 8 is no lucky number"]
    assert told(schema, "n: [8]") == [".n: this list is no lucky number"]


def test_if_and_then_are_understood() -> None:
    schema = {
        "type": "object",
        "properties": {"transport": {"enum": ["tcp", "rtu"]}, "host": {}, "serial_port": {}},
        "if": {"properties": {"transport": {"const": "rtu"}}, "required": ["transport"]},
        "then": {"required": ["serial_port"]},
        "else": {"required": ["host"]},
    }

    assert told(schema, "transport: rtu, serial_port: x") == []
    assert told(schema, "transport: rtu, host: x") == [": `serial_port` is missing"]


def test_hosts_are_hosts() -> None:
    schema = {
        "properties": {
            "hosts": {"type": "array", "items": {"type": "string", "x-bedplate-host": True}}
        }
    }

    good = "10.1.2.3, '::1', localhost, plc-7.line1.acme.example, under_score, 10.example, 'opc.tcp://[::1]:4840/x'"
    assert told(schema, f"hosts: [{good}]") == []
    bad = [
        "10.1.2.300",
        "10.1.2",
        "a b",
        "a..b",
        "-a",
        "http://a b",
        "http://",
        "http://[::1",
        "a/b",
        "ä",
        "x" * 64,
        "",
    ]
    found = told(schema, f"hosts: {json.dumps(bad)}")
    assert len(found) == len(bad)
    assert all("is neither an IP address nor a host name" in line for line in found)


BROKEN: dict[str, Any] = {
    "no schema": {"properties": {"a": {"type": "nothing"}}},
    "refers to the network": {"properties": {"a": {"$ref": "http://127.0.0.1:1/schema.json"}}},
    "refers to nothing": {"properties": {"a": {"$ref": "#/$defs/none"}}},
    "refers to itself": {
        "properties": {"a": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"$ref": "#/$defs/a"}},
    },
    "bad pattern": {"properties": {"a": {"type": "string", "pattern": "("}}},
}


@pytest.mark.parametrize("schema", BROKEN.values(), ids=BROKEN)
def test_a_broken_schema_is_the_plugins_fault_and_says_so(schema: dict[str, Any]) -> None:
    found = told(schema, "a: x")

    assert len(found) == 1
    assert "schema" in found[0]
    assert "broken" in found[0]


def test_many_unlike_items_are_compared_quickly() -> None:
    schema = {"properties": {"a": {"type": "array", "uniqueItems": True}}}
    items = ", ".join(f"{n}, x{n}, {{k: {n}}}" for n in range(5_000))

    assert told(schema, f"a: [{items}]") == []
    assert told(schema, f"a: [{items}, 7]") == [".a: names something twice"]


@pytest.mark.parametrize("text", ["250ms", "1s", "1.5h", "5min", "14d", "2w", "10us", "7ns"])
def test_a_duration_means_to_check_what_it_means_to_a_plugin(text: str) -> None:
    assert duration(text) == parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "1", "s", "1 s", "-1s", "1S", "1m", "1.s", "1e3s", "١s", "1sec", "1s "]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        duration(text)
