"""The example plugins in JavaScript and Go, copied and built where tests may run them, and the machine they read."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.frozen import freeze, thaw

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
MODULES = ROOT / "tests" / "peers" / "node_modules"
CODEGEN = ROOT / ".venv-codegen" / "bin" / "python"
NODE_NEEDS = ("@grpc/grpc-js", "@grpc/proto-loader")
MADE = shutil.ignore_patterns("node_modules", "protos", "pb", ".tools")


def node_folder(name: str, into: Path) -> Path:
    """A copy of an example in JavaScript with all that it needs, as npm would have installed it."""
    if not shutil.which("node") or not all((MODULES / need).exists() for need in NODE_NEEDS):
        missing("grpc-js is not installed; run .make/peers")
    folder = into / name
    shutil.copytree(EXAMPLES / name, folder, ignore=MADE)
    shutil.copytree(ROOT / "protos", folder / "protos")
    for module in sorted(closure(NODE_NEEDS)):
        shutil.copytree(MODULES / module, folder / "node_modules" / module, dirs_exist_ok=True)
    return folder


def closure(names: tuple[str, ...]) -> set[str]:
    """These modules of the peers and all that they need."""
    found: set[str] = set()
    left = [*names]
    while left:
        name = left.pop()
        description = MODULES / name / "package.json"
        if name in found or not description.exists():
            continue
        found.add(name)
        left += json.loads(description.read_text()).get("dependencies", {})
        for nested in (MODULES / name).glob("node_modules/**/package.json"):
            left += json.loads(nested.read_text()).get("dependencies", {})
    return found


def go_folder(name: str, into: Path) -> Path:
    """A copy of an example in Go, built. Go is no peer that must be there: without it this skips everywhere."""
    if not shutil.which("go") or go_version() < (1, 24):
        pytest.skip("no Go 1.24 or newer here")
    if not shutil.which("make") or not CODEGEN.exists():
        missing("make or the code generator is not installed; run .make/setup dev")
    folder = into / name
    shutil.copytree(EXAMPLES / name, folder, ignore=MADE)
    words = [f"PROTOS={ROOT / 'protos'}", f"PROTOC={CODEGEN} -m grpc_tools.protoc"]
    done = subprocess.run(
        ["make", "-s", "-C", str(folder), *words], capture_output=True, text=True, check=False
    )
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"can't be built here: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    return folder


def go_version() -> tuple[int, ...]:
    done = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False)
    return tuple(map(int, re.findall(r"\d+", done.stdout)[:2]))


def missing(reason: str) -> None:
    """A gap at a desk, a fault in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Machine:
    """A simulated Helix machine, a process of its own. port: where it listens."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(EXAMPLES / "helix_sim.py"), "0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline().split()[-1])

    def freeze(self) -> None:
        freeze(self.process)

    def thaw(self) -> None:
        thaw(self.process)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@contextmanager
def machine() -> Iterator[Machine]:
    one = Machine()
    try:
        yield one
    finally:
        one.end()
