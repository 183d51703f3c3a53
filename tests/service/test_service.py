"""The unit and what systemd itself thinks of it; what a Bedplate tells systemd."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from tests.end_to_end.program import BEDPLATE, Program

from bedplate.service.unit import Needs, Service, unit

PLANT = """
bedplate: 1
name: served
connectors:
  line: {use: simline, tags: {speed: {address: filler.speed}}}
  history: {use: history, deliver: ["**"], folder: data/history}
"""
SERVICE = Service(
    "bp", "bp", Path("/opt/b/bin/bedplate"), Path("/etc/b/p.yaml"), Path("/var/lib/b"), "B"
)


def bedplate(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BEDPLATE), *map(str, words)], capture_output=True, text=True, timeout=60, check=False
    )


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("systemd is missing: .make/peers")
    words = ("systemd-analyze", *map(str, words))
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    file = tmp_path / "plant.yaml"
    file.write_text(PLANT)
    return file


def test_below_a_root_it_writes_two_files_that_systemd_finds_in_order(
    plant: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    done = bedplate("service", "install", plant, "--root", root)
    assert done.returncode == 0, done.stderr
    written = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
    assert written == ["etc/systemd/system/bedplate.service", "etc/sysusers.d/bedplate.conf"]
    made = root / "etc/systemd/system/bedplate.service"
    assert f"run --applied {plant}" in made.read_text()
    verified = analyze("verify", made)
    unknown = [line for line in verified.stderr.splitlines() if "is not executable" not in line]
    assert unknown == []
    judged = analyze("security", "--offline=true", "--threshold=25", made)
    assert judged.returncode == 0, judged.stdout[-2000:]
    gone = bedplate("service", "uninstall", "--root", root)
    assert gone.returncode == 0
    assert not [p for p in root.rglob("*") if p.is_file()]
    assert bedplate("service", "uninstall", "--root", root).returncode == 2


def test_a_dry_run_changes_nothing_and_a_wrong_file_is_no_service(
    plant: Path, tmp_path: Path
) -> None:
    done = bedplate("service", "install", plant, "--dry-run")
    assert (done.returncode, "ProtectSystem=strict" in done.stdout) == (0, True)
    assert [p.name for p in tmp_path.iterdir()] == ["plant.yaml"]
    plant.write_text(PLANT.replace("simline", "simlime"))
    wrong = bedplate("service", "install", plant, "--root", tmp_path / "root")
    assert (wrong.returncode, "plant.yaml:5" in wrong.stderr) == (2, True)
    assert [p.name for p in tmp_path.iterdir()] == ["plant.yaml"]


def test_a_unit_is_as_tight_as_the_plugins_allow() -> None:
    plain = unit(SERVICE, Needs((), ()))
    assert {"RestrictNamespaces=yes", "PrivateDevices=yes", "ProtectHome=yes"} <= {
        *plain.splitlines()
    }
    deep = unit(SERVICE, Needs((), (), namespaces=True))
    assert "RestrictNamespaces=user mnt" in deep
    assert "ProtectProc" not in deep
    serial = unit(SERVICE, Needs((), (), (Path("/dev/ttyUSB0"),)))
    assert "DeviceAllow=/dev/ttyUSB0 rw" in serial
    assert "PrivateDevices" not in serial
    assert "ProtectHome=no" in unit(SERVICE, Needs((Path("/home/op/data"),), ()))


def test_odd_paths_stay_one_word() -> None:
    odd = unit(SERVICE, Needs((Path('/srv/a b/100%/"x"/$y'),), ()))
    assert 'ReadWritePaths="/srv/a b/100%%/\\"x\\"/$$y"' in odd


async def test_systemd_is_told_when_it_serves_that_it_lives_and_when_it_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        door.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        async with Program(tmp_path / "plant", PLANT) as program:
            await program.start()
            loop, said = asyncio.get_running_loop(), list[str]()
            async with asyncio.timeout(10):
                while said.count("WATCHDOG=1") < 3:
                    said.append((await loop.sock_recv(door, 4096)).decode())
            await program.stop()
            async with asyncio.timeout(5):
                while said[-1] != "STOPPING=1":
                    said.append((await loop.sock_recv(door, 4096)).decode())
    assert said[0].startswith("READY=1\nSTATUS=plant") or said[0].startswith(
        "READY=1\nSTATUS=served"
    )
