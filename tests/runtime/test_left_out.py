"""A value that no longer comes never looks as if it were still what it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.faults.rogues import offers
from tests.runtime.plant import code, plant, until, value

from bedplate.model import Batch, DataType, quality
from bedplate.runtime.left_out import GONE, SCANS, LeftOut

FORGETFUL = """
connectors:
  box:
    use: rogue
    how: leaves a tag out after the first scan
    scan_classes: {fast: 50ms}
    scan: fast
    tags: {kept: {address: a}, forgotten: {address: b}}
"""


async def test_a_tag_that_answers_leave_out_turns_uncertain_after_three_scans_and_alone(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path, FORGETFUL, offers=offers()) as kernel:
        await until(lambda: code(kernel, "box/forgotten") == quality.UNCERTAIN_LAST_USABLE)
        assert value(kernel, "box/forgotten") == 1.0
        assert code(kernel, "box/kept") == quality.GOOD
        written = kernel.components["box"].role.figures.produced
        await until(lambda: kernel.components["box"].role.figures.produced > written + 3)
        assert code(kernel, "box/kept") == quality.GOOD
        await until(lambda: code(kernel, "box/forgotten") == quality.BAD_NO_COMMUNICATION)
        assert code(kernel, "box/kept") == quality.GOOD


@given(st.lists(st.sets(st.integers(1, 4)), max_size=30))
def test_a_tag_is_stale_once_after_three_answers_in_a_row_without_it(
    answers: list[set[int]],
) -> None:
    left_out, missed = LeftOut(4), dict.fromkeys(range(1, 5), 0)
    for answer in answers:
        tags = np.array(sorted(answer), np.uint32)
        batch = Batch(DataType.FLOAT64, tags, np.zeros(len(tags), np.int64), np.zeros(len(tags)))
        stale, gone = left_out.after(np.arange(1, 5), [batch])
        missed = {tag: 0 if tag in answer else count + 1 for tag, count in missed.items()}
        assert set(stale.tolist()) == {tag for tag, count in missed.items() if count == SCANS}
        assert set(gone.tolist()) == {tag for tag, count in missed.items() if count == GONE}
