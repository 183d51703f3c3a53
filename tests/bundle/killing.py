"""A program: installs a bundle again and again, each time killed one step later. `killing.py HOME FILE` prints JSON.

HOME is copied for each try. A step is any change to the file system that the interpreter tells of.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from bedplate.bundle import environment, installing  # noqa: F401  imported before, so that steps are those of the work
from bedplate.bundle.shelf import Shelf
from bedplate.cli import install, main, trusting  # noqa: F401

CHANGES = {"os.rename", "os.symlink", "os.mkdir", "os.remove", "os.rmdir", "os.link"}
MOST = 200


def killed_at(step: int, file: str) -> None:
    """In a child: runs the command, and is killed when the step is reached."""
    steps = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        if event in CHANGES:
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        main(["install", file])
    finally:
        os._exit(0)


def attempt(step: int, template: Path, file: str) -> dict[str, object]:
    """What was left, and what came of trying again."""
    home = template.with_name("tried")
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(template, home, symlinks=True)
    os.environ["BEDPLATE_HOME"] = str(home)
    child = os.fork()
    if not child:
        killed_at(step, file)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    shelf = Shelf(home / "plugins")
    left = shelf.current("acme-press")
    told = left and (left.folder / "press.sh").read_text()
    if left is None or left.version == "1.0.0":
        child = os.fork()
        if not child:
            killed_at(0, file)
        os.waitpid(child, 0)
    after = shelf.current("acme-press")
    rest = [p.name for p in (home / "plugins" / ".new").glob("*") if p.is_dir()]
    trusted = json.loads((home / "trusted.json").read_bytes())["trusted"]
    return {
        "killed": ended == -signal.SIGKILL,
        "left": left.version if left else "",
        "whole": bool(left and told and f"# {left.version}" in told),
        "after": after.version if after else "",
        "rest": rest,
        "trusted": [one["version"] for one in trusted],
    }


if __name__ == "__main__":
    results = []
    for step in range(1, MOST):
        results.append(attempt(step, Path(sys.argv[1]), sys.argv[2]))
        if not results[-1]["killed"]:
            break
    print(json.dumps(results))
