"""`bedplate plugins trust`, `untrust`, `trusted`, `publishers`: what is shown, asked and kept."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.admission.site import SCHEMA, Site, manifest
from tests.trust.site import plant, plugin_folder, trusted

from bedplate.admission.trust import TrustFile
from bedplate.cli import main

BEDPLATE = Path(sys.executable).with_name("bedplate")
Said = Callable[..., tuple[int, str, str]]
ALL = (
    'network = ["tcp:$host:502"]\ndevices = ["/dev/ttyS*"]\nsubprocess = true\n'
    'commands = true\nmemory = "256MiB"\n'
)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(words)
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run


def test_it_says_in_plain_words_what_is_granted_and_needs_a_yes(
    tmp_path: Path, home: Path, said: Said
) -> None:
    folder = str(plugin_folder(tmp_path / "acme", tmp_path / "traces", permissions=ALL))
    code, out, err = said("plugins", "trust", folder)
    assert code == 2
    assert "Nobody can be asked here; say --yes if so" in err
    assert not (home / "trusted.json").exists()
    for line in (
        *("connect to tcp:$host:502 ($: its own settings)", f"read and write {tmp_path}/traces"),
        *("use the device /dev/ttyS*", "start other programs", "take 256MiB of memory"),
        *("write to its machine, when the write guard allows it", "inline is full trust"),
    ):
        assert line in out
    assert said("plugins", "trust", folder, "--yes")[0] == 0
    assert stat.S_IMODE((home / "trusted.json").stat().st_mode) == 0o600
    code, out, _ = said("plugins", "trusted", "--json")
    (grant,) = json.loads(out)
    assert (grant["name"], grant["version"]) == ("acme-ticker", "1.0.0")
    assert grant["permissions"]["network"] == ["tcp:$host:502"]
    assert grant["by"]
    assert grant["at"].endswith("Z")
    assert said("plugins", "untrust", folder)[0] == 0, "named as it was for trust"
    assert "is not trusted" in said("plugins", "untrust", "acme-ticker")[2]


def test_a_person_at_a_terminal_is_asked_and_no_is_the_default(tmp_path: Path, home: Path) -> None:
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    for answer, kept in (("\n", 0), ("y\n", 1)):
        above, below = pty.openpty()
        command = [str(BEDPLATE), "plugins", "trust", str(folder)]
        process = subprocess.Popen(command, stdin=below, stdout=below, stderr=below)
        os.close(below)
        os.write(above, answer.encode())
        assert process.wait(30) == (0 if kept else 2)
        os.close(above)
        assert len(TrustFile(home).grants()) == kept


def test_a_script_grants_what_it_names_and_nothing_else(
    tmp_path: Path, home: Path, said: Said
) -> None:
    folder = str(plugin_folder(tmp_path / "acme", tmp_path / "traces", permissions=ALL))
    words = ("plugins", "trust", folder, "--yes", "--grant", "network tcp:$host:502")
    code, _, err = said(*words)
    assert code == 2
    assert "more than --grant names" in err
    assert "subprocess" in err
    assert TrustFile(home).grants() == ()


@pytest.mark.case("A19", "A20")
def test_a_wheel_that_is_not_as_it_was_installed_can_not_be_trusted(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    """A19 at trust time: RECORD knows better. And a file beside what RECORD lists counts (A20)."""
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    (tmp_path / "installed").mkdir()
    package = Site(tmp_path / "installed").install(
        "acme-press", manifest=manifest("press"), schema={"press": SCHEMA}, code="class Acme: ...\n",
        points="[bedplate.plugins]\npress = acme_press:Acme\n",
    )  # fmt: skip
    content = (package / "__init__.py").read_bytes()
    sha = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    record = tmp_path / "installed" / "acme_press-1.0.dist-info" / "RECORD"
    record.write_text(f"acme_press/__init__.py,sha256={sha},{len(content)}\n")
    assert said("plugins", "trust", "acme-press", "--yes")[0] == 0
    deployment = plant(tmp_path, use="press")
    from bedplate.errors import AdmissionError
    from bedplate.server.platform import prepare

    verify = prepare(deployment).admission.offers["press"].verify
    assert verify
    verify()
    (package / "beside.py").write_text("x = 1\n")
    with pytest.raises(AdmissionError, match=r"PLUGIN_MODIFIED.*acme_press/beside\.py is new"):
        verify()
    (package / "beside.py").unlink()
    (package / "__init__.py").write_bytes(content + b"#")
    with pytest.raises(AdmissionError, match=r"acme_press/__init__\.py was changed"):
        verify()
    code, _, err = said("plugins", "trust", "press", "--yes")
    assert code == 2
    assert "is not as it was installed" in err


def test_doctor_names_a_trusted_plugin_that_has_changed(
    tmp_path: Path, home: Path, said: Said
) -> None:
    folder = home / "plugins" / "acme-ticker" / "1.0.0"
    plugin_folder(folder, tmp_path / "traces")
    (folder.parent / "current").symlink_to("1.0.0")
    trusted(folder, home)
    assert "✖ trust" not in said("doctor")[1]
    (folder / "acme_ticker.py").write_text("")
    assert "acme-ticker 1.0.0: acme_ticker.py was changed" in said("doctor")[1]


def test_two_who_trust_at_once_lose_nothing(tmp_path: Path, home: Path) -> None:
    folders = [tmp_path / f"acme-{n}" for n in range(8)]
    for n, folder in enumerate(folders):
        plugin_folder(folder, tmp_path / "traces", version=f"1.{n}.0")
    working = [threading.Thread(target=trusted, args=(folder, home)) for folder in folders]
    for one in working:
        one.start()
    for one in working:
        one.join()
    assert [g.version for g in TrustFile(home).grants()] == [f"1.{n}.0" for n in range(8)]


def test_check_tells_what_is_not_trusted_and_what_has_changed(
    tmp_path: Path, home: Path, said: Said
) -> None:
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    file = str(plant(tmp_path, more=", folders: [acme]"))
    code, out, _ = said("check", file)
    assert code == 0
    assert "plant.yaml:3  plugins.policy: `ticker`: acme-ticker 1.0.0 is not trusted" in out
    trusted(folder, home)
    assert "trusted" not in said("check", file)[1]
    (folder / "acme_ticker.py").write_text("")
    out = said("check", file)[1]
    assert "PLUGIN_MODIFIED: acme-ticker 1.0.0 is not started: acme_ticker.py was changed" in out
    assert json.loads(said("check", file, "--json")[1])["changed"]
