"""A plugin under test without a kernel: what docs/how-to/testing-a-plugin.md shows, and the edges of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from bedplate import Analytic, Bad, Connector, Decision, Output, Refused, SecurityModule, Verdict
from bedplate import Written as Out
from bedplate.errors import Invalid
from bedplate.model import quality
from bedplate.testing import Plugged, PluginFault, Program, RecordingSend, plugged

pytest_plugins = ["bedplate.testing.fixtures"]
Plug = Callable[[type | Program], Plugged]


class Box(Connector):
    class Config(BaseModel):
        how: str = ""

    def open(self):
        if self.config.how == "wrong":
            raise Invalid("must not be wrong", pointer="/how")
        if self.config.how == "away":
            raise ConnectionRefusedError(111, "Connection refused")
        self.values = {"1": 1.5, "2": True}

    def read(self, tags):
        if self.config.how == "bug":
            return 1 / 0
        return [self.values.get(tag.address, Bad("no such register")) for tag in tags]

    def write(self, tag, value):
        if not tag.writable:
            raise Refused("read-only")
        self.values[tag.address] = value

    async def subscribe(self, tags, send):
        for number in range(100):
            await send.batch(_batch(number))

    def browse(self, below, depth):
        return []


def _batch(number):
    from bedplate.model import Batch

    return Batch.of([1], [number + 1], [float(number)])


class Doubler(Analytic):
    def open(self):
        self.count = 0
        return [Output("twice")]

    def restore(self, state):
        self.count = int(state)

    def process(self, stretch):
        for series in stretch.inputs.values():
            self.count += len(series)
            yield Out("twice", series.time, series.value * 2)

    def state(self):
        return str(self.count).encode()


class Guard(SecurityModule):
    def authorize(self, subject, checks):
        return [
            Decision(Verdict.ALLOW if subject.id == "maria" else Verdict.DENY, "rule 1", 60.0)
            for _ in checks
        ]


def test_values_are_read_by_the_names_of_tags(plug: Plug) -> None:
    box = plug(Box).connector({}, {"a": "1", "b": "2", "c": "3"})

    read = box.read()

    assert (read["a"].value, read["a"].good, read["b"].value) == (1.5, True, True)
    assert (read["c"].good, read["c"].why) == (False, "no such register")
    assert set(box.read("b")) == {"b"}


def test_a_write_is_read_back_and_a_refusal_leaves_the_session(plug: Plug) -> None:
    box = plug(Box).connector({}, {"a": {"address": "1", "writable": True}, "b": "2"})
    box.write("a", 7.0)
    with pytest.raises(Refused, match="read-only"):
        box.write("b", False)

    assert box.read()["a"].value == 7.0


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ("wrong", Invalid, "must not be wrong"),
        ("away", ConnectionError, "Connection refused"),
    ],
)
def test_what_open_says_is_an_exception(
    plug: Plug, how: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        plug(Box).connector({"how": how})


def test_a_bug_is_shown_with_its_trace(plug: Plug) -> None:
    box = plug(Box).connector({"how": "bug"}, {"a": "1"})

    with pytest.raises(PluginFault, match=r"return 1 / 0"):
        box.read()


def test_it_publishes_within_the_credit_that_the_test_grants(plug: Plug) -> None:
    box = plug(Box).connector({}, {"a": "1"}, credit=2, linger_ms=1)
    box.subscribe()
    first = len(box.samples(1)) and len(box.published)
    assert first <= 2
    box.grant(50)

    samples = box.samples(100)

    assert [one.value for _, one in samples] == [float(n) for n in range(100)]
    assert [p.producer_seq for p in box.published] == list(range(1, len(box.published) + 1))


def test_an_analytic_goes_on_from_the_state_it_gave(plug: Plug) -> None:
    plugin = plug(Doubler)
    one = plugin.analytic({}, ["x"])
    done = one.process({"x": [(1, 1.0), (2, 2.0, quality.BAD)]})
    assert [(r.time, r.value) for r in done.samples["twice"]] == [(1, 2.0), (2, 4.0)]

    again = plugin.analytic({}, ["x"], state=done.states["test/asset"])

    assert again.process({"x": [(3, 0.0)]}).states == {"test/asset": b"3"}


def test_a_guard_gives_one_decision_for_each_check(plug: Plug) -> None:
    guard = plug(Guard).security()

    assert (
        guard.authorize("maria", ("live.current", "acme"), ("admin.status", ""))
        == [Decision(Verdict.ALLOW, "rule 1", 60.0)] * 2
    )
    assert guard.authorize("eve", ("live.current", "acme"))[0].verdict is Verdict.DENY


def test_a_program_is_driven_by_the_same_calls(tmp_path: Path) -> None:
    file = tmp_path / "box.py"
    file.write_text(
        "from bedplate import Connector\n"
        "print('a line of log')\n"
        "class Box(Connector):\n    def read(self, tags):\n        return [1.0 for _ in tags]\n"
    )
    words = {"kind": "connector", "plugin": "box", "version": "1", "file": str(file)}
    program = Program(
        [sys.executable, "-P", "-m", "bedplate.remote.plugin"],
        "connector",
        words | {"offers": {"box": "box:Box"}},
    )

    with plugged(program) as plugin:
        assert plugin.connector({}, {"a": ""}).read()["a"].value == 1.0
        assert plugin.kernel.hello.plugin == "box"
        assert "a line of log" in plugin.output


def test_what_is_no_plugin_is_told() -> None:
    with pytest.raises(TypeError, match="int is no Connector"), plugged(int):
        pass


async def test_a_send_of_its_own_waits_for_credit_and_for_the_disk() -> None:
    import asyncio

    from bedplate import Tag

    send = RecordingSend(credit=1, hold=True)
    synced = await send(Tag(1, "a"), 1.0, time=5)
    waiting = asyncio.ensure_future(send(Tag(1, "a"), 2.0))
    await asyncio.sleep(0)
    assert len(send.samples) == 1
    assert not waiting.done()

    send.grant(1)
    send.sync()
    await synced
    await (await waiting)

    assert [(tag.name, one.value, one.time) for tag, one in send.samples] == [
        ("a", 1.0, 5),
        ("a", 2.0, None),
    ]
