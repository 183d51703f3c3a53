"""From the file to plain components: types, rows, overrides, paths, assets."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.config.plant import ALL, PLANTS, berlin, load_text, wrong

from bedplate.config import (
    Browse,
    Buffer,
    Component,
    Deployment,
    PluginSettings,
    load,
    plugin_settings,
    resolve_settings,
)
from bedplate.errors import ConfigError


@pytest.fixture(scope="module")
def plant() -> Deployment:
    return load(PLANTS / "berlin.yaml", ALL.get, ALL)


def component(deployment: Deployment, id: str) -> Component:
    found = deployment.component(id)
    assert found is not None
    return found


def tag(one: Component, name: str) -> dict[str, object]:
    [spec] = [spec for spec in one.tags if spec.name == name]
    return dataclasses.asdict(spec)


def test_the_plant_of_159_lines_is_88_components_and_957_tags(plant: Deployment) -> None:
    assert len(berlin().splitlines()) == 159
    connectors = plant.of_kind("connector")
    assert len(connectors) == 88
    assert sum(len(one.tags) for one in connectors) == 957
    assert len({spec.path for one in connectors for spec in one.tags}) == 957
    assert [one.id for one in plant.components if one.kind != "connector"] == [
        "oee",
        "press-alarms",
        "access",
        "console",
    ]


def test_the_top_of_the_file_is_read(plant: Deployment) -> None:
    assert (plant.name, plant.path, plant.timezone) == ("berlin", "acme/berlin", "Europe/Berlin")
    assert list(plant.calendars) == ["three-shift"]
    assert plant.journal.size_bytes == 40_000_000_000
    assert plant.journal.sync_ns == 250_000_000
    assert plant.api.listen == "10.20.0.5:7443"
    assert plant.writes.allow[0].tags == ("acme/berlin/**/speed_setpoint",)
    assert plant.writes.allow[1].second_person
    assert plant.moved == (("acme/berlin/hall2/press-22", "acme/berlin/press-shop/line3/press-22"),)
    assert plant.source.lines["journal.sync"] == 151


def test_where_plugins_come_from_is_known_before_the_rest_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(
        "bedplate: 1\nname: x\nconnectors: {h: {use: nobody}}\n"
        "plugins: {folders: [helix], home: own, listen: '127.0.0.1:7444'}\n"
    )
    settings = plugin_settings(file)

    assert settings == PluginSettings(folders=("helix",), home="own", listen="127.0.0.1:7444")
    assert (settings.policy, settings.min_isolation) == ("open", "L0")


@pytest.mark.parametrize("text", ["plugins: [", "plugins: 7", "plugins: {hoem: x}", "x: plugins"])
def test_a_file_that_is_wrong_names_no_places_and_load_tells_why(text: str, tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(text)

    assert plugin_settings(file) == PluginSettings()
    assert plugin_settings(tmp_path / "none.yaml") == PluginSettings()


def test_a_row_fills_its_type(plant: Deployment) -> None:
    press = component(plant, "press-17")

    assert press.path == "acme/berlin/press-shop/line2/press-17"
    assert press.settings["endpoint_url"] == "opc.tcp://10.20.1.27:4840"
    assert press.settings["password"] == {"secret": "file:/etc/bedplate/secrets/press"}
    assert (press.use, press.type, press.entry) == ("opcua", "press", "presses")
    assert (press.process, press.expected, press.placement) == ("line2", "three-shift", "process")
    assert (press.file.rpartition("/")[2], press.line) == ("presses.csv", 18)


def test_a_parameter_alone_keeps_its_type(plant: Deployment) -> None:
    assert component(plant, "meter-07").settings["unit_id"] == 7
    assert tag(component(plant, "press-01"), "force")["scale"] == (2500 / 27648, 0.0)


def test_the_words_of_a_tag_are_the_kernels(plant: Deployment) -> None:
    press = component(plant, "press-01")
    temperature = tag(press, "temperature")
    setpoint = tag(press, "speed_setpoint")

    assert temperature | {"line": 0, "file": ""} == {
        "name": "temperature",
        "path": "acme/berlin/press-shop/line1/press-01/temperature",
        "address": '"Oil"."Temp"',
        "data_type": "",
        "unit": "°C",
        "scale": None,
        "range": (0.0, 120.0),
        "deadband": 0.2,
        "scan_ns": 1_000_000_000,
        "scan_class": "normal",
        "states": {},
        "counter": False,
        "description": "",
        "write": None,
        "settings": {},
        "line": 0,
        "file": "",
    }
    assert temperature["line"] == 41
    assert setpoint["write"] == {
        "range": (10.0, 60.0),
        "step": 5.0,
        "rate": (6, 60_000_000_000),
        "interlock": "guard_closed and state != fault",
        "verify_timeout_ns": 3_000_000_000,
    }
    assert tag(press, "state")["states"] == {
        0: "stopped",
        1: "running",
        2: "idle",
        3: "fault",
        4: "setup",
    }


def test_an_override_changes_one_row(plant: Deployment) -> None:
    assert tag(component(plant, "press-17"), "vibration")["scan_ns"] == 250_000_000
    assert len(component(plant, "press-18").tags) == 18
    weak, other = component(plant, "press-31"), component(plant, "press-32")
    assert weak.settings["security_mode"] == "Sign"
    assert other.settings["security_mode"] == "SignAndEncrypt"
    assert tag(weak, "state")["scan_ns"] == 2_000_000_000
    assert tag(weak, "speed")["scan_ns"] == 5_000_000_000
    assert tag(weak, "oil_level")["scan_ns"] == 10_000_000_000


def test_a_reader_has_full_selectors_and_its_own_buffer(plant: Deployment) -> None:
    cloud = component(plant, "cloud")

    assert cloud.deliver[:2] == ("acme/berlin/**/state", "acme/berlin/**/parts_*")
    assert cloud.buffer == Buffer(14 * 86_400_000_000_000, 30_000_000_000, "drop_oldest")
    assert component(plant, "history").deliver == ("acme/berlin/**",)


def test_an_analytic_for_a_type_is_one_component_with_forty_assets(plant: Deployment) -> None:
    oee = component(plant, "oee")

    assert len(oee.assets) == 40
    assert oee.assets[6].path == "acme/berlin/press-shop/line1/press-07"
    assert oee.assets[6].type == "press"
    assert oee.assets[6].tags["state"] == "acme/berlin/press-shop/line1/press-07/state"
    assert oee.assets[16].tags["vibration"] == "acme/berlin/press-shop/line2/press-17/vibration"


def test_every_device_at_a_node_feeds_its_asset(plant: Deployment) -> None:
    """meter-01 hangs at press-01."""
    assert (
        component(plant, "oee").assets[0].tags["power"]
        == "acme/berlin/press-shop/line1/press-01/power"
    )


def test_a_plugin_gets_calendars_whole_and_secrets_as_references(plant: Deployment) -> None:
    settings = resolve_settings(component(plant, "oee"), plant)

    assert settings["calendar"]["timezone"] == "Europe/Berlin"
    assert settings["calendar"]["shifts"]["night"]["from"] == "22:00"
    assert settings["calendar"]["closed"] == ["2026-12-24/2027-01-03", "2027-05-01"]
    assert resolve_settings(component(plant, "cloud"), plant)["password"] == {
        "secret": "file:/etc/bedplate/secrets/mqtt"
    }


def test_equal_components_have_equal_hashes_wherever_they_stand(plant: Deployment) -> None:
    again = load_text(b"# moved down by two lines\n\n" + berlin())
    changed = load_text(berlin().replace(b"deadband: 0.5}", b"deadband: 0.6}", 1))

    assert [one.hash() for one in plant.components] == [one.hash() for one in again.components]
    differs = [
        a.id
        for a, b in zip(plant.components, changed.components, strict=True)
        if a.hash() != b.hash()
    ]
    assert differs == [f"press-{n:02}" for n in range(1, 41)]


def test_a_hash_holds_plugin_secrets_files_and_calendars(plant: Deployment) -> None:
    oee = component(plant, "oee")
    later = component(load_text(berlin().replace(b"to: 14:00", b"to: 13:59")), "oee")

    hashes = [
        oee.hash(),
        oee.hash(artefact="b"),
        oee.hash(secrets=["v2"]),
        oee.hash(files=["f"]),
        later.hash(),
    ]
    assert len(set(hashes)) == 5


HEAD = "bedplate: 1\nname: x\n"


def test_the_readmes_first_file_needs_no_types() -> None:
    found = load_text(
        HEAD
        + """
