from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.bundle.wheels import needed, pack

from bedplate.bundle.minisign import SecretKey, make_key
from bedplate.cli import main

ROOT = Path(__file__).parents[2]
BEDPLATE = Path(sys.executable).with_name("bedplate")


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Operator:
    """An operator with a home of his own, and the command line: in this process, which is faster, or offline in one of
    its own, in a network namespace with no way out, where this machine allows one."""

    home: Path
    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str, offline: bool = False) -> Ended:
        if offline:
            return self._offline(*words)
        self.capture.readouterr()
        with pytest.raises(SystemExit) as end:
            main(words)
        said = self.capture.readouterr()
        return Ended(int(end.value.code or 0), said.out, said.err)

    def _offline(self, *words: str) -> Ended:
        command = [str(BEDPLATE), *words]
        if may_unshare():
            command = ["unshare", "-r", "-n", *command]
        proxies = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
        nowhere = dict.fromkeys(proxies, "http://127.0.0.1:9")
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=os.environ | nowhere,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def done(self, *words: str, offline: bool = False) -> str:
        """What it said; fails when it did not end with 0."""
        done = self(*words, offline=offline)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *words: str) -> str:
        """What it said on stderr; fails when it did not end with 2."""
        done = self(*words)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr


def may_unshare() -> bool:
    done = subprocess.run(["unshare", "-r", "-n", "true"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture
def operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir(mode=0o700)
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    return Operator(tmp_path / "home", tmp_path, capsys)


@pytest.fixture
def key(tmp_path: Path) -> SecretKey:
    """A publisher's key, in acme.key and acme.pub."""
    made = make_key(os.urandom)
    (tmp_path / "acme.key").write_bytes(made.file("", os.urandom))
    (tmp_path / "acme.pub").write_bytes(made.public.file())
    return made


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folder with wheels of this Bedplate and of all that a first-party plugin depends on, made once."""
    folder = tmp_path_factory.mktemp("wheels")

    def made(plugin: str) -> Path:
        for name in needed(plugin) - {"bedplate"}:
            if not list(folder.glob(f"{name.replace('-', '_')}-*.whl")):
                pack(name, folder)
        if not list(folder.glob("bedplate-*.whl")):
            words = ["-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder)]
            command = [sys.executable, "-m", "pip", "wheel", *words, str(ROOT)]
            subprocess.run(command, check=True, capture_output=True)
        return folder

    return made
