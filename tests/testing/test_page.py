"""The page about testing shows tests; here they are run, as a stranger would run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "docs/examples"


def test_the_tests_of_the_page_pass(tmp_path: Path) -> None:
    words = ["-q", "--rootdir", str(tmp_path), "-c", "/dev/null", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, str(EXAMPLES / "test_scale.py")],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
