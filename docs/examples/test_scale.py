import subprocess
import sys
from pathlib import Path

import pytest
from bedplate.errors import Invalid
from bedplate.testing import plugged
from scale import Scale
from pushing_scale import PushingScale

pytest_plugins = ["bedplate.testing.fixtures"]


@pytest.fixture
def port():
    program = [sys.executable, str(Path(__file__).with_name("scale_sim.py")), "0"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as simulator:
        yield int(simulator.stdout.readline().split()[-1])
        simulator.kill()


def test_it_reads_the_weight(plug, port):
    scale = plug(Scale).connector({"host": "127.0.0.1", "port": port}, {"weight": ""})

    weight = scale.read()["weight"]

    assert weight.good
    assert 9.8 < weight.value < 14.9


def test_a_scale_that_is_switched_off_is_no_bug(plug):
    with pytest.raises(ConnectionError):
        plug(Scale).connector({"host": "127.0.0.1", "port": 1}, {"weight": ""})


def test_a_wrong_setting_is_pointed_at(plug):
    with pytest.raises(Invalid) as wrong:
        plug(Scale).connector({"host": "127.0.0.1", "port": "four"})

    assert wrong.value.pointer == "/port"


def test_it_pushes_as_much_as_the_kernel_takes(port):
    with plugged(PushingScale) as plugin:
        settings = {"host": "127.0.0.1", "port": port}
        scale = plugin.connector(settings, {"weight": ""}, credit=1)
        scale.subscribe()
        assert len(scale.samples(1)) == 1

        scale.grant(2)

        numbers = [publication.producer_seq for publication in scale.published]
        assert numbers == list(range(1, len(numbers) + 1))
        assert all(weight.good for _, weight in scale.samples(3))
