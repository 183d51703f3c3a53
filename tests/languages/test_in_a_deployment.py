"""Plugins and clients in JavaScript and Go in one deployment beside Python ones, as a user runs it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.languages.examples import machine
from tests.languages.plant import Plant, until

from bedplate.errors import CallError

Made = Callable[[str], Path]
EXAMPLES = {
    "js": "node-connector",
    "rolling": "node-analytic",
    "go": "go-connector",
    "shifts": "go-security",
}
SECOND = 1_000_000_000  # ns
pytestmark = pytest.mark.timeout(400)  # the first build on a machine takes minutes


@pytest.fixture(scope="module")
def plant(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    plugins: dict[str, Path] = {}
    for name, example in EXAMPLES.items():
        try:
            plugins[name] = made(example)
        except pytest.skip.Exception:
            if example.startswith("node-"):
                raise
    with pytest.MonkeyPatch.context() as patch, machine() as helix:
        patch.setenv("BEDPLATE_HOME", str(tmp_path_factory.mktemp("home")))
        for name in ("BEDPLATE_ENDPOINT", "BEDPLATE_TOKEN"):
            patch.delenv(name, raising=False)
        one = Plant(tmp_path_factory.mktemp("plant"), helix, plugins)
        try:
            one.start()
            yield one
        finally:
            one.end()


def need_go(plant: Plant) -> None:
    if "go" not in plant.languages:
        pytest.skip("no Go here")


def test_values_of_connectors_in_every_language_reach_the_history_alike(plant: Plant) -> None:
    for language in plant.languages:
        path = f"acme/{language}/wished"
        values = until(
            lambda path=path: len(plant.history(path)) > 2 and plant.history(path), plant.said
        )

        assert set(values.values()) == {60.0}
        assert not plant.history(f"acme/{language}/old")  # Bad is no value
    bad = {plant.client.current(f"acme/{one}/old").to_numpy()[0].quality for one in plant.languages}
    assert all(code & 0x80000000 for code in bad)


def test_an_analytic_in_javascript_that_is_killed_gives_what_the_history_gives(
    plant: Plant,
) -> None:
    def written(name: str = "mean") -> dict[int, float]:
        return plant.history(f"acme/js/rolling/{name}")

    until(lambda: len(written()) > 2, plant.said)
    plant.killed("rolling-js")
    killed = max(written())
    until(lambda: max(written()) > killed + 2 * SECOND, plant.said)

    for name, aggregate in {"mean": "avg", "minimum": "min", "maximum": "max"}.items():
        ours = written(name)
        asked = plant.client.history("js/speed", last="10m", every="1s", agg=aggregate)["js/speed"]
        ends = [start + SECOND for start in asked.time.astype("int64").tolist()]
        assert sorted(ours) == ends[: len(ours)]  # each window once
        assert [ours[end] for end in sorted(ours)] == pytest.approx(
            asked.value.tolist()[: len(ours)]
        )


def test_a_security_module_in_go_denies_outside_its_shifts_and_nothing_else(plant: Plant) -> None:
    need_go(plant)
    until(lambda: plant.client.status().components and plant.history("acme/go/wished"), plant.said)

    with pytest.raises(CallError) as caught:
        plant.client.alarms()
    assert caught.value.code == "PERMISSION_DENIED"
    audit = plant.file.parent / "data" / "audit" / "audit.jsonl"
    until(lambda: "outside the shifts of calendar holidays" in audit.read_text(), plant.said)


def run_client(folder: Path, *words: str) -> dict[str, list[list[str]]]:
    """What it printed, by the first word of a line."""
    program = ["./client"] if (folder / "client").exists() else ["node", "client.js"]
    dash = "-" if program == ["./client"] else "--"
    command = [
        *program,
        *(dash + word for word in words if "=" in word),
        *(w for w in words if "=" not in w),
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[list[str]]] = {}
    for line in done.stdout.splitlines():
        what, *rest = line.split("\t")
        found.setdefault(what, []).append(rest)
    return found


@pytest.mark.parametrize("example", ["node-client", "go-client"])
def test_a_client_gets_what_the_python_client_gets(plant: Plant, made: Made, example: str) -> None:
    folder = made(example)
    path = "acme/js/speed"
    until(lambda: len(plant.history(path)) > 3, plant.said)

    first = run_client(folder, "updates=3", "js/speed", "js/wished")
    second = run_client(folder, "updates=3", f"resume={first['resume'][0][0]}", path)

    assert sorted(tag[:2] for tag in first["tag"]) == [[path, "js"], ["acme/js/wished", "js"]]
    assert {line[0] for line in first["current"]} == {path, "acme/js/wished"}
    live = [int(line[1]) for run in (first, second) for line in run["live"] if line[0] == path]
    ours = until(lambda: max(plant.history(path)) >= live[-1] and plant.history(path), plant.said)
    for line in [*first["current"], *first["history"], *first["live"], *second["live"]]:
        if line[0] == path and not int(line[3]):
            assert ours[int(line[1])] == float(line[2])
    asked = [int(line[1]) for line in first["history"] if line[0] == path]
    assert asked == [at for at in sorted(ours) if at <= asked[-1]]
    assert live == [at for at in sorted(ours) if live[0] <= at <= live[-1]]  # no hole, none twice


@pytest.mark.parametrize("plugin", ["helix-js", "helix-go", "shifts-go"])
def test_a_plugin_that_is_killed_is_started_again(plant: Plant, plugin: str) -> None:
    if plugin.endswith("go"):
        need_go(plant)
    before = plant.killed(plugin)

    until(lambda: states(plant, {*before.components}) <= {"up", "degraded"}, plant.said)
    assert plant.processes()[plugin].pid != before.pid
    assert not Path(f"/proc/{before.pid}").exists()
    if plugin == "helix-js":
        newest = max(plant.history("acme/js/speed"))
        until(lambda: max(plant.history("acme/js/speed")) > newest, plant.said)


def states(plant: Plant, components: set[str]) -> set[str]:
    return {one.state for one in plant.client.status().components if one.id in components}


def test_a_kernel_that_is_killed_leaves_no_plugin(plant: Plant) -> None:
    pids = [one.pid for one in plant.processes().values() if one.pid]
    assert len(pids) > len(plant.languages)
    plant.process.kill()
    plant.process.wait()

    until(lambda: not [pid for pid in pids if Path(f"/proc/{pid}").exists()], plant.said)
