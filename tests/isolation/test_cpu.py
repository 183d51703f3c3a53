"""`cpu` of a manifest: so many cores and no more, decided before the plugin's program is there to object."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bedplate.isolation import Grant, Level, Machine, Wanted, confine, this_machine

TRY = """
import json, os
given = sorted(os.sched_getaffinity(0))
try:
    os.sched_setaffinity(0, range(os.cpu_count()))
except OSError as error:
    print(json.dumps([given, error.strerror]))
else:
    print(json.dumps([given, sorted(os.sched_getaffinity(0))]))
"""
CORES = sorted(os.sched_getaffinity(0))


@pytest.fixture(scope="module")
def machine() -> Machine:
    found = this_machine()
    if found.default < Level.L2 or len(CORES) < 2:
        assert "CI" not in os.environ, "needs Landlock, seccomp and two cores"
        pytest.skip("needs Landlock, seccomp and two cores")
    return found


def outcome(machine: Machine, folder: Path, name: str, cpu: float) -> tuple[list[int], object]:
    """The cores it has, and what became of asking for all."""
    grant = Grant(memory=256 << 20, cpu=cpu)
    wanted = Wanted(name, grant, [sys.executable, "-I", "-S", "-c", TRY], [], folder, folder)
    found = confine(machine, Level.L2, wanted)
    done = subprocess.run(
        found.command, capture_output=True, text=True, timeout=30, check=True, cwd=folder
    )
    given, then = json.loads(done.stdout)
    return given, then


def test_a_plugin_of_one_core_runs_on_one_and_cannot_take_more(
    machine: Machine, tmp_path: Path
) -> None:
    given, then = outcome(machine, tmp_path, "one", 1.0)

    assert len(given) == 1
    assert given[0] in CORES
    assert then == "Operation not permitted"


def test_a_part_of_a_core_is_one_core_and_plugins_do_not_all_get_the_same(
    machine: Machine, tmp_path: Path
) -> None:
    machine = replace(machine, processors=tuple(CORES[:2]))
    given = [tuple(outcome(machine, tmp_path, f"plugin {n}", 0.5)[0]) for n in range(6)]

    assert {len(one) for one in given} == {1}
    assert len({*given}) == 2


def test_without_cpu_or_with_more_than_there_is_it_has_all(
    machine: Machine, tmp_path: Path
) -> None:
    given, then = outcome(machine, tmp_path, "free", 0.0)
    assert (given, then) == (CORES, CORES)
    assert outcome(machine, tmp_path, "greedy", 512.0)[0] == CORES