connectors:
  press:
    use: opcua
    endpoint_url: opc.tcp://10.0.0.12:4840
    path: acme/berlin/line3/press
    tags:
      temperature: {address: "ns=3;s=Oil.Temp", unit: °C}
  history: {use: history, deliver: ["**"], folder: data/history}
"""
    )

    assert [spec.path for one in found.components for spec in one.tags] == [
        "acme/berlin/line3/press/temperature"
    ]
    assert component(found, "history").path == "history"
    assert component(found, "history").deliver == ("**",)
    assert resolve_settings(component(found, "history"), found)["folder"] == str(
        PLANTS / "data/history"
    )
    assert found.timezone == "UTC"


TYPE = """
types:
  m:
    parameters: {host: required, n: 5, text: abc, flag: true, unit: 1}
    use: modbus
    host: $host
    port: $n
    unit_id: $unit
    tags:
      a: {address: 1, description: "$text costs 5$$ at $name, $n times, $flag"}
"""


def test_dollars_are_filled_into_scalars_and_never_into_text() -> None:
    evil = '"x, use: helix}"'
    found = load_text(
        HEAD + TYPE + f"connectors: {{ms: {{type: m, each: {{m1: {{host: h, text: {evil}}}}}}}}}"
    )
    one = component(found, "m1")

    assert one.settings == {"host": "h", "port": 5, "unit_id": 1}
    assert one.tags[0].description == "x, use: helix} costs 5$ at m1, 5 times, true"


def test_numbers_in_text_stay_as_they_were_written() -> None:
    found = load_text(
        HEAD + TYPE + "connectors: {ms: {type: m, each: {m1: {host: h, text: 1.50}}}}"
    )

    assert component(found, "m1").tags[0].description.startswith("1.50 costs")


def test_a_value_with_a_dollar_is_not_filled_again() -> None:
    found = load_text(
        HEAD + TYPE + "connectors: {ms: {type: m, each: {m1: {host: h, text: $name$$x}}}}"
    )

    assert component(found, "m1").tags[0].description.startswith("$name$$x costs")


def test_a_dollar_in_a_component_without_type_is_a_dollar() -> None:
    found = load_text(
        HEAD + "connectors: {c: {use: mqtt, deliver: ['**'], broker_url: b, username: pa$$w$x}}"
    )

    assert component(found, "c").settings["username"] == "pa$$w$x"


def test_a_type_without_rows_takes_its_parameters_beside_it() -> None:
    found = load_text(HEAD + TYPE + "connectors: {m1: {type: m, host: h1, n: 7, byte_order: CDAB}}")

    assert component(found, "m1").settings == {
        "host": "h1",
        "port": 7,
        "unit_id": 1,
        "byte_order": "CDAB",
    }


def test_what_stands_beside_the_type_holds_for_all_rows_and_an_override_wins() -> None:
    found = load_text(
        HEAD
        + TYPE
        + """
