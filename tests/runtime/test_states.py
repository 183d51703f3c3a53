"""How much state an analytic may keep: bounded, and told before anything of it is committed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.plant import OFFERS, plant, until

from bedplate.errors import ProtocolError
from bedplate.runtime.states import BYTES_MOST, KEYS_MOST, States

HOARDER = '''from bedplate import Analytic, Output, Written
from pydantic import BaseModel


class Sums(Analytic):
    """Keeps more than anybody should."""

    class Config(BaseModel):
        of: str = "n"

    def open(self):
        return [Output("n")]

    def process(self, stretch):
        yield Written("n", stretch.until, 1)

    def state(self):
        return bytes(13 << 20)
'''


async def test_more_state_than_an_analytic_may_keep_is_a_fault_and_is_not_committed(
    tmp_path: Path,
) -> None:
    (tmp_path / "hoarder.py").write_text(HOARDER)
    sums = replace(
        OFFERS["sums"], plugin="hoarder", file=tmp_path / "hoarder.py", target="hoarder:Sums"
    )
    text = """
types: {box: {use: counter, placement: inline, tags: {n: {address: a}}}}
connectors: {box: {type: box, each: {one: {}}}}
analytics: {sums: {use: sums, for: box, of: n, placement: inline}}
"""
    async with plant(tmp_path, text, offers=OFFERS | {"sums": sums}) as kernel:
        life = kernel.components["sums"].life
        words = "keeps 13.0 MiB of states; 12 MiB are the most"
        await until(lambda: any(words in t.reason for t in life.history))

        assert (await kernel.engine.cursor("sums"))[1] == {}
        assert kernel.components["sums"]._faults._times


def test_a_key_too_many_is_refused_and_one_that_is_forgotten_makes_room() -> None:
    states = States()
    states.take((str(n), b"x") for n in range(KEYS_MOST))
    with pytest.raises(ProtocolError, match="keeps 10,001 states; 10,000 are the most"):
        states.take([("more", b"x")])
    states.take([("0", b""), ("more", b"x")])
    assert len(states.changed) == KEYS_MOST + 1


def test_what_was_kept_before_there_was_a_limit_may_shrink_and_not_grow() -> None:
    states = States({"a": bytes(BYTES_MOST), "b": b"x" * 100})
    states.take([("b", b"x" * 50)])
    with pytest.raises(ProtocolError, match="MiB"):
        states.take([("b", b"x" * 51)])


CHANGES = st.lists(st.tuples(st.sampled_from("abcd"), st.binary(max_size=8)), max_size=4)


@given(st.lists(CHANGES, max_size=8))
def test_the_count_is_that_of_a_plain_dictionary(replies: list[list[tuple[str, bytes]]]) -> None:
    states, plain = States(), dict[str, bytes]()
    for reply in replies:
        states.take(reply)
        plain.update(reply)
        plain = {key: value for key, value in plain.items() if value}
    assert states._bytes == sum(len(key) + len(value) for key, value in plain.items())
    assert set(states._sizes) == set(plain)
