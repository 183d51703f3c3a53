"""Each step of a plan, done on a kernel that runs: what it touches, and what it does not."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from tests.apply.line import line, machines, steps
from tests.runtime.plant import code, state, until, value

from bedplate.errors import ReconcileError
from bedplate.model import quality

TWO = """
types:
  box:
    parameters: {{port: required}}
    use: box
    placement: inline
    port: $port
    scan: fast
    scan_classes: {{fast: 50ms}}
    tags: {{number: {{address: n}}}}
connectors:
  boxes:
    type: box
    each:
      one: {{port: {0}}}
      two: {{port: {1}}}
  log: {{use: log, placement: inline, folder: FOLDER, deliver: ["**"]}}
analytics:
  sum: {{use: sum, placement: inline, for: box, of: number}}
"""


async def test_an_identical_file_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            kernel = plant.kernel
            await until(lambda: value(kernel, "one/number") and value(kernel, "two/number"))
            before = {id_: (s, s.role.attachment) for id_, s in kernel.components.items()}
            counted = kernel.components["one"].role.figures.produced
            pids = [place.run.pid for place in kernel.places.values()]

            planned = await plant.apply("# another comment\n" + text)

            assert steps(planned) == {}
            assert {i: (s, s.role.attachment) for i, s in kernel.components.items()} == before
            assert [place.run.pid for place in kernel.places.values()] == pids
            assert kernel.components["one"].role.figures.produced >= counted
            assert (first.sessions, second.sessions) == (1, 1)
            await until(lambda: kernel.components["one"].role.figures.produced > counted + 3)
            assert len(set(first.pids + second.pids)) == 1


async def test_a_restart_touches_its_component_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(3) as (first, second, other):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            kernel = plant.kernel
            await until(lambda: value(kernel, "one/number") and value(kernel, "two/number"))

            planned = await plant.apply(TWO.format(other.port, second.port))

            assert steps(planned) == {"one": "restart"}
            assert (first.sessions, first.open, other.sessions) == (1, 0, 1)
            assert second.sessions == 1
            assert set(other.pids) == set(second.pids), "its process goes on"
            await until(lambda: len(plant.series("two/number")) > 5)
            numbers = plant.series("two/number")
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            assert kernel.deployment.component("one").settings["port"] == other.port


async def test_what_is_removed_leaves_with_a_last_bad_sample_and_holds_back_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            kernel = plant.kernel
            await until(lambda: value(kernel, "one/number") and value(kernel, "two/number"))
            without = "\n".join(row for row in text.splitlines() if "  two:" not in row)

            planned = await plant.apply(without)

            assert steps(planned) == {"two": "remove", "sum": "rewire"}
            assert second.open == 0
            assert [*kernel.components] == ["one", "log", "sum"]
            registry = kernel.spine.registry
            assert registry.table.newest("two/number") is None
            assert "two/number" not in registry.declared
            await until(lambda: any(row[0] == "two/number" and row[2] for row in plant.logged()))
            last = [row for row in plant.logged() if row[0] == "two/number"][-1]
            assert last[2] == quality.BAD_OUT_OF_SERVICE
            assert first.sessions == 1


async def test_a_new_component_joins_the_process_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        without = "\n".join(row for row in text.splitlines() if "  two:" not in row)
        async with line(tmp_path, without, monkeypatch) as plant:
            kernel = plant.kernel
            await until(lambda: value(kernel, "one/number"))

            planned = await plant.apply(text)

            assert steps(planned) == {"two": "create", "sum": "rewire"}
            assert state(kernel, "two") == "up"
            assert [*kernel.components] == ["one", "two", "log", "sum"]
            assert set(first.pids) == set(second.pids)
            assert first.sessions == 1
            assert ("two", "create", "healthy", "") in plant.told


async def test_a_reader_that_reads_something_else_keeps_its_place_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            await until(lambda: len(plant.series("one/number")) > 3)

            planned = await plant.apply(text.replace('["**"]', '["one/*"]'))

            assert steps(planned) == {"log": "rewire"}
            count = len(plant.series("one/number"))
            await until(lambda: len(plant.series("one/number")) > count + 5)
            numbers = plant.series("one/number")
            assert numbers == list(range(1, len(numbers) + 1)), "none twice, none missing"
            assert (first.sessions, second.sessions) == (1, 1)


async def test_an_analytic_that_begins_anew_goes_on_with_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            await until(lambda: len(plant.series("one/sum/count")) > 3)

            planned = await plant.apply(text.replace("of: number", "of: number, word: new"))

            assert steps(planned) == {"sum": "restart"}
            count = len(plant.series("one/sum/count"))
            await until(lambda: len(plant.series("one/sum/count")) > count + 5)
            counts = plant.series("one/sum/count")
            assert counts == list(range(1, len(counts) + 1))


async def test_tags_that_change_their_component_are_let_go_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        swapped = text.replace("use: box\n", "path: $at\n    use: box\n")
        swapped = swapped.replace("parameters: {port", "parameters: {at: required, port")
        swapped = swapped.replace("one: {", "one: {at: two, ").replace("two: {", "two: {at: one, ")
        async with line(tmp_path, text, monkeypatch) as plant:
            kernel = plant.kernel
            await until(lambda: value(kernel, "one/number") and value(kernel, "two/number"))

            planned = await plant.apply(swapped)

            assert steps(planned) == {"one": "restart", "two": "restart", "sum": "rewire"}
            owner = kernel.spine.registry.owner
            assert (owner["one/number"], owner["two/number"]) == ("two", "one")
            await until(lambda: code(kernel, "one/number") == quality.GOOD)


async def test_a_machine_that_does_not_come_back_brings_the_old_deployment_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(3) as (first, second, gone):
        gone.away = True
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            kernel = plant.kernel
            await until(lambda: value(kernel, "one/number") and value(kernel, "two/number"))
            running = kernel.deployment

            with pytest.raises(ReconcileError, match="one is unreachable, was up before"):
                await plant.apply(TWO.format(gone.port, second.port), health=1.0)

            assert kernel.deployment is running
            assert state(kernel, "one") == "up"
            assert (first.sessions, second.sessions) == (2, 1)
            told = [what[2] for what in plant.told if not what[0]]
            assert told == ["rolling back", "rolled back"]
            await until(lambda: code(kernel, "one/number") == quality.GOOD)


SCALED = "{address: n, unit: kN, scale: 10, description: force}"


async def test_rules_change_between_two_values_and_none_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            kernel = plant.kernel
            await until(lambda: (value(kernel, "one/number") or 0) > 3)
            session = kernel.components["one"].role.attachment

            planned = await plant.apply(text.replace("{address: n}", SCALED))

            assert steps(planned) == {"one": "reconfigure", "two": "reconfigure", "sum": "rewire"}
            assert kernel.components["one"].role.attachment is session
            assert (first.sessions, second.sessions) == (1, 1)
            tag = kernel.spine.registry.table.newest("one/number")
            assert (tag.unit, tag.description) == ("kN", "force")
            asked = first.asked
            await until(lambda: 10.0 * asked in plant.series("one/number"))
            numbers = plant.series("one/number")
            turn = next(i for i, n in enumerate(numbers) if isinstance(n, float))
            before, after = numbers[:turn], numbers[turn:]
            assert before == list(range(1, turn + 1))
            assert after[0] == 10.0 * turn, "what it is now is said again in the new unit"
            assert after[1:] == [10.0 * n for n in range(turn + 1, turn + len(after))]


async def test_a_tag_is_read_at_its_new_pace_within_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port).replace("fast: 50ms", "fast: 10s")
        async with line(tmp_path, text, monkeypatch) as plant:
            await until(lambda: first.asked and second.asked)

            planned = await plant.apply(text.replace("fast: 10s", "fast: 50ms"))

            assert steps(planned) == {"one": "reconfigure", "two": "reconfigure"}
            await until(lambda: len(plant.series("one/number")) > 5)
            numbers = plant.series("one/number")
            assert numbers == list(range(1, len(numbers) + 1))
            assert (first.sessions, second.sessions) == (1, 1)


async def test_range_and_deadband_hold_from_the_next_value_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            await until(lambda: first.asked > 2)

            planned = await plant.apply(text.replace("n}", "n, range: [0, 1], deadband: 4}"))

            assert set(steps(planned).values()) == {"reconfigure"}
            since = first.asked
            await until(lambda: first.asked > since + 9)
            await until(lambda: any(code for _, _, code in plant.logged()))
            codes = {code for path, _, code in plant.logged() if path == "one/number"}
            outside = quality.CODES["UncertainEngineeringUnitsExceeded"]
            assert codes == {0, outside}
            kept = [v for path, v, code in plant.logged() if path == "one/number" and code]
            assert all(later - one >= 4 for one, later in pairwise(kept))


async def test_a_device_that_nobody_expects_any_more_is_off_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machines(2) as (first, second):
        text = TWO.format(first.port, second.port)
        async with line(tmp_path, text, monkeypatch) as plant:
            kernel = plant.kernel
            await until(lambda: state(kernel, "one") == "up" and first.asked)

            planned = await plant.apply(
                text.replace("scan: fast\n", "scan: fast\n    expected: never\n")
            )

            assert set(steps(planned).values()) == {"reconfigure"}
            first.away = True
            first.hang_up()
            await until(lambda: state(kernel, "one") == "off")
