"""Style, types, layers and generated code, judged by the tools set up in pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    """Run a tool in the root of the repository; what it says is the failure."""
    program = Path(command[0])
    if not program.exists():
        missing(f"{program.name} is not installed; run .make/setup dev")
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{program.name}:\n{done.stdout}{done.stderr}", pytrace=False)


def missing(reason: str) -> None:
    """A missing tool is a gap at a desk and a fault in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def test_ruff_finds_nothing() -> None:
    run(BIN / "ruff", "check", "--quiet", "--output-format=concise", ".")


def test_files_are_in_the_house_format() -> None:
    run(BIN / "ruff", "format", "--quiet", "--diff", ".")


@pytest.mark.timeout(400)
def test_types_hold_in_strict_mode() -> None:
    run(BIN / "mypy", "--no-error-summary")


def test_imports_go_down_the_layers_only() -> None:
    run(BIN / "lint-imports", "--no-logo", env={"NO_COLOR": "1"})


def test_protos_keep_the_style_of_the_contract() -> None:
    run(BIN / "buf", "lint", "protos")


def test_generated_code_is_what_the_protos_say() -> None:
    if not (ROOT / ".venv-codegen").exists():
        missing("the code generator is not installed; run .make/setup dev")
    run(ROOT / ".make" / "protos", "--check")


def test_installed_libraries_fit_together() -> None:
    run(sys.executable, "-m", "pip", "check")
