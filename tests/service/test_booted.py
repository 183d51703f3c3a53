"""`bedplate service` under a systemd that was booted for it, in namespaces of its own: what nobody can pretend."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
READABLE = Path(sys.executable).resolve().parents[1]
INSIDE = f"""
export PATH={BIN}:$PATH
for f in {READABLE} $(dirname {BIN}); do p=$f; while [ $p != / ]; do chmod o+rx $p; p=$(dirname $p); done; done
mkdir -p /srv/plant /etc/systemd/system/bedplate.service.d
printf '[Service]\\nWatchdogSec=2\\nRestartSec=1\\n' > /etc/systemd/system/bedplate.service.d/quick.conf
cat > /srv/plant/plant.yaml <<E
bedplate: 1
name: served
connectors:
  line: {{use: simline, tags: {{speed: {{address: filler.speed}}}}}}
  history: {{use: history, deliver: ["**"], folder: /var/lib/bedplate/history}}
journal: {{folder: /var/lib/bedplate/journal}}
audit: {{folder: /var/lib/bedplate/audit}}
E
pid() {{ systemctl show bedplate -p MainPID --value; }}
again() {{ for i in $(seq 100); do [ "$(systemctl show bedplate -p NRestarts --value)" -ge $1 ] && \\
    [ "$(systemctl show bedplate -p SubState --value)" = running ] && return; sleep 0.1; done; }}
export BEDPLATE_HOME=/var/lib/bedplate/home
bedplate service install /srv/plant/plant.yaml; echo installed=$?
bedplate service status > /dev/null; echo status=$?
echo user=$(stat -c %U /proc/$(pid)) privileges=$(grep NoNewPrivs /proc/$(pid)/status | grep -o '[0-9]')
echo text=$(systemctl show bedplate -p StatusText --value)
for i in $(seq 60); do bedplate status | grep -q 'all on disk' && bedplate tags | grep Good && break; sleep 0.2; done
bedplate status | grep -E '^  (simline|history) .* L[0-3]$' | sed 's/^/level /'
touch /srv/plant/x 2>/dev/null; nsenter -t $(pid) -m touch /srv/plant/y && echo writable=yes || echo writable=no
kill -9 $(pid); again 1; echo killed=$(systemctl show bedplate -p NRestarts --value)
kill -STOP $(pid); again 2; echo hung=$(systemctl show bedplate -p NRestarts --value)
bedplate status | grep -o 'deployment [0-9]*'
systemctl stop bedplate; echo stopped=$(systemctl show bedplate -p Result --value)
echo left=$(pgrep -c -u bedplate)
bedplate service uninstall > /dev/null; echo uninstalled=$?
ls /var/lib/bedplate/journal/journal.sqlite3
echo THE END
"""


def missing() -> str:
    """Why systemd can't be booted here."""
    if os.geteuid() != 0:
        return "only root can boot systemd"
    for program in ("unshare", "nsenter", "dbus-daemon", "ip"):
        if shutil.which(program) is None:
            return f"{program} is missing"
    if not Path("/lib/systemd/systemd").exists():
        return "systemd is missing: .make/peers"
    tried = subprocess.run(
        ["unshare", "-fpmiuCn", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
        timeout=10,
    )
    return "" if tried.returncode == 0 else "no namespaces here"


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_it_runs_as_its_own_user_confines_its_plugins_is_watched_and_comes_back(
    tmp_path: Path,
) -> None:
    if why := missing():
        pytest.skip(why)
    (tmp_path / "inside.sh").write_text(INSIDE)
    place = tmp_path / "machine"
    place.mkdir()
    words = ["unshare", "-fpmiuCn", "--propagation", "private", "bash", str(HERE / "boot.sh")]
    with (tmp_path / "boot.log").open("wb") as log:
        booted = subprocess.Popen(
            [*words, str(place), str(tmp_path / "inside.sh")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    said = ""
    try:
        deadline = time.monotonic() + 200
        while "THE END" not in said and time.monotonic() < deadline and booted.poll() is None:
            time.sleep(0.3)
            said = _inside(booted.pid)
    finally:
        _end(booted)
    told = dict(re.findall(r"(\w+)=(.*?)(?:\s|$)", said))
    boot = (tmp_path / "boot.log").read_text(errors="replace")
    assert "THE END" in said, said + boot
    assert (told["installed"], told["status"]) == ("0", "0"), said
    assert (told["user"], told["privileges"], told["writable"]) == ("bedplate", "1", "no"), said
    assert "text=served runs; API at 127.0.0.1:7443" in said
    assert re.search(r"line/speed .* Good", said)
    assert {line.split()[-1] for line in said.splitlines() if line.startswith("level")} == {"L2"}
    assert int(told["killed"]) >= 1
    assert int(told["hung"]) >= 2
    assert "deployment 1" in said
    assert (told["stopped"], told["left"], told["uninstalled"]) == ("success", "0", "0"), said


def _inside(pid: int) -> str:
    """What the script has said: its file is below the root of the booted machine's first process."""
    with contextlib.suppress(OSError, ValueError):
        child = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
        return Path(f"/proc/{child}/root/srv/inside.log").read_text()
    return ""


def _end(booted: subprocess.Popen[bytes]) -> None:
    """The first process of a pid namespace takes all of it with it."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        child = Path(f"/proc/{booted.pid}/task/{booted.pid}/children").read_text().split()[0]
        os.kill(int(child), signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        booted.wait(10)
    booted.kill()
    booted.wait()
