"""What a plan says: which components are touched, how, why, and at what cost."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plan.deployments import HEAD, TEXT, changed, deployment, planned, standing, touched

from bedplate.planning.plan import Step
from bedplate.planning.planner import plan
from bedplate.planning.standing import Figures, Home, Plugin

S = Step
PRESS_1 = "force: {address: f, unit: kN, scan: fast}"  # the first of two


def test_an_identical_file_touches_nothing() -> None:
    made = planned(TEXT, TEXT)

    assert not made.touched
    assert [one.component for one in made.steps] == ["press-1", "press-2", "push", "sink", "sums"]


@pytest.mark.parametrize(
    "text",
    [
        f"# a comment\n{TEXT}",
        changed(TEXT, "scan_classes: {fast: 100ms}", "scan_classes: {fast: 100ms, lazy: 1h}"),
        changed(TEXT, "{address: f, unit: kN", "{unit: kN, address: f"),
        changed(TEXT, "{address: h, unit: °C, deadband: 0.2}", "{deadband: 0.20, address: h, unit: °C}"),
        changed(
            TEXT,
            "      force: {address: f, unit: kN, scan: fast}\n"
            "      heat:  {address: h, unit: °C, deadband: 0.2}\n",
            "      heat:  {address: h, unit: °C, deadband: 0.2}\n"
            "      force: {address: f, unit: kN, scan: fast}\n",
        ),
        changed(TEXT, "calendars:", "calendars:\n  nobody: {all: {days: mon-sun, from: 06:00, to: 14:00}}"),
    ],
)  # fmt: skip
def test_what_means_the_same_touches_nothing(text: str) -> None:
    assert not planned(TEXT, text).touched


@pytest.mark.parametrize(
    ("old", "new", "component", "step", "why"),
    [
        ("unit: kN", "unit: N", "press-1", S.RECONFIGURE, "unit of force kN → N"),
        ("deadband: 0.2", "deadband: 0.5", "press-1", S.RECONFIGURE, "deadband of heat 0.2 → 0.5"),
        ("unit: kN, scan: fast", "unit: kN", "press-1", S.RECONFIGURE, "scan of force 0.1 s → 1 s"),
        ("unit: kN,", "unit: kN, range: [0, 9],", "press-1", S.RECONFIGURE, "range of force none → [0, 9]"),
        ("unit: kN,", "unit: kN, scale: 0.1,", "press-1", S.RECONFIGURE, "scale of force none → [0.1, 0.0]"),
        ("unit: kN,", "unit: kN, description: x,", "press-1", S.RECONFIGURE, "description of force none → x"),
        ("unit: kN,", "unit: kN, counter: true,", "press-1", S.RECONFIGURE, "counter of force false → true"),
        ("unit: kN,", "unit: kN, states: {0: off},", "press-1", S.RECONFIGURE, 'states of force none → {"0": "off"}'),
        ("path: hall/press-1", "path: hall/press-1\n    expected: shift", "press-1", S.RECONFIGURE,
         "expected always → shift"),
        ("buffer: {age: 1h}", "buffer: {age: 2h}", "sink", S.RECONFIGURE, "its buffer"),
        ('deliver: ["hall/**"]', 'deliver: ["**"]', "sink", S.REWIRE,
         "delivers acme/** too · delivers acme/hall/** no more"),
        ("address: f", "address: g", "press-1", S.RESTART, "address of force f → g"),
        ("      heat:", "      more: {address: m}\n      heat:", "press-1", S.RESTART, "new more"),
        ("      heat:  {address: h, unit: °C, deadband: 0.2}\n", "", "press-1", S.RESTART, "without heat"),
        ("address: f,", "address: f, data_type: int64,", "press-1", S.RESTART, "data type of force none → int64"),
        ("use: counter", "use: counter\n    how: fast", "press-1", S.RESTART, "how fast is new"),
        ("use: counter", "use: blocking", "press-1", S.RESTART, "use counter → blocking"),
        ("use: counter", "use: counter\n    process: one", "press-1", S.RESTART, "process rigs → one"),
        ("use: counter", "use: counter\n    placement: inline", "press-1", S.RESTART, "placement process → inline"),
        ("address: a, scan: fast", "address: a", "push", S.RESTART, "scan of number 0.1 s → 1 s"),
    ],
)  # fmt: skip
def test_each_word_costs_what_the_table_says(
    old: str, new: str, component: str, step: Step, why: str
) -> None:
    made = planned(TEXT, changed(TEXT, old, new))

    reads = {"sums": S.REWIRE} if "unit: N" in new or "states" in new else {}
    assert touched(made) == {component: step, **reads}
    assert next(one.why for one in made.touched if one.component == component) == why


def test_who_reads_what_has_changed_is_rewired_and_who_does_not_is_left_alone() -> None:
    unit = changed(TEXT, "heat:  {address: h, unit: °C", "heat:  {address: h, unit: K")

    assert touched(planned(TEXT, unit)) == {"press-1": S.RECONFIGURE}
    other = planned(TEXT, changed(TEXT, "for: press-1", "for: press-2"))
    assert touched(other) == {"sums": S.REWIRE}
    assert other.touched[0].why == "reads acme/hall/press-2 too · reads acme/hall/press-1 no more"


def test_what_comes_and_goes_is_created_and_removed_in_an_order_that_loses_nothing() -> None:
    more = TEXT.replace("  push:", "  press-3: {use: counter, tags: {a: {address: b}}}\n  push:")
    without = changed(more, '  sink: {use: sink, deliver: ["hall/**"], buffer: {age: 1h}}\n', "")

    assert touched(planned(TEXT, more)) == {"press-3": S.CREATE}
    made = planned(TEXT, changed(without, "unit: kN", "unit: N"))
    steps = [(one.component, one.step) for one in made.touched]
    assert steps == [
        ("sink", S.REMOVE),
        ("press-1", S.RECONFIGURE),
        ("sums", S.REWIRE),
        ("press-3", S.CREATE),
    ]


def test_without_anything_that_ran_before_everything_is_created() -> None:
    made = plan(None, standing())

    assert {one.step for one in made.steps} == {S.CREATE}
    assert [one.component for one in made.steps][:2] == ["sink", "sums"], "readers before sources"
    assert not made.problems


# --- what does not stand in the file ---


def test_another_plugin_restarts_whoever_uses_it_in_a_new_process() -> None:
    new = standing()
    newer = {use: Plugin("b", "2", one.capabilities) for use, one in new.plugins.items()}
    made = planned(standing(), standing(plugins={**new.plugins, "counter": newer["counter"]}))

    assert touched(made) == {"press-1": S.RESTART, "press-2": S.RESTART}
    assert {one.why for one in made.touched} == {"plugin counter 1 → 2"}
    assert all(one.new_process for one in made.touched)


def test_another_plugin_inside_the_kernel_takes_a_new_start() -> None:
    text = changed(TEXT, "use: counter", "use: counter\n    placement: inline")
    new = standing(text)
    plugins = {**new.plugins, "counter": Plugin("b", "1", ("read",))}
    made = planned(text, standing(text, plugins=plugins))

    assert len(made.problems) == 1
    assert made.problems[0].startswith(
        "plant.yaml:9  press-1: plugin counter 1 has other files, and"
    )


def test_a_secret_that_was_changed_is_named_and_never_shown() -> None:
    text = changed(TEXT, "use: counter", 'use: counter\n    how: "x"')
    old = standing(text, secrets={"press-1": {"file:pw": "k1"}, "press-2": {}})
    new = standing(text, secrets={"press-1": {"file:pw": "k2"}, "press-2": {}})
    made = planned(old, new)

    assert touched(made) == {"press-1": S.RESTART}
    assert made.touched[0].why == "secret file:pw has changed"


def test_a_file_that_was_changed_restarts_who_refers_to_it() -> None:
    made = planned(
        standing(files={"press-1": {"/plant/cert.pem": "1"}}),
        standing(files={"press-1": {"/plant/cert.pem": "2"}}),
    )

    assert touched(made) == {"press-1": S.RESTART}
    assert made.touched[0].why == "file /plant/cert.pem has changed"


def test_what_is_not_known_of_both_is_not_compared() -> None:
    made = planned(standing(plugins={}, homes={}), standing(secrets={"press-1": {"env:A": "x"}}))

    assert not made.touched


@pytest.mark.parametrize("name", ["password", "api_token", "private_key"])
def test_a_setting_that_may_be_secret_is_not_shown(name: str) -> None:
    from bedplate.planning.differences import settings_told

    assert [*settings_told({name: "hunter2"}, {name: "hunter3"})] == [f"{name} differs"]


def test_a_login_in_a_url_is_not_shown() -> None:
    from bedplate.planning.differences import settings_told

    before, after = ({"url": f"mqtt://bp:{secret}@host:1"} for secret in ("hunter2", "hunter3"))
    assert [*settings_told(before, after)] == ["url mqtt://***@host:1 → mqtt://***@host:1"]


def test_who_needs_more_than_the_process_may_do_gets_one_of_its_own_and_harms_nobody() -> None:
    text = changed(TEXT, "use: counter", "use: counter\n    how: fast")
    may = {"press-1": "reach tcp:a:1", "press-2": "reach tcp:b:1"}
    old = {id_: Home("process/rigs", "rigs", frozenset([word])) for id_, word in may.items()}
    new = {**old, "press-1": Home("process/rigs", "rigs", frozenset(["reach tcp:c:1"]))}
    made = planned(standing(homes=old), standing(text, homes=new))

    assert touched(made) == {"press-1": S.RESTART}
    assert made.touched[0].new_process


# --- cost ---


def test_the_gap_is_the_start_of_a_session_and_the_next_scan() -> None:
    text = changed(TEXT, "address: f", "address: g")
    seen = Figures(opens={"press-1": 2.0})

    assert planned(TEXT, text, figures=seen).touched[0].gap_seconds == 2.1
    assert planned(TEXT, text).touched[0].gap_seconds == 0.6, "what was never seen is guessed"


def test_what_reads_the_journal_misses_nothing() -> None:
    text = changed(TEXT, 'deliver: ["hall/**"]', 'deliver: ["**"]')

    assert [one.gap_seconds for one in planned(TEXT, text).touched] == [0.0]


def test_machines_that_feel_it_are_named_by_their_paths() -> None:
    text = TEXT.replace("      heat:", "      there: {address: t}\n      heat:", 1)
    made = planned(TEXT, text)

    assert made.touched[0].machines == ("acme/hall/press-1",)


# --- what can't be changed while it runs ---


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("journal: {folder: elsewhere}", "journal"),
        ("api: {listen: 127.0.0.1:9}", "api"),
        ("plugins: {policy: trusted}", "plugins"),
        ("audit: {folder: elsewhere}", "audit"),
        ("telemetry: {interval: 5s}", "telemetry"),
    ],
)
def test_a_section_of_the_kernel_takes_a_new_start_and_says_so_with_its_line(
    section: str, line: str
) -> None:
    made = planned(TEXT, TEXT + section)

    number = HEAD.count("\n") + TEXT.count("\n") + 1
    assert len(made.problems) == 1
    assert made.problems[0].startswith(
        f"plant.yaml:{number}  {line}: can't be changed while it runs"
    )
    assert "bedplate run FILE" in made.problems[0]


def test_another_deployment_is_a_problem() -> None:
    other = deployment()
    made = planned(standing(), standing(type(other)(**{**_fields(other), "name": "other"})))

    assert "another deployment runs, test" in made.problems[0]


def _fields(one: object) -> dict[str, object]:
    from dataclasses import fields

    return {part.name: getattr(one, part.name) for part in fields(one)}  # type: ignore[arg-type]


# --- moves ---


def test_what_is_moved_says_where_it_was() -> None:
    text = changed(TEXT, "path: hall/press-1", "path: yard/press-1")
    text += "moved: [{from: hall/press-1, to: yard/press-1}]\n"
    made = planned(TEXT, text)

    press = next(one for one in made.touched if one.component == "press-1")
    assert (press.step, press.was) == (S.RESTART, "acme/hall/press-1")
    assert made.moves == (("acme/hall/press-1", "acme/yard/press-1"),)
    assert not made.notices


def test_what_is_moved_and_renamed_says_so_at_both_ends() -> None:
    text = TEXT.replace("  press-1:\n", "  press-9:\n").replace("hall/press-1", "yard/press-9")
    text = text.replace("for: press-1", "for: press-9")
    text += "moved: [{from: hall/press-1, to: yard/press-9}]\n"
    made = planned(TEXT, text)
    steps = {one.component: one for one in made.touched}

    assert (steps["press-1"].step, steps["press-1"].why) == (S.REMOVE, "moved to acme/yard/press-9")
    assert (steps["press-9"].step, steps["press-9"].was) == (S.CREATE, "acme/hall/press-1")


def test_a_move_of_before_is_no_news() -> None:
    text = TEXT + "moved: [{from: cellar/press-1, to: hall/press-1}]\n"
    known = [("acme/cellar/press-1", "acme/hall/press-1")]

    made = planned(text, text, moved=known)
    assert not made.moves
    assert not made.touched
    assert planned(text, text).moves == tuple(known)


def test_a_move_to_where_nothing_is_is_told() -> None:
    text = TEXT + "moved: [{from: hall/press-1, to: yard/press-1}]\n"

    assert "nothing is at acme/yard/press-1" in planned(TEXT, text).notices[0]


# --- many edits ---

NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=6)
PRESS = """  p{n}:
    use: counter
    path: hall/p{n}
    tags:
      a: {{address: x{a}, deadband: {d}}}
      b: {{address: b, scan: {s}}}
