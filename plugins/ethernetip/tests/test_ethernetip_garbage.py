"""A controller whose answers are spoilt on the way: a value is right, or there is none."""

from __future__ import annotations

import pytest
from plugins.ethernetip.tests.conftest import Controller
from tests.counts import count
from tests.faults.spoilt_reading import SEED, SpoiltReading

from bedplate.testing import plugged
from bedplate_ethernetip import EthernetIp

FRAMES = count(500, 2000)  # of which each third costs cpppo a connection, and that takes it long
HEAD = 46  # bytes before a value: encapsulation 24, common packet format 22 with the reply's service and status
VALUES = {"Count": -70_000, "Level": 12.5, "Precise": 0.1, "Wide": 4_000_000_000}


@pytest.mark.counted
@pytest.mark.slow
@pytest.mark.case("A58")
def test_spoilt_frames_never_become_a_value(
    logix: Controller, capsys: pytest.CaptureFixture[str]
) -> None:
    print(f"replay: BEDPLATE_SEED={SEED} make test ARGS={__file__}")
    with plugged(EthernetIp) as plugin:
        truly = plugin.connector(logix.settings, {name: name for name in VALUES})
        for name, value in VALUES.items():
            truly.write(name, value)
    tags = {name: (name, value) for name, value in VALUES.items()}
    told = SpoiltReading(EthernetIp, logix.port, HEAD, tags).check(FRAMES)
    with capsys.disabled():
        print(f" [{told}] ", end="")
