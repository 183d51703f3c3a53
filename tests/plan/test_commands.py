"""plan, apply, rollback and run --applied, typed against a Bedplate that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.plan.running import RIGS, Plant, until

from bedplate.client import connect
from bedplate.errors import CallError

TEXT = """\
bedplate: 1
name: presses
path: acme
scan_classes: {normal: 100ms}
connectors:
  press-1: {use: counter, path: hall/press-1, tags: {force: {address: f, unit: kN}}}
  press-2: {use: counter, path: hall/press-2, tags: {force: {address: f, unit: kN}}}
  press-3: {use: counter, path: hall/press-3, folder: FOLDER, tags: {force: {address: f}}}
journal: {folder: journal, sync: 50ms}
api: {listen: "127.0.0.1:0"}
"""
OTHER = TEXT.replace("unit: kN}}}\n  press-2", "unit: N}}}\n  press-2").replace(
    "  press-3", "  press-4: {use: counter, tags: {force: {address: f}}}\n  press-3"
)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path, TEXT)
    yield made
    made.stop()


def up(plant: Plant, *ids: str) -> bool:
    states = {one["id"]: one["state"] for one in plant.status()["components"]}
    return all(states.get(id_) == "up" for id_ in ids)


def test_the_codes_of_plan_are_what_a_pipeline_needs(plant: Plant) -> None:
    plugin = ("--plugin", str(RIGS))
    first = plant("plan", "plant.yaml", *plugin)
    assert first.code == 4, first
    assert "against nothing" in first.out
    assert "No Bedplate runs here. Next: " in first.out
    assert "TB written a year" in first.out, "from its tags and scan classes"

    plant.start()
    same = plant("plan", "plant.yaml")
    assert same.code == 0, same
    assert "Nothing to change." in same.out
    plant.write(OTHER, "other.yaml")
    differs = plant("plan", "other.yaml", "--json")
    assert differs.code == 4
    steps = {one["component"]: one["step"] for one in differs.json["plan"]["steps"]}
    assert steps == {
        "press-1": "reconfigure",
        "press-2": "untouched",
        "press-3": "untouched",
        "press-4": "create",
    }
    wrong = plant.write(TEXT.replace("use: counter", "use: cuonter", 1), "wrong.yaml")
    bad = plant("plan", "wrong.yaml")
    assert bad.code == 1
    assert "wrong.yaml:6  connectors.press-1.use: no plugin offers `cuonter`" in bad.out
    assert "did you mean `counter`?" in bad.out
    journal = plant.write(TEXT.replace("folder: journal", "folder: elsewhere"), "journal.yaml")
    refused = plant("plan", "journal.yaml")
    assert refused.code == 1
    assert "journal.yaml:9  journal: can't be changed while it runs" in refused.out
    assert plant("apply", "journal.yaml", "--yes").code == 1
    assert plant("plan", "nowhere.yaml").code == 2
    for file in (wrong, journal):
        file.unlink()

    plant.stop()
    offline = plant("plan", "other.yaml", *plugin)
    assert offline.code == 4
    assert "other.yaml against deployment 1, applied last" in offline.out
    assert plant("plan", "plant.yaml", *plugin).code == 0


def test_an_identical_file_touches_nothing_and_counters_go_on(plant: Plant) -> None:
    plant.start()
    until(lambda: up(plant, "press-1", "press-2", "press-3"))
    before, pids = plant.status(), plant.pids()

    done = plant("apply", "plant.yaml", "--yes")

    after = plant.status()
    assert done.code == 0, done
    assert "it is what runs; nothing was touched" in done.out
    assert after["deployment"]["number"] == before["deployment"]["number"] == 1
    assert plant.pids() == pids
    was = {one["id"]: one for one in before["components"]}
    for one in after["components"]:
        assert one["samples"] > was[one["id"]]["samples"]
        assert one["restarts"] == 0
        assert one["since"] == was[one["id"]]["since"]


def test_apply_does_what_the_plan_said_and_from_then_on_it_is_what_boots(plant: Plant) -> None:
    plant.start()
    until(lambda: up(plant, "press-1", "press-2"))
    untouched = plant.component("press-2")
    plant.write(OTHER)

    assert plant("apply", "plant.yaml").code == 2, "nobody is there to be asked"
    assert plant("apply", "plant.yaml", "--yes", "--if-deployment", "7").code == 2
    assert plant.status()["deployment"]["file_differs"].startswith("plant.yaml was changed ")
    done = plant("apply", "plant.yaml", "--yes", "--if-deployment", "1", "--health", "20s")

    assert done.code == 0, done
    assert "applied: deployment 2 runs" in done.out
    status = plant.status()
    assert status["deployment"]["number"] == 2
    assert status["deployment"]["by"] == "local-token"
    assert status["deployment"]["file_differs"] == ""
    assert plant.component("press-4")["state"] == "up"
    assert plant.component("press-2")["since"] == untouched["since"]
    assert "deployment 2, applied 20" in plant("status").out

    plant.write("garbage: [")
    assert "is not applied" in plant("status").out
    plant.stop(kill=True)
    plant.start("--applied")
    status = plant.status()
    assert status["deployment"]["number"] == 2
    assert {one["id"] for one in status["components"]} == {f"press-{n}" for n in (1, 2, 3, 4)}
    audit = (plant.folder / "data" / "audit" / "audit.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in audit if '"admin.apply"' in line]
    assert [one["verdict"] for one in told][-2:] == ["allowed", "noted"], "before and after"
    assert told[-1]["text"] == "deployment 2 runs: 1 create, 1 reconfigure"


def test_whoever_asked_may_go_away_and_nobody_else_gets_in_between(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.start()
    until(lambda: up(plant, "press-1", "press-3"))
    (plant.folder / "aside").mkdir()
    (plant.folder / "aside" / "cut").touch()
    text = OTHER.replace("folder: FOLDER,", "folder: FOLDER/aside,")
    other = plant.write(text, "other.yaml")
    monkeypatch.setenv("BEDPLATE_HOME", plant.environment["BEDPLATE_HOME"])

    with connect() as client:
        going = client.apply(other, health=30.0)
        assert next(going).state == "begins"
        going.close()
    with connect() as client, pytest.raises(CallError, match="is applying another one") as error:
        next(iter(client.apply(plant.file)))
    assert error.value.code == "FAILED_PRECONDITION"
    assert (plant.folder / "deployments" / "applying.json").exists()
    (plant.folder / "aside" / "cut").unlink()

    until(lambda: plant.status()["deployment"]["number"] == 2)
    assert not (plant.folder / "deployments" / "applying.json").exists()
    assert up(plant, "press-3", "press-4")


def test_what_does_not_become_healthy_is_undone_and_nothing_else_felt_it(plant: Plant) -> None:
    plant.start()
    until(lambda: up(plant, "press-1", "press-2", "press-3"))
    untouched = plant.component("press-2")
    (plant.folder / "aside").mkdir()
    (plant.folder / "aside" / "cut").touch()
    plant.write(TEXT.replace("folder: FOLDER,", "folder: FOLDER/aside,"))

    done = plant("apply", "plant.yaml", "--yes", "--health", "1s")

    assert done.code == 1, done
    assert "rolling back: press-3 is unreachable, was up before" in done.out
    assert "deployment 1 runs as before" in done.out
    status = plant.status()
    assert status["deployment"]["number"] == 1
    until(lambda: up(plant, "press-3"))
    assert plant.component("press-2")["since"] == untouched["since"]
    assert [one.name for one in (plant.folder / "deployments").iterdir()] == ["000001"]
    audit = (plant.folder / "data" / "audit" / "audit.jsonl").read_text()
    assert '"refused"' in audit
    assert "undone: press-3 is unreachable" in audit


def test_rollback_goes_to_the_one_before_under_a_number_of_its_own(plant: Plant) -> None:
    plant.start()
    until(lambda: up(plant, "press-1"))
    assert plant("rollback", "--yes").code == 2, "there is none before"
    plant.write(OTHER)
    assert plant("apply", "plant.yaml", "--yes").code == 0

    done = plant("rollback", "--yes")

    assert done.code == 0, done
    assert "deployment 1 against deployment 2, which runs" in done.out
    assert "remove" in done.out
    listed = plant("rollback", "--list").out.splitlines()
    assert listed[1].split()[0] == "3"
    assert listed[1].endswith("back to 1  runs")
    status = plant.status()
    assert "press-4" not in {one["id"] for one in status["components"]}
    assert status["deployment"]["file_differs"].startswith("plant.yaml was changed ")
    assert plant("rollback", "9", "--yes").code == 2


def test_a_file_that_is_run_again_keeps_its_number_and_another_one_gets_a_new_one(
    plant: Plant,
) -> None:
    numbers = []
    for text in (TEXT, TEXT, OTHER):
        plant.write(text)
        plant.start()
        numbers.append(plant.status()["deployment"]["number"])
        plant.stop()
    assert numbers == [1, 1, 2]


def test_an_apply_that_was_cut_off_is_told_and_the_last_applied_one_boots(plant: Plant) -> None:
    plant.start()
    until(lambda: up(plant, "press-1", "press-3"))
    plant.stop()
    (plant.folder / "deployments" / "applying.json").write_text(
        json.dumps({"by": "operator-1", "began": 1_790_000_000_000_000_000, "steps": []})
    )

    plant.start("--applied")

    told = [text for text in plant.status()["notices"] if "being applied" in text]
    assert told == [
        "Bedplate ended while something was being applied by operator-1, 2026-09-21 16:13;"
        " deployment 1 runs, as before; apply it again"
    ]
    plant.stop()
    plant.start("--applied")
    assert not [text for text in plant.status()["notices"] if "being applied" in text]


def test_a_store_that_is_broken_stops_nobody_and_is_told(plant: Plant) -> None:
    plant.start()
    plant.stop()
    meta = plant.folder / "deployments" / "000001" / "meta.json"
    meta.write_text(meta.read_text()[:40])

    plant.start()

    status = plant.status()
    assert status["deployment"]["number"] == 2
    assert any("deployment 1 is damaged" in text for text in status["notices"])
    listed = plant("rollback", "--list").out
    assert "2" in listed.splitlines()[1]
    assert len(listed.splitlines()) == 2
