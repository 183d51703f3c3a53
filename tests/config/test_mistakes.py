"""What an operator gets wrong in the plant of Acme Berlin: each mistake, and the exact lines he reads."""

from __future__ import annotations

import pytest
from tests.config.plant import berlin, table, wrong

PRESSES, METERS = table("presses.csv").decode(), table("meters.csv").decode()


def told(*edits: tuple[str, str], presses: str = PRESSES, meters: str = METERS) -> list[str]:
    """Problems of the plant after replacing the first place of each old text; `plant.yaml:` is left out."""
    text = berlin().decode()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    found = wrong(text, {"presses.csv": presses, "meters.csv": meters})
    return [line.removeprefix("plant.yaml:") for line in found]


MISTAKES: dict[str, tuple[str, str, list[str]]] = {
    "misspelt word of a tag": (
        "range: [0, 120], deadband",
        "range: [0, 120], deadbnad",
        [
            "41 types.press.tags.temperature.deadbnad: unknown; did you mean `deadband`? (reaches 40 presses)"
        ],
    ),
    "misspelt section": ("timezone:", "timezon:", ["9 timezon: unknown; did you mean `timezone`?"]),
    "misspelt setting": (
        "broker_url:",
        "brokr_url:",
        [
            "115 connectors.cloud: `broker_url` is missing",
            "118 connectors.cloud.brokr_url: unknown; did you mean `broker_url`?",
        ],
    ),
    "the kernel's own name": (
        "  cloud:\n",
        "  kernel:\n",
        ["115 connectors.kernel: is the kernel's own name; give it another"],
    ),
    "NO for a bool": (
        "counter: true}",
        "counter: NO}",
        [
            '36 types.press.tags.parts_total.counter: "NO" is text; expected true or false; write false '
            "(reaches 40 presses)"
        ],
    ),
    "number for text": (
        "username: berlin",
        "username: 4711",
        ["119 connectors.cloud.username: 4711 is a number; expected text; put it in quotes"],
    ),
    "leading zero": (
        "unit_id: $unit_id",
        "unit_id: 0123 # $unit_id",
        [
            "61 types.meter.parameters.unit_id: parameter is never used; write `$unit_id` where it belongs",
            '64 types.meter.unit_id: "0123" is text; expected a whole number (reaches 44 meters)',
        ],
    ),
    "underscores": (
        "    process: $line",
        "    browse: {depth: 1_000}\n    process: $line",
        [
            '97 connectors.presses.browse.depth: "1_000" is text; expected a whole number (reaches 40 presses)'
        ],
    ),
    "sexagesimal": (
        "deadband: 2, on_delay: 10s",
        "deadband: 12:30:00, on_delay: 10s",
        [
            '137 analytics.press-alarms.limits.oil-hot.deadband: "12:30:00" is text; expected a number'
        ],
    ),
    "duration without unit": (
        "sync: 250ms",
        "sync: 250",
        ["151 journal.sync: 250 has no unit: write 250s or 250ms"],
    ),
    "no duration": (
        "sync: 250ms",
        "sync: quick",
        ['151 journal.sync: "quick" is no duration, such as 250ms, 1s, 5min, 2h or 14d'],
    ),
    "size without unit": (
        "size: 40GB",
        "size: 40",
        ["151 journal.size: 40 has no unit: write 40GB or 40MB"],
    ),
    "no plugin": (
        "use: mqtt",
        "use: mqt",
        [
            "116 connectors.cloud.use: no plugin offers `mqt`; installed: access, alarms, console, helix, history, "
            "modbus, mqtt, oee, opcua; did you mean `mqtt`?"
        ],
    ),
    "another kind": (
        "use: mqtt",
        "use: oee",
        ["116 connectors.cloud.use: `oee` is an analytic; it belongs under `analytics`"],
    ),
    "no use": ("    use: mqtt\n", "", ["115 connectors.cloud: `use` is missing"]),
    "no type": (
        "type: meter",
        "type: metre",
        ["102 connectors.meters.type: no type `metre`; did you mean `meter`?"],
    ),
    "use beside type": (
        "type: packer\n",
        "type: packer\n    use: helix\n",
        ["106 connectors.packers.use: stands in the type; write either `use` or `type`"],
    ),
    "each without type": (
        "    use: mqtt\n",
        "    use: mqtt\n    each: a.csv\n",
        ["117 connectors.cloud.each: needs a `type` to make components of"],
    ),
    "no parameter": (
        "path: $at",
        "path: $att",
        [
            "61 types.meter.parameters.at: parameter is never used; write `$at` where it belongs",
            "68 types.meter.path: `$att` is no parameter of this type; did you mean `at`? (reaches 44 meters)",
        ],
    ),
    "parameter never used": (
        "path: $at",
        "path: meters/$name",
        ["61 types.meter.parameters.at: parameter is never used; write `$at` where it belongs"],
    ),
    "lone dollar": (
        "opc.tcp://$host:4840",
        "opc.tcp://$host:$",
        [
            "24 types.press.endpoint_url: a lone $; `$$` is a dollar, `$name` a parameter (reaches 40 presses)"
        ],
    ),
    "name is the row's": (
        "max_speed: 60}",
        "max_speed: 60, name: x}",
        ["22 types.press.parameters.name: is always the row's name"],
    ),
    "missing value in place": (
        "packer-1: {host: 10.20.2.11, line: pack-1}",
        "packer-1: {host: 10.20.2.11}",
        ["107 connectors.packers.each.packer-1: `line` is missing"],
    ),
    "unknown value in place": (
        "packer-1: {host:",
        "packer-1: {prt: 1, host:",
        ["107 connectors.packers.each.packer-1.prt: is no parameter of type packer"],
    ),
    "wrong value in place": (
        "host: 10.20.2.11,",
        "host: 10.20.2.11.5,",
        [
            '107 connectors.packers.each.packer-1.host: "10.20.2.11.5" is neither an IP address nor a host name'
        ],
    ),
    "wrong default": (
        "max_force: 2500",
        "max_forc: 2500",
        [
            "22 types.press.parameters.max_forc: parameter is never used; write `$max_forc` where it belongs",
            "39 types.press.tags.force.scale.to[1]: `$max_force` is no parameter of this type; "
            "did you mean `max_forc`?",
            "presses.csv:1 max_force: is no parameter of type press; did you mean `max_forc`?",
        ],
    ),
    "override of nobody": (
        "press-17: {tags",
        "press-71: {tags",
        ["99 connectors.presses.override.press-71: no row has this name; did you mean `press-37`?"],
    ),
    "misspelt in an override": (
        "mm/s, scan: fast}",
        "mm/s, scna: fast}",
        [
            "99 connectors.presses.override.press-17.tags.vibration.scna: unknown; did you mean `scan`?"
        ],
    ),
    "no table": (
        "each: meters.csv",
        "each: metres.csv",
        ["103 connectors.meters.each: metres.csv: No such file or directory"],
    ),
    "no calendar": (
        "calendar: three-shift\n",
        "calendar: three-shfit\n",
        ["132 analytics.oee.calendar: no calendar `three-shfit`; did you mean `three-shift`?"],
    ),
    "no calendar to be expected": (
        "expected: three-shift",
        "expected: nevr",
        ["30 types.press.expected: no calendar `nevr`; did you mean `never`? (reaches 40 presses)"],
    ),
    "no calendar for writes": (
        "during: three-shift",
        "during: two-shift",
        ["147 writes.allow[0].during: no calendar `two-shift`; did you mean `three-shift`?"],
    ),
    "no tag": (
        "good: parts_good\n",
        "good: parts_god\n",
        [
            "129 analytics.oee.good: `parts_god` is no tag of press; did you mean `parts_good`? (reaches 40 presses)"
        ],
    ),
    "a tag that one press has": (
        "{tag: temperature, high: 65",
        "{tag: vibration, high: 65",
        [
            "137 analytics.press-alarms.limits.oil-hot.tag: `vibration` is no tag of press; "
            "did you mean `lubrication_ok`? (reaches 39 of 40 presses)"
        ],
    ),
    "for nobody": (
        "for: press ",
        "for: pres ",
        ["126 analytics.oee.for: no type or connector `pres`; did you mean `press`?"],
    ),
    "for left out": (
        "    for: press\n    limits",
        "    limits",
        [
            f"{line} analytics.press-alarms.limits.{limit}.tag: names a tag, but of what? say `for:` a type or a "
            "connector"
            for line, limit in enumerate(["oil-hot", "oil-very-hot", "oil-low", "no-lube"], 136)
        ],
    ),
    "no time zone": (
        "Europe/Berlin",
        "Europe/Belin",
        ["9 timezone: 'Europe/Belin' is no time zone, such as Europe/Berlin"],
    ),
    "no time": (
        "from: 06:00",
        "from: 6:00",
        ['13 calendars.three-shift.early.from: "6:00" is no time of day, such as 06:00'],
    ),
    "shifts overlap": (
        "to: 14:00",
        "to: 15:00",
        ["12 calendars.three-shift: shifts early and late overlap"],
    ),
    "break outside": (
        "09:00-09:15",
        "05:00-05:15",
        ["13 calendars.three-shift.early: a break lies outside the shift"],
    ),
    "no day": (
        "2027-05-01]",
        "2027-05-32]",
        [
            "16 calendars.three-shift.closed[1]: '2027-05-32' is no day, such as 2026-12-24 or 2026-12-24/2027-01-03",
        ],
    ),
    "upside-down range": (
        "range: [0, 120]",
        "range: [120, 0]",
        [
            "41 types.press.tags.temperature.range: [120, 0] is upside down; the lower limit comes first "
            "(reaches 40 presses)"
        ],
    ),
    "raw without width": (
        "raw: [0, 27648]",
        "raw: [0, 0]",
        ["39 types.press.tags.force.scale.raw: [0, 0] has no width (reaches 40 presses)"],
    ),
    "half a scale": (
        "raw: [0, 27648], ",
        "",
        ["39 types.press.tags.force.scale: `raw` is missing (reaches 40 presses)"],
    ),
    "no scan class": (
        "scan: fast, states",
        "scan: fats, states",
        [
            '33 types.press.tags.state.scan: "fats" is no scan class; did you mean `fast`? (reaches 40 presses)'
        ],
    ),
    "two readings": (
        "address: 19026",
        "address: 40001",
        [
            '71 types.meter.tags.power.address: 40001 has two readings: write "4" and five digits in quotes, '
            "or count from 0 (reaches 44 meters)"
        ],
    ),
    "address left out": (
        "{address: 19026, unit",
        "{unit",
        ["71 types.meter.tags.power: `address` is missing (reaches 44 meters)"],
    ),
    "name of a tag": (
        "film_left: ",
        "film/left: ",
        ['88 types.packer.tags.film/left: tag "film/left" must not contain / (reaches 2 packers)'],
    ),
    "label of no number": (
        "{0: stopped, 1: running, 2: idle, 3: fault, 4",
        "{off: stopped, 1: running, 2: idle, 3: fault, 4",
        ['33 types.press.tags.state.states: "off" is no whole number (reaches 40 presses)'],
    ),
    "no selector": (
        '"**/state"',
        '"**state"',
        [
            '117 connectors.cloud.deliver[0]: "**state" is no selector: no level may be empty, and ** stands alone '
            "between slashes"
        ],
    ),
    "a connector that can't deliver": (
        "    use: helix ",
        '    deliver: ["**"]\n    use: helix ',
        ["79 types.packer.deliver: `helix` can't deliver (reaches 2 packers)"],
    ),
    "a word of another kind": (
        "    use: oee\n",
        "    use: oee\n    expected: always\n",
        ["126 analytics.oee.expected: has no meaning in an analytic"],
    ),
    "no such mode": (
        "security_mode: SignAndEncrypt",
        "security_mode: SignAndEncrpyt",
        [
            '25 types.press.security_mode: "SignAndEncrpyt" is none of None, Sign, SignAndEncrypt '
            "(reaches 39 of 40 presses)"
        ],
    ),
    "no such placement": (
        "process: $line",
        "placement: inlin",
        [
            '97 connectors.presses.placement: "inlin" is none of process, inline, remote (reaches 40 presses)'
        ],
    ),
    "one path for many": (
        "path: packaging/$line/$name",
        "path: packaging # $line",
        [
            "78 types.packer.parameters.line: parameter is never used; write `$line` where it belongs",
            "108 connectors.packers.each.packer-2: owns acme/berlin/packaging/state and 7 more tags, as does packer-1 "
            "(plant.yaml:107); one tag has one owner",
        ],
    ),
    "one name for two": (
        "  cloud:\n",
        "  press-01:\n",
        ['115 connectors.press-01: the name "press-01" again, already presses.csv:2'],
    ),
    "rate": (
        "rate: 6/min\n",
        "rate: 6 per min\n",
        [
            '56 types.press.tags.speed_setpoint.write.rate: "6 per min" is no rate, such as 6/min or 20/h '
            "(reaches 40 presses)"
        ],
    ),
    "empty": ("path: acme/berlin ", "path: ", ["8 path: is empty; expected text"]),
    "another format": ("bedplate: 1", "bedplate: 2", ["6 bedplate: 2 must be 1"]),
    "a plain secret": (
        '{secret: "file:/etc/bedplate/secrets/mqtt"}',
        "hunter2",
        [
            '120 connectors.cloud.password: is a secret: write a reference, {secret: "env:NAME"} or '
            '{secret: "file:/path"}'
        ],
    ),
    "a secret in the wrong place": (
        "username: berlin",
        "clean: {secret: env:X}",
        ["119 connectors.cloud.clean: can't be a secret"],
    ),
    "no reference": (
        '{secret: "file:/etc/bedplate/secrets/mqtt"}',
        "{secret: hunter2}",
        ["120 connectors.cloud.password: secret must start with env:, file: or age:"],
    ),
    "a password in an address": (
        "mqtts://broker",
        "mqtts://berlin:hunter2@broker",
        [
            "118 connectors.cloud.broker_url: a password stands in this address; use the plugin's own setting for it, "
            "with a reference"
        ],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES.values(), ids=MISTAKES)
@pytest.mark.case("A42")
def test_a_mistake_is_told_with_line_path_and_cure(old: str, new: str, expected: list[str]) -> None:
    assert told((old, new)) == expected


TABLES: dict[str, tuple[str, str, list[str]]] = {
    "host": (
        "meter-10,10.20.9.2",
        "meter-10,10.20.9.2.1",
        ['meters.csv:11 meter-10.host: "10.20.9.2.1" is neither an IP address nor a host name'],
    ),
    "text for a number": (
        "meter-03,10.20.9.1,3",
        "meter-03,10.20.9.1,three",
        ['meters.csv:4 meter-03.unit_id: "three" is text; expected a whole number'],
    ),
    "out of range": (
        "meter-03,10.20.9.1,3",
        "meter-03,10.20.9.1,300",
        ["meters.csv:4 meter-03.unit_id: 300 is more than 255"],
    ),
    "all of them": (
        ",10.20.9.",
        ",10.20.9.9.",
        [
            '63 types.meter.host: "10.20.9.9.1" is neither an IP address nor a host name (reaches 44 meters)'
        ],
    ),
    "column": (
        "unit_id",
        "unitid",
        ["meters.csv:1 unitid: is no parameter of type meter; did you mean `unit_id`?"],
    ),
    "column left out": (
        METERS,
        "name,host,at\nmeter-01,10.20.9.1,x\n",
        ["meters.csv:1 column `unit_id` is missing, type meter requires it"],
    ),
    "column twice": ("unit_id", "host", ["meters.csv:1 column 3 has the name of another"]),
    "no name": (
        "name,",
        "nam,",
        ["meters.csv:1 the first line must name the columns, `name` among them"],
    ),
    "name twice": (
        "meter-02",
        "meter-01",
        ['meters.csv:3 meter-01: the name "meter-01" again, already in line 2'],
    ),
    "name": ("meter-02", "meter/02", ['meters.csv:3 meter/02: "meter/02" must not contain /']),
    "short row": (
        ",1,press-shop/line1/press-01",
        "",
        ["meters.csv:2 meter-01: has 2 cells, the first line 4"],
    ),
    "empty cell": ("meter-02,10.20.9.1", "meter-02,", ["meters.csv:3 meter-02.host: is empty"]),
    "open quote": ("meter-02", '"meter-02', ["meters.csv:45 not CSV: unexpected end of data"]),
    "tab": ("meter-02,", "meter-02\t,", ["meters.csv:3 tab; use spaces"]),
    "no rows": (METERS, "name,host,unit_id,at\n", ["meters.csv:1 has no rows"]),
    "huge cell": (
        "press-shop/line1/press-01",
        "x" * 200_000,
        ["meters.csv:2 not CSV: field larger than field limit (131072)"],
    ),
    "path": (
        "press-shop/line1/press-01",
        "press-shop//press-01",
        ['meters.csv:2 meter-01.at: "press-shop//press-01": a name can\'t be empty'],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), TABLES.values(), ids=TABLES)
def test_a_mistake_in_a_table_names_the_tables_line(
    old: str, new: str, expected: list[str]
) -> None:
    times = -1 if expected[0].startswith("63") else 1

    assert told(meters=METERS.replace(old, new, times)) == expected


def test_a_wrong_host_inside_an_address_names_the_row_too() -> None:
    presses = PRESSES.replace("10.20.1.32,", "10.20.1.232.1,")

    assert told(presses=presses) == [
        'presses.csv:23 press-22.host: "10.20.1.232.1" is neither an IP address nor a host name'
    ]


def test_all_mistakes_are_told_at_once_by_file_and_line() -> None:
    found = told(
        ("deadband: 0.2", "deadbnad: 0.2"),
        ("Europe/Berlin", "Europe/Belin"),
        ("use: mqtt", "use: mqt"),
        meters=METERS.replace("10.20.9.2", "10.20.9.2.1", 1),
    )

    assert [line.split()[0] for line in found] == ["meters.csv:11", "9", "41", "116"]


def test_many_mistakes_in_a_type_are_told_once_each_with_their_cure() -> None:
    misspelt = ["security_mode", "username", "address_prefix", "expected", "scan", "process"]
    edits = [(f"    {word}: ", f"    {word}x: ") for word in misspelt]

    found = told(*edits)

    assert len(found) == 6
    assert all("unknown; did you mean `" in line and "40 presses)" in line for line in found)


def test_a_type_that_nothing_uses_is_checked_too() -> None:
    start = berlin().decode().index("  packers:")
    end = berlin().decode().index("  history:\n")
    entry = berlin().decode()[start:end]

    assert told((entry, ""), ("film_left:   {address", "film_left:   {adress")) == [
        "88 types.packer.tags.film_left: `address` is missing",
        "88 types.packer.tags.film_left.adress: unknown; did you mean `address`?",
    ]


def test_more_problems_than_anybody_reads_are_counted() -> None:
    text = "bedplate: 1\nname: x\n" + "".join(f"unknown{n}: 1\n" for n in range(1000))

    found = wrong(text)

    assert len(found) == 201
    assert found[-2:] == [
        "plant.yaml:202 unknown199: unknown",
        "plant.yaml:203 and 800 more problems from here on",
    ]


def test_what_is_no_deployment_file_says_so() -> None:
    assert wrong("- a\n- b\n") == [
        "plant.yaml:1 a deployment file is a mapping; it starts with `bedplate: 1`"
    ]
    assert wrong("{}\n") == ["plant.yaml:1 `bedplate` is missing", "plant.yaml:1 `name` is missing"]
