"""A controller whose answers are spoilt on the way: a value is right, or there is none."""

from __future__ import annotations

import pytest
from plugins.s7.tests.conftest import Controller
from tests.faults.spoilt_reading import SEED, SpoiltReading

from bedplate_s7 import S7

FRAMES = 2000
HEAD = 25  # bytes before the value: TPKT 4, COTP 3, S7 14, item 4
TAGS = {
    "word": ("DB1.DBW8", 65_535),
    "dword": ("DB1.DBD14", 4_000_000_000),
    "byte": ("DB1.DBB34", 128),
    "marker": ("MW20", 4711),
}


@pytest.mark.slow
@pytest.mark.case("A58")
def test_two_thousand_spoilt_frames_never_become_a_value(
    plc: Controller, capsys: pytest.CaptureFixture[str]
) -> None:
    print(f"replay: BEDPLATE_SEED={SEED} make test ARGS={__file__}")
    told = SpoiltReading(S7, plc.port, HEAD, TAGS).check(FRAMES)
    with capsys.disabled():
        print(f" [{told}] ", end="")
