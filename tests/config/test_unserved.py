"""What `run` refuses by name, because nobody should believe in a guard that is not there."""

from __future__ import annotations

import pytest
from tests.config.plant import berlin, load_text

from bedplate.config import unserved


def told(text: str) -> list[str]:
    return [
        " ".join(str(problem).split()).removeprefix("plant.yaml:")
        for problem in unserved(load_text(text))
    ]


def test_the_whole_plant_names_what_is_still_to_come() -> None:
    assert told(berlin().decode()) == [
        "153 apps: not served yet: apps come with the console",
        "155 telemetry.prometheus: not served yet: write otlp, or use a collector that serves Prometheus",
    ]


HEAD = "bedplate: 1\nname: x\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "engine: nats://h:4222\n",
            ["3 engine: not served yet: other engines come later; write embedded"],
        ),
    ],
)
def test_each_is_named_at_its_line(text: str, expected: list[str]) -> None:
    assert told(HEAD + text) == expected


def test_what_is_off_or_plain_is_served() -> None:
    text = """
security: none
writes: {enabled: false, kill_switch: stop, allow: []}
engine: embedded
journal: {folder: j, sync: 1s}
api: {listen: 127.0.0.1:0}
telemetry: {otlp: "http://127.0.0.1:4317", interval: 5s}
audit: {folder: a}
plugins: {policy: trusted, folders: [helix], home: plugins, min_isolation: L0}
moved: []
connectors: {m: {use: modbus, host: h, expected: never, placement: inline}}
"""
    assert told(HEAD + text) == []
