"""What it counts, and that neither splits nor crashes change it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bedplate import Invalid
from bedplate.testing import running, until

PACKAGE = Path(__file__).parents[1]
BAD = 0x80000000


def run(*words):
    """A program of this environment: its Python."""
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_time_above_the_limit_is_counted_and_so_are_the_crossings(opened):
    one = opened(limit=50)
    one.take([0, 1, 3, 4, 6, 7], [40, 60, 70, 50, 80, 20])

    assert one.outputs["seconds_above"] == [0, 0, 2, 3, 3, 4]
    assert one.outputs["times_above"] == [0, 1, 1, 1, 2, 2]


def test_time_of_which_nothing_is_known_does_not_count(opened):
    one = opened(limit=50)
    one.take([0, 1], [60, 60])
    one.take([2], [0], quality=BAD)
    one.take([9, 10], [60, 60])

    assert one.outputs["seconds_above"][-1] == 3
    assert one.outputs["times_above"][-1] == 2


def test_any_split_and_any_crash_give_the_same(opened):
    seconds, values = list(range(12)), [40, 60, 60, 30, 90, 51, 50, 49, 70, 70, 10, 60]
    whole = opened()
    whole.take(seconds, values)

    for cut in range(1, 12):
        before = opened()
        before.take(seconds[:cut], values[:cut])
        after = opened(before.plugin.state())
        after.take(seconds[cut:], values[cut:])
        joined = {name: before.outputs[name] + after.outputs[name] for name in whole.outputs}
        assert joined == whole.outputs


def test_a_state_of_another_time_is_refused_in_words(opened):
    for state in (b"", b'{"version": 2, "kept": []}', b'{"version": 1}'):
        with pytest.raises(Invalid, match="the state of plant/line1/tank"):
            opened().plugin.restore(state)


def test_it_works_in_a_bedplate_on_a_source(tmp_path):
    file = shutil.copy(PACKAGE / "my-thing-line.yaml", tmp_path)
    with running(Path(file), PACKAGE / "bedplate_my_thing" / "sim.py") as bedplate:
        with bedplate.client() as client:
            counted = until(lambda: client.current("full/*")["times_above"].value.tolist())

    assert counted[0] in (0, 1)


def test_the_description_of_our_settings_is_fresh():
    done = run("-m", "bedplate.admission.schema", "bedplate_my_thing", "--check")

    assert done.returncode == 0, done.stderr
