"""Why a device was silent is said in words that name its tags: to those who see all that is missing."""

from __future__ import annotations

from bedplate.runtime.ledger.answers import Gap
from bedplate.server.gaps import _seen

GAP = Gap("furnace", "oven", ("oven/t", "oven/recipe"), True, 1, 2, 1, "no recipe there", 4, 0)


def test_who_sees_a_part_of_what_is_missing_is_told_no_words_about_all_of_it() -> None:
    part = _seen(GAP, ["oven/t"], [])
    assert part
    assert (part.tags, part.text, part.missing) == (("oven/t",), "", 2)
    assert _seen(GAP, ["oven/t", "oven/recipe"], []) is GAP
