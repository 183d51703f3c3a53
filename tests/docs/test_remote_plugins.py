"""docs/how-to/remote-plugins.md, done as it says, with openssl, a kernel and a plugin as processes of their own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.pages import blocks
from tests.docs.scale import BEDPLATE, EXAMPLES, Scale, Shell

PAGE = Path("docs/how-to/remote-plugins.md")


@pytest.fixture
def scale() -> Iterator[Scale]:
    one = Scale()
    yield one
    one.pull_the_plug()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def here(text: str, port: int, scale: Scale) -> str:
    """What the page says, with names of this machine."""
    text = text.replace("DNS:plant.example", "IP:127.0.0.1").replace("plant.example", "127.0.0.1")
    text = text.replace("0.0.0.0:7444", f"127.0.0.1:{port}").replace(":7444", f":{port}")
    return text.replace("host: 192.168.7.20", f"host: 127.0.0.1\n    port: {scale.port}")


def test_the_page_can_be_followed(tmp_path: Path, scale: Scale) -> None:
    if shutil.which("openssl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("openssl is not installed")
    port = free_port()
    shell = Shell(tmp_path, BEDPLATE)
    shutil.copy(EXAMPLES / "scale.py", tmp_path)
    (deployment,) = blocks(PAGE, "yaml")
    (tmp_path / "plant.yaml").write_text(here(deployment.text, port, scale))
    *certificates, attach = (here(block.text, port, scale) for block in blocks(PAGE, "sh"))
    for script in certificates:
        subprocess.run(["sh", "-eu", "-c", script], cwd=tmp_path, check=True, capture_output=True)

    with shell.running("plant.yaml", "--plugin", "scale.py") as address:
        over_there = subprocess.Popen(
            [*BEDPLATE, *attach.split()[1:]],
            cwd=tmp_path,
            env=shell.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            tags = ("tags", "bench/weight", "--endpoint", address)
            found = shell.until(lambda: [t for t in shell.json(*tags) if t["value"]])
            assert 9 < found[0]["value"] < 15
        finally:
            over_there.send_signal(signal.SIGINT)
            said, _ = over_there.communicate(timeout=30)
    assert over_there.returncode == 0, said
    assert "place packing for the Bedplate at" in said
    assert f"attached to 127.0.0.1:{port}" in said
    assert "Traceback" not in said
