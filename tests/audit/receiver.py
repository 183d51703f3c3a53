"""rsyslog of Debian as a plain process, with TLS: what somebody else's syslog receiver makes of our lines."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

PROGRAM = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
CONFIG = """
global(
  workDirectory="{folder}"
  maxMessageSize="128k"
  defaultNetstreamDriverCAFile="{tls}/ca.pem"
  defaultNetstreamDriverCertFile="{tls}/cert.pem"
  defaultNetstreamDriverKeyFile="{tls}/key.pem"
)
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="{auth}")
template(name="plain" type="string" string="%pri% %app-name% %msgid% %msg:::sp-if-no-1st-sp%%msg%\\n")
input(type="imtcp" port="{port}" address="127.0.0.1")
action(type="omfile" file="{folder}/received" template="plain")
"""


def needed() -> None:
    """Skips at a desk without it, fails where tests must run."""
    if not Path(PROGRAM).exists():
        if os.environ.get("CI"):
            pytest.fail("rsyslogd is missing: run .make/peers")
        pytest.skip("rsyslogd is missing: run .make/peers")


class Receiver:
    """certificates: folder with ca.pem, cert.pem, key.pem · auth: x509/certvalid asks for ours, anon does not."""

    def __init__(self, folder: Path, certificates: Path, auth: str = "x509/certvalid") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._config = folder / "rsyslog.conf"
        text = CONFIG.format(folder=folder, tls=certificates, port=self.port, auth=auth)
        self._config.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [PROGRAM, "-n", "-f", str(self._config), "-i", str(self.folder / "pid")]
        with open(self.folder / "said", "ab") as said:
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError((self.folder / "said").read_text())

    def kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
        (self.folder / "pid").unlink(missing_ok=True)

    def messages(self) -> list[tuple[str, str, str, str]]:
        """priority, program, kind, text."""
        try:
            lines = (self.folder / "received").read_text().splitlines()
        except FileNotFoundError:
            return []
        found = [line.split(" ", 3) for line in lines if line.count(" ") >= 3]
        return [(a, b, c, d.strip()) for a, b, c, d in found if b == "bedplate"]

    def indices(self) -> list[int]:
        return [
            json.loads(text)["index"]
            for _, _, kind, text in self.messages()
            if kind != "checkpoint"
        ]
