"""What the kernel itself holds a plugin to, whatever its process does (A25, A52): identity, secrets, tags, folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.hostile.house import MANIFEST, house, machine_with, plugin_folder
from tests.runtime.plant import OFFERS, plant, state, until, value

from bedplate.admission.permissions import Permissions, TagPermissions
from bedplate.errors import BedplateError, ConfigError
from bedplate.isolation import Level
from bedplate.server.platform import prepare


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))


@pytest.mark.case("A52")
async def test_a_plugin_that_publishes_for_another_is_ended_and_nothing_of_it_is_kept(
    tmp_path: Path,
) -> None:
    """A52: with code that uses the innards of its own process."""
    machine_with(Level.L2)
    folder = {"folder": str(tmp_path / "mine"), "tags": {"told": {}}}
    components = {
        "forger": {"use": "hostile", "forge": "victim", **folder},
        "victim": {"use": "hostile", "process": "apart", **folder},
    }
    async with house(tmp_path, components, Level.L2) as kernel:
        forger = kernel.components["forger"]
        await until(lambda: forger.place.breaches)
        await until(lambda: value(kernel, "victim/told") is not None)

        assert any("published for 'victim'" in one.reason for one in forger.life.history)
        assert value(kernel, "victim/told") == ""
        assert kernel.components["victim"].place.restarts == 0


PLANT = """
bedplate: 1
name: house
plugins: {folders: [shipped], min_isolation: LEVEL}
connectors:
  hostile:
    use: hostile
"""


def _told(tmp_path: Path, more: str, manifest: str = MANIFEST, level: str = "L1") -> list[str]:
    """What `run` says that is wrong, line and text."""
    plugin_folder(tmp_path / "shipped", manifest)
    file = tmp_path / "plant.yaml"
    file.write_text(PLANT.lstrip().replace("LEVEL", level) + more)
    with pytest.raises(ConfigError) as caught:
        prepare(file)
    return [f"{p.line} {p.path}: {p.text}" for p in caught.value.problems]


@pytest.mark.case("A25")
def test_a_secret_that_the_manifest_does_not_ask_for_is_refused_at_its_line(tmp_path: Path) -> None:
    """A25."""
    told = _told(tmp_path, "    host: {secret: 'env:X'}\n    password: {secret: 'env:Y'}\n")

    assert told == [
        "7 connectors.hostile.host: is a secret, and secrets of the manifest of hostile 6.6.6 does not name it"
    ]


@pytest.mark.case("A25")
def test_tags_beyond_what_the_manifest_publishes_are_refused_at_their_line(tmp_path: Path) -> None:
    """A25."""
    manifest = MANIFEST + '[permissions.tags]\npublish = ["hostile/fine*"]\n'
    told = _told(tmp_path, "    tags:\n      fine: {}\n      other: {}\n", manifest)

    assert told == [
        "9 connectors.hostile.tags.other: hostile/other is not within tags.publish of the manifest of hostile 6.6.6:"
        " hostile/fine*"
    ]


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("data/journal", "is the kernel's own: "),
        ("data", "is the kernel's own: "),
        ("home/keys", "is the kernel's own: "),
        (".", "is the kernel's own: "),
        ("/etc", "is too much for any plugin"),
        ("/proc/self", "is too much for any plugin"),
    ],
)
@pytest.mark.case("A43")
def test_a_folder_of_the_kernels_own_is_given_to_no_plugin(
    tmp_path: Path, folder: str, words: str
) -> None:
    """A43 of the reference."""
    told = _told(tmp_path, f"    folder: {folder}\n")

    assert len(told) == 1
    assert told[0].startswith("5 hostile: permission files: ")
    assert words in told[0]


@pytest.mark.case("A43")
def test_a_link_to_the_kernels_own_is_seen_through(tmp_path: Path) -> None:
    """A43 of the reference."""
    (tmp_path / "link").symlink_to(tmp_path / "home")

    assert "is the kernel's own" in _told(tmp_path, "    folder: link\n")[0]


@pytest.mark.parametrize("placement", ["inline", "remote"])
def test_a_placement_below_the_least_isolation_is_refused(tmp_path: Path, placement: str) -> None:
    level = "L2, listen: '127.0.0.1:0', tls: tls"
    told = _told(tmp_path, f"    placement: {placement}\n    folder: mine\n", level=level)

    assert any("and plugins.min_isolation is L2" in line for line in told)


def test_a_single_file_has_no_manifest_and_runs_at_l1_at_most(tmp_path: Path) -> None:
    file = tmp_path / "scale.py"
    file.write_text(
        "from bedplate import Connector\nclass Scale(Connector):\n    def read(self, tags): return []\n"
    )
    plant = tmp_path / "plant.yaml"
    plant.write_text(
        "bedplate: 1\nname: t\nplugins: {min_isolation: L2}\nconnectors: {s: {use: scale}}\n"
    )
    with pytest.raises(BedplateError) as caught:
        prepare(plant, [file])

    assert "s: can run at L1 only, and plugins.min_isolation is L2" in str(caught.value)
    assert "no manifest" in str(caught.value)


@pytest.mark.case("A48", "A50")
async def test_a_secret_reaches_the_component_that_names_it_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A50: each component's settings are sent to its own process only, when it opens."""
    machine_with(Level.L2)
    monkeypatch.setenv("PASSWORD", "s3cret")
    mine: dict[str, Any] = {
        "use": "hostile",
        "folder": str(tmp_path / "mine"),
        "tags": {"told": {}},
    }
    components = {
        "one": {**mine, "password": {"secret": "env:PASSWORD"}},
        "two": {**mine, "process": "apart"},
    }
    async with house(tmp_path, components, Level.L2) as kernel:
        for component in ("one", "two"):  # what is secret is fetched when a session begins
            await until(lambda c=component: value(kernel, f"{c}/told") is not None)
        message = await kernel.components["two"].role.open_message()
        its_own = await kernel.components["one"].role.open_message()

        assert b"s3cret" in its_own.SerializeToString()
        assert b"s3cret" not in message.SerializeToString()


@pytest.mark.case("A52")
async def test_an_analytic_writes_no_output_that_its_manifest_does_not_publish(
    tmp_path: Path,
) -> None:
    """A52: its outputs are named when it opens, so it is then that they are looked at."""
    limited = Permissions(tags=TagPermissions(publish=("**/count",)))
    offers = OFFERS | {"sums": replace(OFFERS["sums"], permissions=limited)}
    text = """
types: {box: {use: counter, tags: {number: {address: a}}}}
connectors: {boxes: {type: box, each: {one: {}}}}
analytics: {sums: {use: sums, for: box, of: number}}
"""
    async with plant(tmp_path, text, offers=offers) as kernel:
        await until(lambda: state(kernel, "sums") == "invalid")

        assert kernel.components["sums"].life.reason == (
            "one/sums/sum is not within tags.publish of the manifest of sums"
        )
        assert value(kernel, "one/sums/count") is None
