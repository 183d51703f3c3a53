"""Limits on tags and rules of who may write: what can't work is told at its line, before anything runs."""

from __future__ import annotations

import pytest
from tests.config.plant import load_text

from bedplate.errors import ConfigError

FILE = """bedplate: 1
name: line
path: acme
calendars: {{day: {{early: {{days: mon-fri, from: 06:00, to: 14:00}}}}}}
connectors:
  filler:
    use: modbus
    host: 10.0.0.9
    register_type: holding_register
    tags:
      state: {{address: 1, states: {{0: stopped, 3: fault}}}}
      guard_closed: {{address: 2, register_type: coil}}
      speed: {{address: 3, {speed}}}
writes:
  enabled: {enabled}
  allow:
    - {rule}
"""
SPEED = "unit: 1/min, data_type: uint16, write: {range: [10, 120], step: 5}"
RULE = '{role: admin, tags: ["**/speed"], during: day}'


def text(speed: str = SPEED, rule: str = RULE, enabled: str = "true") -> str:
    return FILE.format(speed=speed, rule=rule, enabled=enabled)


def told(written: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_text(written)
    return [" ".join(str(p).split()).removeprefix("plant.yaml:") for p in caught.value.problems]


def hints(written: str) -> list[str]:
    found = load_text(written).hints
    return [" ".join(str(p).split()).removeprefix("plant.yaml:") for p in found]


def test_what_fits_is_taken_without_a_word() -> None:
    writes = load_text(text()).writes
    assert writes.enabled
    assert writes.allow[0].tags == ("acme/**/speed",)
    assert hints(text()) == []


@pytest.mark.parametrize(
    ("speed", "problem"),
    [
        (
            "range: [0, 100], write: {range: [10, 120]}",
            "13 connectors.filler.tags.speed.write.range: [10, 120] leaves the range of the tag, [0, 100]",
        ),
        (
            "data_type: uint16, write: {range: [10, 70000]}",
            "13 connectors.filler.tags.speed.write.range: [10, 70000] does not fit into uint16, [0, 65535]",
        ),
        (
            "data_type: int16, scale: 0.001, write: {range: [0, 40]}",
            "13 connectors.filler.tags.speed.write.range: [0, 40], which is [0, 40000] unscaled does not fit into "
            "int16, [-32768, 32767]",
        ),
        (
            "data_type: bool, write: {range: [0, 1]}",
            "13 connectors.filler.tags.speed.write.range: a bool has no range",
        ),
        (
            "write: {range: [10, 20], step: 15}",
            "13 connectors.filler.tags.speed.write.step: 15 is wider than the whole range",
        ),
    ],
    ids=["beyond the tag", "beyond the type", "scaled beyond the type", "a bool", "a wide step"],
)
def test_limits_that_can_not_be_are_told_at_their_line(speed: str, problem: str) -> None:
    assert told(text(speed.replace("bool", "bool, register_type: coil"))) == [problem]


@pytest.mark.parametrize(
    ("interlock", "problem"),
    [
        (
            "guard_clsed and state != fault",
            "column 1: 'guard_clsed' is no tag of this asset; did you mean guard_closed?",
        ),
        ("state = fault", "column 7: '=' means nothing here: for equal write =="),
        ("guard_closed and", "column 17: ends after 'and'"),
        ("state != flault", "column 10: 'flault' is no label of this tag; did you mean fault?"),
    ],
)
def test_an_interlock_that_can_not_be_judged_is_told_at_its_line(
    interlock: str, problem: str
) -> None:
    limits = f'data_type: uint16, write: {{range: [10, 120], interlock: "{interlock}"}}'
    where = "13 connectors.filler.tags.speed.write.interlock: "

    assert told(text(limits)) == [where + problem]
    assert hints(text(limits.replace(interlock, "guard_closed and state != fault"))) == []


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (
            '{role: operater, tags: ["**/speed"]}',
            '17 writes.allow[0].role: "operater" may not write; roles: operator, engineer, admin; '
            "did you mean `operator`?",
        ),
        (
            '{role: viewer, tags: ["**/speed"]}',
            '17 writes.allow[0].role: "viewer" may not write; roles: operator, engineer, admin',
        ),
        (
            '{role: admin, tags: ["**/state"]}',
            '17 writes.allow[0].tags[0]: "**/state" matches no tag that has `write:`',
        ),
        (
            "{role: admin, tags: [filler/sped]}",
            '17 writes.allow[0].tags[0]: "filler/sped" matches no tag that has `write:`; did you mean `filler/speed`?',
        ),
        (
            '{role: admin, tags: ["**/speed"], during: nights}',
            "17 writes.allow[0].during: no calendar `nights`",
        ),
    ],
    ids=["misspelt role", "role that may not", "tag without write", "misspelt tag", "no calendar"],
)
def test_a_rule_that_never_holds_is_told_at_its_line(rule: str, problem: str) -> None:
    assert told(text(rule=rule)) == [problem]


def test_a_plugin_that_can_not_write_has_no_limits() -> None:
    written = "bedplate: 1\nname: x\nconnectors: {c: {use: mqtt, broker_url: x, tags: {a: {write: {}}}}}\n"
    assert any("can't write" in one for one in told(written))


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        (
            text(speed="unit: 1/min", rule="{role: admin, tags: []}").replace(
                "allow:\n    - {role: admin, tags: []}", "allow: []"
            ),
            "15 writes.enabled: no tag has `write:`, so nothing can be written",
        ),
        (
            text().replace("allow:\n    - " + RULE, "allow: []"),
            "13 connectors.filler.tags.speed.write: no rule of writes.allow lets anybody write it",
        ),
        (
            text(rule=RULE.replace("admin", "operator")),
            "17 writes.allow[0].role: nobody has this role: without `security:` there is only the local user, admin",
        ),
        (
            text(speed="data_type: uint16, write: {}"),
            "13 connectors.filler.tags.speed.write: no `range`: any number goes through",
        ),
    ],
    ids=["no tag", "no rule", "nobody has it", "no range"],
)
def test_what_works_and_is_probably_not_meant_is_a_hint(written: str, hint: str) -> None:
    assert hints(written) == [hint]