connectors:
  ms:
    type: m
    each: {m1: {host: a}, m2: {host: b}}
    process: p-$name
    byte_order: CDAB
    tags: {b: {address: 2}}
    override: {m2: {byte_order: BADC, tags: {a: {address: 3}}}}
"""
    )
    one, two = component(found, "m1"), component(found, "m2")

    assert (one.settings["byte_order"], two.settings["byte_order"]) == ("CDAB", "BADC")
    assert (one.process, two.process) == ("p-m1", "p-m2")
    assert [(spec.name, spec.address) for spec in one.tags] == [("a", 1), ("b", 2)]
    assert [(spec.name, spec.address) for spec in two.tags] == [("a", 3), ("b", 2)]
    assert two.tags[0].description == one.tags[0].description.replace("m1", "m2")


def test_tables_may_come_from_excel() -> None:
    rows = "\ufeffname;host;unit\r\nm1;10.0.0.1;3\r\n\r\nm2;10.0.0.2;\r\n"
    found = load_text(HEAD + TYPE + "connectors: {ms: {type: m, each: t.csv}}", {"t.csv": rows})

    assert [(one.id, one.settings["unit_id"], one.line) for one in found.components] == [
        ("m1", 3, 2),
        ("m2", 1, 4),
    ]


def test_cells_are_typed_like_scalars() -> None:
    text = (
        HEAD
        + TYPE.replace("unit_id: $unit", "unit_id: 1\n    byte_order: $unit")
        + "connectors: {ms: {type: m, each: t.csv}}"
    )

    assert wrong(text, {"t.csv": "name,host,unit\nm1,h,ABCD\nm2,h,7\nm3,h,true\n"}) == [
        "t.csv:3 m2.unit: 7 is none of ABCD, CDAB, BADC, DCBA",
        "t.csv:4 m3.unit: true is none of ABCD, CDAB, BADC, DCBA",
    ]


def test_a_table_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "secret.csv").write_text("name,host\nm1,hunter2\n")
    (tmp_path / "site" / "link.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "site" / "folder.csv").mkdir()
    for name in (
        "../secret.csv",
        "link.csv",
        str(tmp_path / "secret.csv"),
        "/dev/zero",
        "folder.csv",
    ):
        file = tmp_path / "site" / "plant.yaml"
        file.write_text(HEAD + TYPE + f"connectors: {{ms: {{type: m, each: {name}}}}}")
        with pytest.raises(ConfigError) as caught:
            load(file, ALL.get, ALL)

        assert [problem.path for problem in caught.value.problems][-1:] == ["connectors.ms.each"]
        assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_there_is_a_problem_like_others(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.yaml", ALL.get)

    assert str(caught.value) == f"{tmp_path / 'none.yaml'}  No such file or directory"


def test_a_small_file_cannot_become_a_huge_plant() -> None:
    rows = "name,host\n" + "".join(f"m{n},h\n" for n in range(10_001))
    entry = "connectors: {ms: {type: m, each: t.csv}}"
    assert wrong(HEAD + TYPE + entry, {"t.csv": rows})[0] == (
        "plant.yaml:13 connectors.ms: expands beyond 10000 components; split the plant into several deployments"
    )

    tags = "".join(f"\n      t{n}: {{address: {n}}}" for n in range(600))
    rows = "name,host\n" + "".join(f"m{n},h\n" for n in range(600))
    assert (
        "expands beyond 500000 settings"
        in wrong(HEAD + TYPE.rstrip() + tags + "\n" + entry, {"t.csv": rows})[0]
    )

    bomb = TYPE.replace("$text costs", "$text" * 20)
    found = wrong(HEAD + bomb + f"connectors: {{m1: {{type: m, host: h, text: {'x' * 10_000}}}}}")
    assert found == [
        "plant.yaml:12 types.m.tags.a.description: longer than 64 KiB when filled (reaches m1)"
    ]


def test_scale_is_a_number_or_two_ranges() -> None:
    tags = """
      a: {address: 1, scale: 0.001}
      b: {address: 2, scale: {raw: [4000, 20000], to: [-50, 150]}}
      c: {address: 3, scale: 2, offset: -10}
      d: {address: 4, offset: 273.15}
      e: {address: 5}
