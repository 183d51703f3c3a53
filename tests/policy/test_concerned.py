"""What an event is about, also once the deployment no longer has its component."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

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
