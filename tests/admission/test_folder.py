"""A plugin folder ends as one explained candidate, and nothing in it is run for that."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.admission.folders import NAMED, OFFER, command, only, plugin_folder
from tests.admission.site import SCHEMA, Site, manifest

from bedplate.admission.program import program as program_of
from bedplate.admission.reading import survey_of
from bedplate.admission.survey import Places, survey, survey_with
from bedplate.cli.group import root
from bedplate.errors import AdmissionError, ConfigError

SHELL = NAMED + command("./run.sh", "words", "data.txt", "./data.txt") + OFFER
PYTHON = NAMED + OFFER + 'class = "acme_press:Acme"\n'


def program(place: Path) -> Path:
    return plugin_folder(place, SHELL, run__sh="#!/bin/sh\n", data__txt="")


def environment(place: Path, *, interpreter: str = sys.executable, bedplate: bool = True) -> Path:
    """What `python -m venv` leaves, without the time it takes."""
    site = place / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    if bedplate:
        (site / "bedplate").mkdir()
    (place / "bin").mkdir()
    (place / "bin" / "python").symlink_to(interpreter)
    (place / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    return site


def test_a_program_of_any_language_is_admissible(tmp_path: Path) -> None:
    folder = program(tmp_path / "press")
    found = only(folder)

    assert (found.verdict, found.reason) == ("admissible", "")
    assert (found.name, found.version, found.uses) == ("acme-press", "1.2.0", ("acme",))
    [offer] = found.offers
    data = str(folder / "data.txt")
    assert offer.command == (str(folder / "run.sh"), "words", data, data)
    assert (offer.folder, offer.target, offer.plugin) == (folder, "", "acme-press")


def test_a_manifest_stands_for_its_folder(tmp_path: Path) -> None:
    file = program(tmp_path / "press") / "bedplate-plugin.toml"

    assert "acme" in survey_with([file]).offers


def test_a_program_on_path_is_found_there(tmp_path: Path) -> None:
    folder = plugin_folder(tmp_path, NAMED + command("sh", "-c", "true") + OFFER)

    command_ = only(folder).offers[0].command
    assert os.path.isabs(command_[0])
    assert command_[1:] == ("-c", "true")


@pytest.mark.parametrize("line", ["#!/usr/bin/env sh", "#!/usr/bin/env -S sh -u"])
def test_env_is_not_started_but_what_it_would_start(line: str, tmp_path: Path) -> None:
    text = NAMED + command("./press", "fast") + OFFER
    folder = plugin_folder(tmp_path, text, press=f"{line}\n")

    shell, *words = only(folder).offers[0].command
    assert shell == shutil.which("sh")
    assert words == [*line.split()[3:], str(folder / "press"), "fast"]


def test_python_in_a_folder_is_run_by_the_kernels_interpreter(tmp_path: Path) -> None:
    folder = plugin_folder(tmp_path, PYTHON, acme_press__py="raise SystemExit('it was run')")
    [offer] = only(folder).offers

    assert (offer.python, offer.command, offer.target) == (sys.executable, (), "acme_press:Acme")


@pytest.mark.parametrize("name", ["env", ".venv", "venv"])
def test_an_environment_beside_the_manifest_runs_it(name: str, tmp_path: Path) -> None:
    folder = plugin_folder(tmp_path, PYTHON)
    environment(folder / name)

    assert only(folder).offers[0].python == str(folder / name / "bin" / "python")


def test_a_plugin_installed_in_an_environment_needs_no_manifest_beside_it(tmp_path: Path) -> None:
    inside = environment(tmp_path / "press" / ".venv")
    site = Site(inside)
    site.install("acme-press", manifest=manifest(), schema={"acme": SCHEMA}, version="3.1")
    [found] = survey_with([tmp_path / "press"]).candidates[-1:]

    assert (found.verdict, found.reason, found.distribution) == ("admissible", "", "acme-press")
    assert (found.version, found.offers[0].target) == ("3.1", "acme_press:Acme")
    assert found.offers[0].python == str(tmp_path / "press/.venv/bin/python")
    assert not site.imported()
    assert "acme_press" not in sys.modules


OTHER = {"x86_64": (183, "aarch64")}.get(platform.machine(), (62, "x86_64"))
ELF = b"\x7fELF\x02\x01\x01" + bytes(11) + OTHER[0].to_bytes(2, "little") + bytes(44)


@pytest.mark.parametrize(
    ("text", "files", "reason"),
    [
        (None, {}, "no bedplate-plugin.toml in FOLDER"),
        (
            NAMED.replace('name = "acme-press"\n', "") + OFFER,
            {},
            "FOLDER/bedplate-plugin.toml: name: is missing; a plugin folder says its own, such as "
            'name = "press" above the first [[offer]]',
        ),
        (
            NAMED.replace('version = "1.2.0"\n', "") + OFFER,
            {},
            "FOLDER/bedplate-plugin.toml: version: is missing; a plugin folder says its own, such as "
            'version = "1.0.0" above the first [[offer]]',
        ),
        (
            NAMED.replace("acme-press", "Acme Press") + OFFER,
            {},
            "FOLDER/bedplate-plugin.toml: name: 'Acme Press' must be lower-case letters, digits, ., - and _, "
            "such as acme-press",
        ),
        (
            NAMED.replace("1.2.0", "../1.2.0") + OFFER,
            {},
            "FOLDER/bedplate-plugin.toml: version: '../1.2.0' must be a version, such as 1.4.0",
        ),
        (
            NAMED + OFFER,
            {},
            '`acme` names no class; write class = "module:Class" under its [[offer]], or how another language is '
            'started: [run] command = ["node", "plugin.js"]',
        ),
        (
            NAMED + command("sh") + OFFER + 'class = "a:B"\n',
            {},
            "FOLDER/bedplate-plugin.toml: [[offer]] acme, class: [run] starts this plugin, so it names no class; "
            "leave out one of them",
        ),
        (
            NAMED + "[run]\n" + OFFER,
            {},
            "FOLDER/bedplate-plugin.toml: run, command: is missing",
        ),
        (
            NAMED + '[run]\ncomand = ["sh"]\n' + OFFER,
            {},
            "FOLDER/bedplate-plugin.toml: run, command: is missing; run, comand: unknown; did you mean `command`?",
        ),
        (
            NAMED + command("no-such-program") + OFFER,
            {},
            "[run] command: no program `no-such-program` is on PATH; install it",
        ),
        (
            NAMED + command("press") + OFFER,
            {"press": "#!/bin/sh\n"},
            "[run] command: no program `press` is on PATH; for the file in its folder write ./press",
        ),
        (
            NAMED + command("./press") + OFFER,
            {},
            "[run] command: there is no FOLDER/press",
        ),
        (
            NAMED + command("sh", "./press") + OFFER,
            {},
            "[run] command: there is no FOLDER/press",
        ),
        (
            NAMED + command("./press") + OFFER,
            {"press": "echo"},
            "[run] command: FOLDER/press is not executable; chmod +x press",
        ),
        (
            NAMED + command("./press") + OFFER,
            {"press": "#!/opt/none/python\n"},
            "[run] command: FOLDER/press is run by /opt/none/python, which is not there; install it",
        ),
        (
            NAMED + command("./press") + OFFER,
            {"press": "#!/usr/bin/env -S no-such-program x\n"},
            "[run] command: FOLDER/press is run by `no-such-program`, which is not on PATH; install it",
        ),
    ],
)
def test_what_is_wrong_with_a_folder_is_told_in_a_sentence(
    text: str | None, files: dict[str, str], reason: str, tmp_path: Path
) -> None:
    folder = plugin_folder(tmp_path / "press", text, **files)
    found = only(folder)

    assert found.verdict == "refused"
    assert found.reason == reason.replace("FOLDER", str(folder))


def test_the_source_of_a_wheel_is_no_plugin_folder_and_the_cure_is_told(tmp_path: Path) -> None:
    package = plugin_folder(tmp_path / "acme_press", manifest(), {"acme": SCHEMA})
    (tmp_path / "pyproject.toml").touch()
    cure = f"; a Python project is installed: {sys.executable} -m pip install -e {tmp_path}"

    assert only(tmp_path).reason == f"no bedplate-plugin.toml in {tmp_path}{cure}"
    assert only(package).reason.endswith(f"above the first [[offer]]{cure}")


def test_a_program_for_another_processor_is_told_so(tmp_path: Path) -> None:
    folder = plugin_folder(tmp_path, NAMED + command("./press") + OFFER, press=ELF)
    (folder / "press").chmod(0o755)

    assert only(folder).reason == (
        f"[run] command: {folder}/press is built for {OTHER[1]}, and this machine is {platform.machine()}; "
        "install the build for it"
    )


HEADS = st.sampled_from([b"", b"#!", b"#!/usr/bin/env ", b"#!/bin/sh\n", b"\x7fELF"])


@given(HEADS, st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_program_or_are_told_not_to_be_one(head: bytes, rest: bytes) -> None:
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "press")
        file.write_bytes(head + rest)
        file.chmod(0o755)
        told = ""
        try:
            command = program_of(["./press"], file.parent)
        except AdmissionError as error:
            told = str(error)

    assert told.isprintable() if told else command[-1] == str(file)


def test_what_a_script_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "press").write_bytes(b"#!/opt/\x1b[31m\x00none\n")
    (tmp_path / "press").chmod(0o755)

    with pytest.raises(AdmissionError, match=r"run by /opt/\?\[31m\?none, which is not there"):
        program_of(["./press"], tmp_path)


def test_a_folder_without_a_schema_is_refused_with_the_way_to_make_one(tmp_path: Path) -> None:
    script = plugin_folder(tmp_path / "a", NAMED + command("sh") + OFFER, schema={})
    python = plugin_folder(tmp_path / "b", PYTHON, schema={})

    assert only(script).reason == (
        f"{script}/config.schema.json: No such file or directory; its author writes it beside the manifest"
    )
    assert only(python).reason == (
        f"{python}/config.schema.json: No such file or directory; its author makes it with: "
        f"python -m bedplate.admission.schema {python}"
    )


def test_the_schema_of_a_python_folder_is_made_from_its_class(tmp_path: Path) -> None:
    code = "from bedplate import Connector\nclass Acme(Connector):\n    def read(self, tags): return []\n"
    folder = plugin_folder(tmp_path, PYTHON, schema={}, acme_press__py=code)
    words = [sys.executable, "-m", "bedplate.admission.schema", str(folder)]

    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    assert only(folder).verdict == "admissible"
    subprocess.run([*words, "--check"], check=True)


def test_a_refused_folder_keeps_the_name_and_the_uses_it_claims(tmp_path: Path) -> None:
    found = only(plugin_folder(tmp_path, NAMED + command("./none") + OFFER))

    assert (found.name, found.version, found.uses) == ("acme-press", "1.2.0", ("acme",))


def test_an_environment_whose_interpreter_is_gone_says_how_to_make_it_again(tmp_path: Path) -> None:
    folder = plugin_folder(tmp_path / "press", PYTHON)
    environment(folder / ".venv", interpreter="/opt/none/python3")

    assert only(folder).reason == (
        f"the interpreter {folder}/.venv/bin/python leads to, /opt/none/python3, is gone; "
        f"make it again: python3 -m venv --clear {folder}/.venv"
    )


def test_an_environment_of_too_old_a_python_says_so(tmp_path: Path) -> None:
    folder = plugin_folder(tmp_path / "press", PYTHON)
    environment(folder / "env")
    (folder / "env" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.9.2\n")

    assert only(folder).reason == (
        f"{folder}/env is Python 3.9, and Bedplate needs 3.11 or newer; "
        f"make it again: python3 -m venv --clear {folder}/env"
    )


def test_an_environment_without_bedplate_says_how_to_install_it(tmp_path: Path) -> None:
    folder = plugin_folder(tmp_path / "press", PYTHON)
    environment(folder / "env", bedplate=False)

    assert only(folder).reason == (
        f"{folder}/env holds no bedplate; {folder}/env/bin/python -m pip install bedplate"
    )


def test_an_installed_package_may_not_say_how_it_is_run(site: Site) -> None:
    site.install("acme-press", manifest=manifest(more=command("sh")), schema={"acme": SCHEMA})
    [found] = [c for c in survey().candidates if c.distribution == "acme-press"]

    assert found.reason == "[run] is for plugin folders; an installed package is run by its Python"


def test_a_candidate_says_where_it_is_and_what_runs_it(tmp_path: Path) -> None:
    script = only(program(tmp_path / "script"))
    own = plugin_folder(tmp_path / "own", PYTHON)
    environment(own / ".venv")
    plain = only(plugin_folder(tmp_path / "plain", PYTHON))

    assert (script.place, script.runs) == (
        tmp_path / "script",
        "./run.sh words ./data.txt ./data.txt",
    )
    assert only(own).runs == "./.venv/bin/python"
    assert plain.runs == "Bedplate's Python"


def test_plugins_lists_what_a_deployment_file_and_the_command_name(tmp_path: Path) -> None:
    named, given = version_of(tmp_path / "named", "1.0"), plugin_folder(tmp_path / "given", PYTHON)
    file = tmp_path / "plant.yaml"
    file.write_text("bedplate: 1\nname: x\nplugins: {folders: [named]}\n")
    words = ["plugins", "list", "--of", str(file), "--plugin", str(given), "acme", "--json"]

    facts = json.loads(CliRunner().invoke(root, words).stdout)
    told = {fact["place"]: (fact["verdict"], fact["runs"], fact["reason"]) for fact in facts}
    assert told == {
        str(named): (
            "gives way",
            "./run.sh words ./data.txt ./data.txt",
            "`acme` comes from acme-press, given with --plugin",
        ),
        str(given): ("admissible", "Bedplate's Python", ""),
    }


# --- who wins a name ---


@pytest.mark.parametrize("words", [["plugins"], ["doctor"]])
def test_giving_way_to_the_installed_version_is_no_problem(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path))
    tmp_path.chmod(0o700)
    version_of(tmp_path / "plugins" / "acme-press" / "2.0", "2.0")
    (tmp_path / "plugins" / "acme-press" / "current").symlink_to("2.0")
    site.install("acme-press", manifest=manifest(), schema={"acme": SCHEMA})
    told = CliRunner().invoke(root, [*words, "--json"])

    if words == ["plugins"]:
        assert told.exit_code == 0
        mine = [f["verdict"] for f in json.loads(told.stdout) if "acme" in f["offers"]]
        assert sorted(mine) == ["admissible", "gives way"]
    else:
        assert not [f for f in json.loads(told.stdout) if f["what"] == "plugin"]


def version_of(folder: Path, version: str) -> Path:
    text = SHELL.replace("1.2.0", version)
    return plugin_folder(folder, text, run__sh="#!/bin/sh\n", data__txt="")


def test_what_was_given_goes_before_what_the_file_names_and_that_before_what_is_installed(
    tmp_path: Path, site: Site
) -> None:
    site.install("acme-old", manifest=manifest(), schema={"acme": SCHEMA})
    given, named = version_of(tmp_path / "given", "3.0"), version_of(tmp_path / "named", "2.0")

    assert survey().offers["acme"].plugin == "acme-old"
    by_file = survey_with([], Places((named,)))
    assert by_file.offers["acme"].version == "2.0"
    both = survey_with([given], Places((named,)))
    assert both.offers["acme"].version == "3.0"
    reasons = {c.place or c.distribution: c.reason for c in both.candidates if "acme" in c.uses}
    assert reasons["acme-old"] == "`acme` comes from acme-press, given with --plugin"
    assert reasons[named] == "`acme` comes from acme-press, given with --plugin"


def test_a_place_that_was_named_and_holds_no_plugin_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AdmissionError) as wrong:
        survey_with([tmp_path / "none"], Places((tmp_path / "nor-this",)))

    assert str(wrong.value).splitlines() == [
        f"{tmp_path}/none: No such file or directory",
        f"{tmp_path}/nor-this: there is no such folder",
    ]


def test_a_folder_of_the_file_that_can_t_be_used_is_told_at_its_line(tmp_path: Path) -> None:
    version_of(tmp_path / "good", "1.0")
    plugin_folder(tmp_path / "bad", NAMED + command("./none") + OFFER)
    file = tmp_path / "plant.yaml"
    file.write_text("bedplate: 1\nname: x\nplugins:\n  folders:\n    - good\n    - bad\n")

    with pytest.raises(ConfigError) as wrong:
        survey_of(file)
    assert [str(problem) for problem in wrong.value.problems] == [
        f"{file}:6  plugins.folders: [run] command: there is no {tmp_path}/bad/none"
    ]


def test_two_that_were_named_and_offer_the_same_are_both_refused(tmp_path: Path) -> None:
    one, two = version_of(tmp_path / "one", "1.0"), version_of(tmp_path / "two", "2.0")

    with pytest.raises(AdmissionError) as wrong:
        survey_with([one, two])

    assert str(wrong.value).splitlines()[0] == (
        f"{one}: `acme` is also offered by acme-press of {two}; leave out one of them"
    )


def test_the_home_holds_the_version_that_current_leads_to(tmp_path: Path) -> None:
    for version in ("1.0", "2.0"):
        version_of(tmp_path / "acme-press" / version, version)
    assert "acme" not in survey(places=Places(home=tmp_path)).offers

    current = tmp_path / "acme-press" / "current"
    current.symlink_to("1.0")
    assert survey(places=Places(home=tmp_path)).offers["acme"].version == "1.0"
    current.unlink()
    current.write_text("2.0\n")
    assert survey(places=Places(home=tmp_path)).offers["acme"].version == "2.0"
    current.unlink()
    current.symlink_to("3.0")
    [lost] = [c for c in survey(places=Places(home=tmp_path)).candidates if c.place]
    assert lost.reason == f"{tmp_path}/acme-press/3.0: there is no such folder"


def test_an_installed_folder_takes_the_place_of_the_same_plugin_and_of_no_other(
    tmp_path: Path, site: Site
) -> None:
    version_of(tmp_path / "acme-press" / "2.0", "2.0")
    (tmp_path / "acme-press" / "current").symlink_to("2.0")
    site.install("acme-press", manifest=manifest(), schema={"acme": SCHEMA})
    found = survey(places=Places(home=tmp_path))
    assert found.offers["acme"].version == "2.0"
    [beside] = [c for c in found.candidates if c.version == "1.0" and "acme" in c.uses]
    assert beside.reason == f"acme-press 2.0 in {tmp_path}/acme-press/2.0 takes its place"
    assert beside.verdict == "gives way"

    site.install("other-press", manifest=manifest(), schema={"acme": SCHEMA})
    found = survey(places=Places(home=tmp_path))
    assert "acme" not in found.offers
    assert "is also offered by" in found.why_not("acme")
