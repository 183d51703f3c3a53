"""What `check` says of buffers that can't be as they are written."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.runtime.plant import OFFERS, schema

from bedplate.admission.buffering import problems
from bedplate.config import parse, unserved

HEAD = """bedplate: 1
name: x
connectors:
  box: {use: counter, folder: f, tags: {number: {address: a}}}
"""
HISTORY = "  history: {use: keeper, deliver: ['**'], folder: f, buffer: {age: 14d}}\n"
BLOCKS = (
    "  cloud: {use: sink, deliver: [SELECTOR], folder: f, buffer: {age: 14d, when_full: block}}\n"
)


def told(text: str, replay: str = "none") -> list[str]:
    offers = OFFERS | {"counter": replace(OFFERS["counter"], replay=replay)}
    content = (HEAD + text).encode()
    deployment = parse(content, "plant.yaml", Path(), partial(schema, offers=offers))
    found = problems(deployment, offers)  # type: ignore[arg-type]
    return [" ".join(str(problem).split()) for problem in (*found, *unserved(deployment))]


def test_a_history_has_no_buffer() -> None:
    assert told(HISTORY) == [
        "plant.yaml:5 connectors.history.buffer: a history loses nothing by a limit of its own; "
        "leave it out, and say in its own settings how long it keeps"
    ]


@pytest.mark.parametrize("selector", ["'**'", "box/number"])
def test_block_is_refused_for_a_source_that_cannot_send_again(selector: str) -> None:
    assert told(BLOCKS.replace("SELECTOR", selector))[0] == (
        "plant.yaml:5 connectors.cloud.buffer.when_full: `counter` can't send again what it was held back with, "
        "so block would blind box (line 4); write drop_oldest"
    )


def test_block_for_sources_that_can_is_understood_and_not_served_yet() -> None:
    assert told(BLOCKS.replace("SELECTOR", "'**'"), replay="cursor") == [
        "plant.yaml:5 cloud.buffer.when_full: not served yet: nobody is held back for a sink yet; write drop_oldest"
    ]


def test_a_buffer_that_drops_is_served() -> None:
    assert told(BLOCKS.replace("SELECTOR", "'**'").replace("block", "drop_oldest")) == []
