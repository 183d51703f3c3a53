from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.client.plant import TOKEN, Plant, Serving

from bedplate.cli import main


@dataclass(frozen=True)
class Done:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass(frozen=True)
class Shell:
    """Runs command lines in this process; stdout is no terminal."""

    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Done:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        captured = self.capture.readouterr()
        return Done(int(end.value.code or 0), captured.out, captured.err)


@pytest.fixture
def plant() -> Plant:
    """The plant of the client's tests, as of now."""
    return Plant(time.time_ns())


@pytest.fixture
def serving(plant: Plant) -> Iterator[Serving]:
    serving = Serving(plant)
    yield serving
    serving.close()


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Shell:
    """No Bedplate runs here."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return Shell(capsys)


@pytest.fixture
def connected(shell: Shell, serving: Serving, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The plant is the Bedplate of this machine."""
    monkeypatch.setenv("BEDPLATE_ENDPOINT", serving.address)
    monkeypatch.setenv("BEDPLATE_TOKEN", TOKEN)
    return shell


def environment(folder: Path) -> dict[str, str]:
    """A home of its own, so that nothing of this machine is found."""
    return {"BEDPLATE_HOME": str(folder / "home"), "XDG_STATE_HOME": str(folder / "state")}


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times for people are in the machine's zone: here in Berlin's."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
