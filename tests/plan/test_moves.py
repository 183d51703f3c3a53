"""Where what was moved has its history."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bedplate.planning.moves import EVER, Move, Moves, Stretch

PLACES = ("a", "b", "c", "d")


def test_what_never_moved_has_its_history_under_its_path() -> None:
    assert Moves().stretches("a/x") == [Stretch("a/x", 0, EVER)]


def test_what_moved_twice_has_it_under_three_paths() -> None:
    moves = Moves([Move("b", "a", 10), Move("c", "b", 20)])

    assert moves.stretches("c/x") == [
        Stretch("c/x", 0, EVER),
        Stretch("b/x", 0, 20),
        Stretch("a/x", 0, 10),
    ]
    assert moves.stretches("a/x") == [Stretch("a/x", 10, EVER)], "it is somebody else's by now"


def test_there_and_back_again_is_no_circle() -> None:
    moves = Moves([Move("b", "a", 10), Move("a", "b", 20)])

    assert moves.stretches("a") == [
        Stretch("a", 10, EVER),
        Stretch("b", 0, 20),
        Stretch("a", 0, 10),
    ]


def test_a_name_that_only_begins_alike_is_another() -> None:
    assert Moves([Move("b", "a", 10)]).stretches("bb/x") == [Stretch("bb/x", 0, EVER)]


def test_moves_survive_being_written() -> None:
    moves = Moves([Move("b", "a", 10), Move("c", "b", 20)])

    assert Moves.of(moves.written()).all == moves.all


@given(st.lists(st.permutations(PLACES), max_size=5))
def test_every_sample_is_found_once_with_the_machine_it_came_from(
    turns: list[list[str]],
) -> None:
    """Machines stand at places and change them all at once, any number of times; each writes a sample between."""
    stands = {place: place for place in PLACES}  # machine → place
    stored: list[tuple[str, int, str]] = []  # place, time, machine
    moves = Moves()
    for number, turn in enumerate(turns, 1):
        stored += [(place, number * 10 - 5, machine) for machine, place in stands.items()]
        target = dict(zip(PLACES, turn, strict=True))
        pairs = [(place, target[place]) for place in PLACES if target[place] != place]
        moves = moves.with_more(pairs, number * 10)
        stands = {machine: target[place] for machine, place in stands.items()}
    stored += [(place, len(turns) * 10 + 5, machine) for machine, place in stands.items()]

    for machine, place in stands.items():
        found = [
            (kept, time)
            for stretch in moves.stretches(place)
            for kept, time, _ in stored
            if kept == stretch.path and stretch.start <= time < stretch.end
        ]
        own = [(kept, time) for kept, time, whose in stored if whose == machine]
        assert sorted(found) == sorted(own)
    for kept, time, machine in stored:
        assert moves.successor(kept, time) == stands[machine]
