"""What becomes of everything that is installed as a plugin: sound, broken, hostile, twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.admission.site import SCHEMA, Site, manifest

from bedplate.admission.candidate import Candidate, schemas_for
from bedplate.admission.survey import survey
from bedplate.config import load
from bedplate.errors import AdmissionError, ConfigError


def the(name: str) -> Candidate:
    """What became of one distribution."""
    found = [c for c in survey().candidates if c.distribution == name]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.case("A23")
def test_a_sound_plugin_is_admissible_and_is_not_imported(site: Site) -> None:
    site.install("acme-press", manifest=manifest(), schema={"acme": SCHEMA}, version="2.3")
    candidate = the("acme-press")
    assert (candidate.verdict, candidate.reason) == ("admissible", "")
    offer = candidate.offers[0]
    assert (offer.use, offer.kind, offer.capabilities) == ("acme", "connector", ("read",))
    assert (offer.plugin, offer.version, offer.target) == ("acme-press", "2.3", "acme_press:Acme")
    assert offer.python == sys.executable
    assert candidate.support == "Acme, +49 30 0000"
    assert site.imported() == []
    assert "acme_press" not in sys.modules


REFUSALS = {
    "no manifest": (None, "no bedplate-plugin.toml in {package}"),
    "no TOML": ("manifest = ", "{package}/bedplate-plugin.toml: is no TOML: Invalid value (at end"),
    "no form": ('requires_api = ">=1,<2"', "manifest: must say the form of this file"),
    "form of the future": ("manifest = 2", "is of form 2, and Bedplate"),
    "a bool for the form": ("manifest = true", "manifest: must say the form"),
    "no range": ("manifest = 1", "requires_api: is missing"),
    "nonsense for a range": (manifest(requires="new"), "'new' is no range of versions"),
    "a range without an end": (manifest(requires=">=1"), "'>=1' has no upper end"),
    "unknown key": (manifest(more='suport = "x"'), "suport: unknown; did you mean `support`?"),
    "unknown key of an offer": (
        manifest(offer="replays = 1"),
        "[[offer]] 1, replays: unknown; did",
    ),
    "kind": (
        manifest().replace('"connector"', '"conector"'),
        "[[offer]] 1, kind: 'conector' is none of connector, analytic, security",
    ),
    "use": (manifest("Acme Press"), "[[offer]] 1, use: 'Acme Press' must be lower-case letters"),
    "class": (manifest(offer='class = "os.system"'), "must name a module and a class"),
    "no offer": ('manifest = 1\nrequires_api = ">=1,<2"', "offer: is missing"),
    "empty offer": ('manifest = 1\nrequires_api = ">=1,<2"\noffer = []', "offer: there is none"),
    "no capability": (
        manifest().replace('["read"]', "[]"),
        "a connector needs at least one of read",
    ),
    "twice in one manifest": (
        manifest() + '[[offer]]\nuse = "acme"\nkind = "security"',
        "[[offer]] acme: is offered twice",
    ),
    "terminal codes": (
        manifest(more='[permissions]\nfiles = ["\\u001b[2J"]'),
        "printable characters",
    ),
    "network": (
        manifest() + '[permissions]\nnetwork = ["*"]',
        "permissions, network 1: '*' must be tcp:",
    ),
    "no such URL": (
        manifest() + '[permissions]\nnetwork = ["$url"]',
        "permissions: $url is no setting of what it offers",
    ),
    "no such setting": (
        manifest() + '[permissions]\nnetwork = ["tcp:$hots:1"]',
        "permissions: $hots is no setting of what it offers",
    ),
    "more than its class can": (
        manifest().replace('["read"]', '["read", "write"]'),
        "`acme` declares write, which its class does not have",
    ),
    "other kind than its class": (
        manifest().replace('"connector"\ncapabilities = ["read"]', '"analytic"'),
        "`acme` is of kind analytic in the manifest, connector in config.schema.json",
    ),
    "offer unknown to the schema": (manifest("acme-two"), "does not know `acme-two`"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_wrong_with_a_manifest_is_said_with_file_and_key(site: Site, case: str) -> None:
    text, words = REFUSALS[case]
    package = site.install("acme-press", manifest=text, schema={"acme": SCHEMA})
    candidate = the("acme-press")
    assert candidate.verdict == "refused"
    assert words.format(package=package) in candidate.reason
    assert "\n" not in candidate.reason
    assert site.imported() == []


def test_all_that_is_wrong_with_a_manifest_is_said_at_once(site: Site) -> None:
    text = manifest(offer='replay = "always"\nclas = "x:Y"', more="colour = 1")
    site.install("acme-press", manifest=text, schema={"acme": SCHEMA})
    reason = the("acme-press").reason
    assert all(
        word in reason for word in ("replay", "clas: unknown; did you mean `class`?", "colour")
    )


@pytest.mark.parametrize(
    ("requires", "cure"),
    [
        (">=2,<3", "install a newer Bedplate"),
        (">=0.3,<1", "install a newer version of this plugin"),
    ],
)
def test_a_plugin_for_another_api_is_told_both_ranges_and_the_cure(
    site: Site, requires: str, cure: str
) -> None:
    future = manifest(requires=requires, more='unknown_to_us = "of another time"')
    site.install("acme-press", manifest=future, schema="of another time")
    candidate = the("acme-press")
    assert f"made for Bedplate API {requires}" in candidate.reason
    assert "serves API 1 up to 1.0" in candidate.reason
    assert cure in candidate.reason
    assert "unknown_to_us" not in candidate.reason
    assert candidate.uses == ("acme",)
    assert "acme-press 1.0 offers it and is refused" in survey().why_not("acme")


SCHEMAS = {
    "none": (None, "config.schema.json: No such file or directory; its author makes it with:"),
    "no JSON": ("{", "config.schema.json: is no JSON"),
    "too deep": ("[" * 100_000, "config.schema.json: is no JSON"),
    "not an object": ('{"offers": {"acme": 1}}', "offers, acme:"),
    "a setting with a kernel word": (
        {"acme": SCHEMA | {"settings": {"properties": {"path": {}}}}},
        "`acme`: setting `path` has the name of a kernel word",
    ),
    "a tag setting with a kernel word": (
        {"acme": SCHEMA | {"tag": {"properties": {"scale": {}}}}},
        "`acme`: tag setting `scale` has the name of a kernel word",
    ),
}


@pytest.mark.parametrize("case", SCHEMAS)
def test_a_plugin_whose_settings_cannot_be_known_is_refused(site: Site, case: str) -> None:
    schema, words = SCHEMAS[case]
    site.install("acme-press", manifest=manifest(), schema=schema)  # type: ignore[arg-type]
    candidate = the("acme-press")
    assert candidate.verdict == "refused"
    assert words in candidate.reason


def test_a_tag_may_have_a_data_type_of_the_plugin(site: Site) -> None:
    own = SCHEMA | {"tag": {"properties": {"data_type": {"enum": ["float32"]}}}}
    site.install("acme-press", manifest=manifest(), schema={"acme": own})
    assert the("acme-press").verdict == "admissible"


@pytest.mark.parametrize(
    "code",
    [
        "raise ImportError('no')",
        "raise SystemExit(3)",
        "while True: pass",
        "import os; os._exit(3)",
    ],
)
def test_a_broken_or_hanging_entry_point_harms_nobody(site: Site, code: str) -> None:
    site.install("broken", manifest=None, code=code, points="[bedplate.plugins]\nb = broken.sub:B")
    site.install("trap", manifest=manifest("trap"), schema={"trap": SCHEMA}, code=code)
    site.install("acme-press", manifest=manifest(), schema={"acme": SCHEMA})
    found = survey()
    verdicts = {c.distribution: c.verdict for c in found.candidates}
    assert verdicts["broken"] == "refused"
    assert verdicts["acme-press"] == "admissible"
    assert schemas_for(found)("acme") is not None
    found.admit({"acme"})
    assert site.imported() == []


def test_only_what_the_deployment_names_is_admitted(site: Site) -> None:
    site.install("acme-press", manifest=manifest(), schema={"acme": SCHEMA})
    site.install("other", manifest=manifest("other"), schema={"other": SCHEMA})
    site.install("bad", manifest=None)
    admission = survey().admit({"acme"})
    assert set(admission.offers) == {"acme"}
    verdicts = {c.distribution: (c.verdict, c.reason) for c in admission.candidates}
    assert verdicts["acme-press"] == ("admitted", "")
    assert verdicts["other"] == ("not named", "the deployment names none of what it offers")
    assert verdicts["bad"][0] == "refused"
    assert site.imported() == []


def test_a_name_that_cannot_be_had_is_explained(site: Site) -> None:
    site.install("acme-press", manifest=manifest(), schema=None)
    with pytest.raises(AdmissionError) as told:
        survey().admit({"acme", "nobody"})
    first, second = str(told.value).splitlines()
    assert first.startswith("`acme`: acme-press 1.0 offers it and is refused: ")
    assert second == "`nobody`: no plugin offers it"


def test_check_says_at_its_line_why_a_plugin_cannot_be_had(site: Site, tmp_path: Path) -> None:
    site.install("acme-press", manifest=manifest(requires=">=2,<3"), schema={"acme": SCHEMA})
    file = tmp_path / "plant.yaml"
    file.write_text("bedplate: 1\nname: x\nconnectors:\n  a: {use: acme}\n  b: {use: nobody}\n")
    found = survey()
    with pytest.raises(ConfigError) as told:
        load(file, schemas_for(found), found.offers)
    first, second = told.value.problems
    assert (first.line, second.line) == (4, 5)
    assert "`acme`: acme-press 1.0 offers it and is refused" in first.text
    assert "install a newer Bedplate" in first.text
    assert second.text.startswith("no plugin offers `nobody`; installed: ")


def test_two_plugins_that_offer_the_same_name_are_both_refused(site: Site) -> None:
    site.install("acme-press", manifest=manifest(), schema={"acme": SCHEMA})
    site.install("acme-clone", manifest=manifest(), schema={"acme": SCHEMA})
    assert "`acme` is also offered by acme of acme-clone" in the("acme-press").reason
    assert "`acme` is also offered by acme of acme-press" in the("acme-clone").reason
    assert "acme" not in survey().offers


def test_a_refused_plugin_takes_no_name_from_others(site: Site) -> None:
    site.install("acme-press", manifest=manifest(), schema={"acme": SCHEMA})
    site.install("acme-clone", manifest=manifest(requires=">=7,<8"), schema={"acme": SCHEMA})
    assert the("acme-press").verdict == "admissible"


def test_several_entry_points_of_one_package_share_its_manifest(site: Site) -> None:
    two = manifest("tcp") + '[[offer]]\nuse = "rtu"\nkind = "connector"\ncapabilities = ["read"]\n'
    points = "[bedplate.plugins]\ntcp = acme_bus:Tcp\nrtu = acme_bus:Rtu [serial]\n"
    site.install("acme-bus", manifest=two, schema={"tcp": SCHEMA, "rtu": SCHEMA}, points=points)
    offers = survey().offers
    assert (offers["tcp"].target, offers["rtu"].target) == ("acme_bus:Tcp", "acme_bus:Rtu")


def test_an_offer_without_a_class_is_refused(site: Site) -> None:
    two = manifest("tcp") + '[[offer]]\nuse = "rtu"\nkind = "connector"\ncapabilities = ["read"]\n'
    points = "[bedplate.plugins]\ntcp = acme_bus:Tcp\n"
    site.install("acme-bus", manifest=two, schema={"tcp": SCHEMA, "rtu": SCHEMA}, points=points)
    assert '`rtu` names no class; write class = "acme_bus:…"' in the("acme-bus").reason


def test_the_manifest_of_a_package_in_a_namespace_is_found_without_importing(site: Site) -> None:
    inner = site.folder / "acme_group" / "press"
    inner.mkdir(parents=True)
    (inner / "bedplate-plugin.toml").write_text(manifest())
    schema = site.install("donor", manifest=manifest("x"), schema={"acme": SCHEMA})
    (schema / "config.schema.json").rename(inner / "config.schema.json")
    (inner / "__init__.py").write_text("raise SystemExit")
    site.declare("acme-press", "[bedplate.plugins]\nacme = acme_group.press.driver:Acme\n")
    assert the("acme-press").offers[0].target == "acme_group.press.driver:Acme"


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("nowhere", "package nowhere is not installed, though its entry point is"),
        ("json.decoder", "no bedplate-plugin.toml in "),
        ("sys", "sys is no package with a folder"),
        ("a-b", "names 'a-b', which is no module"),
        ("", "names '', which is no module"),
    ],
)
def test_an_entry_point_that_leads_nowhere_is_explained(
    site: Site, module: str, words: str
) -> None:
    site.declare("acme-press", f"[bedplate.plugins]\nacme = {module}:X\n")
    assert words in the("acme-press").reason


@pytest.mark.parametrize(
    "points", ["[bedplate.plugins]\nacme\n", "bedplate.plugins\nacme = a:B\n", b"\xff\xfe["]
)
def test_a_damaged_distribution_is_told_and_hides_no_other(site: Site, points: str | bytes) -> None:
    site.install("acme-press", manifest=manifest(), schema={"acme": SCHEMA})
    site.declare("damaged", "")
    file = site.folder / "damaged-1.0.dist-info" / "entry_points.txt"
    file.write_bytes(points if isinstance(points, bytes) else points.encode())
    assert the("acme-press").verdict == "admissible"
    assert the("damaged").reason.startswith("entry_points.txt: ")


def test_a_distribution_that_is_installed_twice_counts_once(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("acme-press", manifest=manifest(), schema={"acme": SCHEMA}, version="1.0")
    folder = tmp_path / "first"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    Site(folder).install("Acme-Press", manifest=manifest(), schema={"acme": SCHEMA}, version="2.0")
    assert [c.version for c in survey().candidates if "acme" in c.uses] == ["2.0"]


def test_what_a_plugin_says_of_itself_cannot_steer_a_terminal(site: Site) -> None:
    site.declare("evil", "[bedplate.plugins]\na\x1b[2Jb = x:Y\n")
    assert the("evil").name.isprintable()
    assert the("evil").reason.isprintable()


def test_our_own_plugins_are_found_like_a_strangers() -> None:
    """They are installed editable, are met in no other way, and nothing of theirs is imported; in a process of its own,
    since other tests of this run import them."""
    program = """
import json, sys
from bedplate.admission.survey import survey
found = {c.name: [c.verdict, c.reason] for c in survey().candidates}
print(json.dumps([found, [name for name in sys.modules if name.startswith("bedplate_")]]))
"""
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=60
    ).stdout
    found, imported = json.loads(printed)
    assert {"alarms", "history", "modbus", "oee", "opcua", "simline"} <= set(found)
    assert found["modbus"][0] == "admissible", found["modbus"][1]
    assert not imported
