"""What an event is about, also once the deployment no longer has its component."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bedplate.model import Event, EventKind
from bedplate.runtime.kernel_alarms import OWNER
from bedplate.server.concerned import Concerned

EMPTY: Any = SimpleNamespace(components={})


def test_words_of_a_component_that_is_gone_are_for_who_may_see_where_it_was() -> None:
    text = "faulted: no answer of register recipe"
    event = Event("acme/hall/oven", EventKind.STATUS, 1, text, 800, component="furnace")
    assert set(Concerned(EMPTY).of(event)) == {"acme/hall/oven", "furnace"}


def test_an_alarm_of_the_kernel_about_what_is_gone_goes_by_its_source_too() -> None:
    detail = b'{"components": ["furnace"]}'
    event = Event(
        "acme/hall/oven", EventKind.ALARM, 1, "no answer", 800, component=OWNER, detail=detail
    )
    assert set(Concerned(EMPTY).of(event)) == {"acme/hall/oven", "furnace"}


def oven() -> Any:
    """A device with a tag that may be hidden while its place is not."""
    tags = (SimpleNamespace(path="acme/hall/oven/recipe"),)
    component = SimpleNamespace(id="furnace", path="acme/hall/oven", tags=tags)
    place = SimpleNamespace(launch=SimpleNamespace(name="wave-1"))
    one = SimpleNamespace(component=component, role=SimpleNamespace(), place=place)
    return SimpleNamespace(components={"furnace": one})


@pytest.mark.parametrize("source", ["acme/hall/oven/furnace/faulted", "process/wave-1/faulted"])
def test_why_a_device_is_faulted_is_for_who_sees_all_of_its_tags(source: str) -> None:
    text = "furnace faulted: no register recipe"
    event = Event(source, EventKind.ALARM, 1, text, 700, component=OWNER, detail=b'{"bug": []}')
    assert "acme/hall/oven/recipe" in Concerned(oven()).of(event)


@pytest.mark.parametrize("component", ["furnace", ""])
def test_a_note_about_a_device_is_for_who_sees_all_of_its_tags(component: str) -> None:
    text = "no register recipe"
    event = Event("acme/hall/oven", EventKind.NOTE, 1, text, 100, component=component)
    assert set(Concerned(oven()).of(event)) == {"acme/hall/oven", "acme/hall/oven/recipe"}
    rotated = Event("furnace", EventKind.NOTE, 1, "its secrets have changed", 200)
    assert set(Concerned(oven()).of(rotated)) == {"furnace", "acme/hall/oven/recipe"}