"""


def plant(presses: dict[int, tuple[str, float, str]]) -> str:
    body = "".join(PRESS.format(n=n, a=a, d=d, s=s) for n, (a, d, s) in presses.items())
    return f"scan_classes: {{fast: 100ms}}\nconnectors:\n{body}  sink: {{use: sink, deliver: ['**']}}\n"


ONE = st.tuples(NAMES, st.sampled_from([0.1, 0.2, 0.5]), st.sampled_from(["fast", "normal"]))
MANY = st.dictionaries(st.integers(0, 20), ONE, max_size=10)


@settings(max_examples=60, deadline=None)
@given(MANY, MANY)
def test_only_what_differs_is_touched_and_by_the_least_that_does_it(
    before: dict[int, tuple[str, float, str]], after: dict[int, tuple[str, float, str]]
) -> None:
    made = planned(plant(before), plant(after))

    expected = {f"p{n}": S.REMOVE for n in before.keys() - after.keys()}
    expected |= {f"p{n}": S.CREATE for n in after.keys() - before.keys()}
    for n in before.keys() & after.keys():
        if before[n][0] != after[n][0]:
            expected[f"p{n}"] = S.RESTART
        elif before[n] != after[n]:
            expected[f"p{n}"] = S.RECONFIGURE
    assert touched(made) == expected
    assert {one.component for one in made.steps} == {
        "sink",
        *(f"p{n}" for n in before.keys() | after.keys()),
    }
    assert not made.problems
    assert all(one.why for one in made.touched)
