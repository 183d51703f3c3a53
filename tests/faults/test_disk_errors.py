"""Errors of the disk, put into the system calls of a real process: everything is kept, here or in a new file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("call", "error", "when", "renewed"),
    [
        ("fdatasync", "EIO", "5", True),
        ("fdatasync", "EIO", "40", True),
        ("pwrite64", "EIO", "60..61", True),
        ("pwrite64", "ENOSPC", "30..45", False),
    ],
)
@pytest.mark.case("A63")
def test_what_the_disk_refuses_is_kept_elsewhere_or_later(
    tmp_path: Path, call: str, error: str, when: str, renewed: bool
) -> None:
    if not shutil.which("strace"):
        if os.environ.get("CI"):
            pytest.fail("strace is missing")
        pytest.skip("strace is missing")
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}"]
    program = [sys.executable, "-m", "tests.journal.enduring_program", str(tmp_path / "journal")]
    command = ["strace", "-f", "-qq", "-o", str(tmp_path / "calls"), *inject, *program]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "whole works\n", done.stderr
    assert "INJECTED" in (tmp_path / "calls").read_text()
    assert bool(list((tmp_path / "journal").glob("*.broken-*"))) is renewed