"""
    found = load_text(HEAD + f"connectors:\n  m:\n    use: modbus\n    host: h\n    tags:{tags}")

    assert [spec.scale for spec in found.components[0].tags] == [
        (0.001, 0.0),
        (0.0125, -100.0),
        (2.0, -10.0),
        (1.0, 273.15),
        None,
    ]


def test_the_plugins_own_words_of_a_tag_are_kept_apart() -> None:
    tags = "{a: {address: 1, unit_id: 3, data_type: int16, unit: V}, b: {address: 2, scan: 500ms}}"
    found = load_text(
        HEAD
        + f"scan_classes: {{slow: 1min}}\nconnectors: {{m: {{use: modbus, host: h, scan: slow, tags: {tags}}}}}"
    )
    a, b = found.components[0].tags

    assert (a.settings, a.data_type, a.unit) == ({"unit_id": 3, "data_type": "int16"}, "int16", "V")
    assert (a.scan_class, a.scan_ns) == ("slow", 60_000_000_000)
    assert (b.scan_class, b.scan_ns) == ("500ms", 500_000_000)


def test_a_connector_may_look_for_its_tags() -> None:
    text = HEAD + "connectors: {p: {use: opcua, endpoint_url: opc.tcp://h, browse: %s}}\n"
    more = "analytics: {a: {use: oee, for: p, state: state}}"

    assert load_text(text % "true" + more).components[0].browse == Browse()
    assert load_text(
        text % "{root: ns=3;s=Oil, depth: 2, include: ['*/Temp'], exclude: ['_*']}"
    ).components[0].browse == Browse("ns=3;s=Oil", 2, ("*/Temp",), ("_*",))
    assert load_text(text % "false").components[0].browse is None
    assert wrong(text % "false" + more) == [
        "plant.yaml:4 analytics.a.state: `state` is no tag of p"
    ]


def test_security_may_be_none() -> None:
    assert load_text(HEAD + "security: none\n").components == ()
    assert wrong(HEAD + "security: nobody\n") == [
        'plant.yaml:3 security: "nobody" is text; expected a mapping'
    ]


def test_unicode_names_are_names() -> None:
    found = load_text(
        HEAD
        + "path: Werk-Süd\nconnectors: {ÖlPumpe: {use: modbus, host: h, tags: {Temperatur °C: {address: 1}}}}"
    )

    assert found.components[0].tags[0].path == "Werk-Süd/ÖlPumpe/Temperatur °C"
    assert wrong(HEAD + "path: Werk-Su\u0308d\n") == [
        'plant.yaml:3 path: "Werk-Süd": must be in Unicode normal form C'.replace("ü", "u\u0308")
    ]
