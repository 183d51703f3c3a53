"""Decisions are remembered as long as the module allows, and not a moment longer: by a fake clock."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.callers import SILENT, Module, caller, hiding

from bedplate.contracts import Check, Decision, Subject, Verdict
from bedplate.errors import Denied, NotReady
from bedplate.gate.asking import PORTION
from bedplate.gate.gate import Gate
from bedplate.gate.memory import Memory, who
from bedplate.gate.sight import HOLDS, Sight

VERA = Subject("vera", ("viewer",), "ipv4:10.0.0.1:5", "token", ("a",), "c1")
TAGS = [f"acme/line{n % 10}/tag{n}" for n in range(10_000)]
SEE = "live.subscribe"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def gate(clock: Clock, **modules: Module) -> Gate:
    return Gate(modules, SILENT, now=clock)


def count(module: Module) -> int:
    """Checks that it was asked."""
    return sum(map(len, module.asked))


async def test_a_decision_is_asked_once_as_long_as_it_may_be_remembered() -> None:
    clock, module = Clock(), Module(hiding("line3", remember=60))
    door = gate(clock, door=module)
    for _ in range(3):
        await door.check(VERA, SEE)
    assert count(module) == 1
    clock.now += 59.9
    await door.check(VERA, SEE)
    assert count(module) == 1
    clock.now += 0.2
    await door.check(VERA, SEE)
    assert count(module) == 2


async def test_no_longer_than_an_hour_and_not_at_all_without_a_word() -> None:
    clock = Clock()
    for remember, after, asked in ((0.0, 0.0, 2), (1e9, 3599, 1), (1e9, 3601, 2), (-5.0, 0.0, 2)):
        module = Module(hiding(remember=remember))
        door = gate(clock, door=module)
        await door.check(VERA, SEE)
        clock.now += after
        await door.check(VERA, SEE)
        assert count(module) == asked, (remember, after)


@pytest.mark.parametrize(
    "other",
    [
        Subject("otto", ("viewer",), "ipv4:10.0.0.1:5", "token", ("a",), "c1"),
        Subject("vera", ("viewer", "operator"), "ipv4:10.0.0.1:5", "token", ("a",), "c1"),
        Subject("vera", ("viewer",), "ipv4:10.0.0.2:5", "token", ("a",), "c1"),
        Subject("vera", ("viewer",), "ipv4:10.0.0.1:5", "certificate", ("a",), "c1"),
        Subject("vera", ("viewer",), "ipv4:10.0.0.1:5", "token", ("a", "b"), "c1"),
        Subject("vera", ("viewer",), "ipv4:10.0.0.1:5", "token", ("a",), "c2"),
    ],
)
async def test_it_is_for_this_subject_with_all_that_it_is_known_by(other: Subject) -> None:
    module = Module(hiding(remember=60))
    door = gate(Clock(), door=module)
    await door.check(VERA, SEE)
    await door.check(other, SEE)
    assert count(module) == 2


async def test_another_connection_of_the_same_host_is_the_same() -> None:
    module = Module(hiding(remember=60))
    door = gate(Clock(), door=module)
    await door.check(VERA, SEE)
    await door.check(Subject(**{**_fields(VERA), "peer": "ipv4:10.0.0.1:6"}), SEE)
    assert count(module) == 1


def _fields(subject: Subject) -> dict[str, object]:
    return {name: getattr(subject, name) for name in subject.__dataclass_fields__}


async def test_forget_counts_at_once_for_one_module_and_its_answers_under_way() -> None:
    clock, started = Clock(), asyncio.Event()
    one, other = Module(hiding(remember=60)), Module(hiding(remember=60))
    door = gate(clock, one=one, other=other)
    await door.check(VERA, SEE)
    door.memory.forget("one")
    await door.check(VERA, SEE)
    assert (count(one), count(other)) == (2, 1)

    async def slow() -> None:
        started.set()
        await asyncio.sleep(0.05)

    late = Module(hiding(remember=60), slow)
    door = gate(clock, late=late)
    asked = asyncio.create_task(door.check(VERA, SEE))
    await started.wait()
    door.memory.forget("late")
    await asked
    await door.check(VERA, SEE)
    assert count(late) == 2


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40)), max_size=60))
def test_it_never_holds_more_than_it_may(steps: list[tuple[int, int]]) -> None:
    from bedplate.gate.memory import Kept

    memory = Memory(lambda: 0.0, most=100)
    for number, many in steps:
        key = (f"m{number % 2}", who(Subject(str(number))), SEE)
        memory.keep(key, memory.ticket(key[0]), [(str(n), Kept(9.0)) for n in range(many)])
        assert len(memory) <= 100
        assert len(memory) == sum(
            len(memory.of((f"m{n % 2}", who(Subject(str(n))), SEE))) for n in range(6)
        )
    memory.forget("m0")
    assert not memory.of(("m0", who(Subject("0")), SEE))


async def test_ten_thousand_tags_are_asked_in_portions_and_only_what_is_allowed_is_seen() -> None:
    module = Module(hiding("line3", remember=60))
    door = gate(Clock(), door=module)
    seen = await door.seen(VERA, SEE, TAGS)
    assert list(seen) == [tag for tag in TAGS if "line3" not in tag]
    assert max(map(len, module.asked)) <= PORTION <= 500
    again = await door.seen(VERA, SEE, TAGS)
    assert again is seen
    assert count(module) == len(TAGS)


@pytest.mark.case("A13")
async def test_where_two_modules_disagree_the_denial_wins() -> None:
    a, b = Module(hiding("line1", remember=60)), Module(hiding("line2", remember=60))
    door = gate(Clock(), a=a, b=b)
    for _ in range(2):  # from memory too
        seen = await door.seen(VERA, SEE, TAGS[:10])
        assert list(seen) == [tag for tag in TAGS[:10] if "line1" not in tag and "line2" not in tag]
        with pytest.raises(Denied):
            await door.check(VERA, SEE, "acme/line1/x", "acme/line5/x")
        told = await door.reasons(VERA, SEE, "acme/line2/x")
        assert (told.allowed, told.rules) == (False, ("b: denied: hidden",))


@pytest.mark.case("A12")
@pytest.mark.parametrize("how", ["hangs", "raises", "answers None", "answers too few"])
async def test_part_of_a_list_never_looks_like_the_whole(how: str) -> None:
    """The first portion is answered, the second is not: nothing is shown, and nobody is asked on."""
    module = Module(hiding(remember=0))
    door = gate(Clock(), door=module)

    async def authorize(subject: Subject, checks: list[Check]) -> object:
        module.asked.append(checks)
        if len(module.asked) == 2:
            if how == "hangs":
                await asyncio.sleep(60)
            if how == "raises":
                raise RuntimeError("a bug")
            return None if how == "answers None" else []
        return [Decision(Verdict.ALLOW, "", 60)] * len(checks)

    module.authorize = authorize  # type: ignore[method-assign, assignment]
    began = time.monotonic()
    with pytest.raises(Denied):
        await door.seen(VERA, SEE, TAGS)
    assert time.monotonic() - began < 2
    assert len(module.asked) == 2


async def test_without_a_module_everything_is_seen_and_nothing_is_done_for_it() -> None:
    door = gate(Clock())
    assert await door.seen(VERA, SEE, TAGS) is TAGS
    assert caller(VERA, door).sees_all(SEE)
    assert not caller(Subject("x", ("auditor",)), door).sees_all(SEE)
    assert await door.seen(Subject("x", ("auditor",)), SEE, TAGS) == ()


async def test_the_sight_of_a_stream_ends_with_what_it_was_decided_by() -> None:
    clock, module = Clock(), Module(hiding("line3", remember=10))
    door = gate(clock, door=module)
    sight = Sight(door, VERA, SEE)
    assert len(await sight.among(TAGS[:20])) == 18
    assert sight.fresh
    clock.now += 10.1
    assert not sight.fresh
    assert len(await sight.among(TAGS[:20])) == 18
    door.memory.forget("door")
    assert not sight.fresh
    module.decide = hiding("", remember=10)
    with pytest.raises(Denied):
        await sight.among(TAGS[:20])


async def test_a_stream_asks_every_four_seconds_where_nothing_may_be_remembered() -> None:
    clock, module = Clock(), Module(hiding("line3"))
    sight = Sight(gate(clock, door=module), VERA, SEE)
    await sight.among(TAGS[:20])
    clock.now += HOLDS - 0.1
    assert sight.fresh
    clock.now += 0.2
    assert not sight.fresh


async def test_a_module_that_starts_lets_nobody_through_and_says_so() -> None:
    module = Module(hiding())
    door = gate(Clock(), door=module)

    async def authorize(subject: Subject, checks: list[Check]) -> object:
        raise NotReady("security module door is starting; try again")

    module.authorize = authorize  # type: ignore[method-assign, assignment]
    with pytest.raises(NotReady):
        await door.seen(VERA, SEE, TAGS[:3])
