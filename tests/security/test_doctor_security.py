"""`bedplate doctor security`: it names what was weakened, and nothing else; of what is sound it names nothing."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.door.rig import plant
from tests.remote.certificates import Authority
from tests.security.sound import CONFINES_NOTHING, Sound, Weaken, sound, weaknesses

from bedplate.cli.controls import entrance, machine
from bedplate.cli.controls.scene import Scene
from bedplate.cli.controls.trying import tried
from bedplate.endpoints import Endpoint, home

pytestmark = pytest.mark.case("A30")


def edit_the_log(it: Sound) -> None:
    log = it.folder / "data/audit/audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b"press-3", b"press-4", 1))


def mode(name: str, bits: int) -> Weaken:
    return lambda it: (it.folder / name).chmod(bits)


def text(old: str, new: str) -> Weaken:
    return lambda it: it.change(old, new)


def answers(**how: object) -> Weaken:
    return lambda it: it.machine.update(how)


WEAKENED: dict[str, tuple[Weaken, str, str]] = {
    # what was done → (doing it, control that names it, what it says)
    "the token may be read": (mode("home/token", 0o644), "token", "home/token is open to others"),
    "the key of TLS may be read": (mode("tls/key.pem", 0o640), "keys", "tls/key.pem is open"),
    "the key of audit may be read": (
        mode("data/audit/audit.key", 0o644),
        "audit-files",
        "audit.key is open",
    ),
    "a secret may be read": (mode("press.secret", 0o604), "secret-files", "press.secret is open"),
    "users may be read": (mode("data/access", 0o755), "users", "data/access is open"),
    "the journal may be read": (mode("data/journal", 0o755), "data", "data/journal is open"),
    "the file may be changed": (mode("plant.yaml", 0o666), "deployment-file", "by everybody"),
    "its folder may be changed": (mode("stop", 0o777), "kill-switch", "by everybody"),
    "a plugin may be changed": (mode("scale", 0o777), "plugin-folders", "by everybody"),
    "libraries may be changed": (mode("site", 0o777), "libraries", "by everybody"),
    "trust may be changed": (mode("home/trusted.json", 0o666), "trust", "by everybody"),
    "nobody can stop writing": (
        lambda it: (it.folder / "stop").rmdir(),
        "kill-switch",
        "nobody can throw it",
    ),
    "code at every start": (
        lambda it: it.closed("site/evil.pth", "import os\n", 0o644),
        "startup-code",
        "evil.pth runs code",
    ),
    "the log was edited": (edit_the_log, "audit-chain", "entry"),
    "the end of the log was cut off": (
        lambda it: _cut(it.folder / "data/audit/audit.jsonl"),
        "audit-chain",
        "missing at the end",
    ),
    "no anchor": (text("audit: {anchor: elsewhere}\n", ""), "audit-anchor", "anchored nowhere"),
    "audit in the clear": (
        text("{anchor: elsewhere}", '{anchor: elsewhere, syslog: "udp://10.0.0.9:514"}'),
        "syslog",
        "in the clear",
    ),
    "OPC UA without security": (
        text("username: bedplate", "security_policy: None\n    username: bedplate"),
        "opcua-none",
        "reads and changes all",
    ),
    "a password in a comment": (
        text("username: bedplate", "username: bedplate # password: Tz7-kk21"),
        "plain-secrets",
        "plant.yaml:11",
    ),
    "a password of manuals": (
        lambda it: it.closed("press.secret", "changeme"),
        "default-secrets",
        "word of manuals",
    ),
    "a plugin inside the kernel": (
        text("use: modbus", "use: modbus\n    placement: inline"),
        "inline",
        "mixer has all rights",
    ),
    "any plugin may run": (text("policy: trusted, ", ""), "plugins-policy", "open"),
    "a plugin was changed": (
        answers(refused=["PLUGIN_MODIFIED modbus: bedplate_modbus/poll.py"]),
        "plugins-changed",
        "poll.py",
    ),
    "no least isolation": (text("min_isolation: L2, ", ""), "min-isolation", "L0"),
    "a machine that confines nobody": (
        answers(machine=lambda **_: CONFINES_NOTHING),
        "isolation",
        "no Landlock",
    ),
    "any number may be written": (text("write: {range: [10, 60]}", "write: {}"), "write-limits", "any"),
    "nobody knows who writes": (text("security:\n  access: {use: access}\n", ""), "writers", "token"),
    "listening without TLS": (
        text('"127.0.0.1:7443", tls: tls', '"0.0.0.0:7443"'),
        "api-listen",
        "reached from elsewhere",
    ),
    "a certificate that ends": (
        lambda it: Authority().kernel(it.folder / "tls", days=5),
        "certificate",
        "days left",
    ),
    "running as root": (answers(uid=0), "root", "root"),
    "a clock that nobody sets": (answers(discipline=lambda: "unsynced"), "clock", "nothing keeps"),
    "no room is kept": (text("audit: {", "journal: {min_free: 0MB}\naudit: {"), "disk-reserve", "nothing"),
}  # fmt: skip


def _cut(log: Path) -> None:
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-2]))


def test_of_a_sound_installation_it_names_nothing(tmp_path: Path) -> None:
    scene = sound(tmp_path).scene()
    proofs = [*tried(scene)]

    assert {p.control: p.came for p in proofs if p.state == "weak"} == {}
    assert sum(proof.state == "held" for proof in proofs) >= 20
    assert {control for _, control, _ in WEAKENED.values()} <= {p.control for p in proofs} | {
        *("plugins-changed", "default-secrets", "write-limits", "writers", "syslog"),
    }


@pytest.mark.parametrize("done", WEAKENED)
def test_it_names_what_was_weakened_and_nothing_else(tmp_path: Path, done: str) -> None:
    weaken, control, said = WEAKENED[done]
    it = sound(tmp_path)
    weaken(it)
    found = weaknesses(it.scene())

    assert set(found) == {control}, {name: proof.came for name, proof in found.items()}
    assert said in found[control].came
    assert found[control].do


def test_a_secret_that_it_finds_is_not_repeated(tmp_path: Path) -> None:
    it = sound(tmp_path)
    it.change("username: bedplate", "username: bedplate # password: Tz7-kk21")

    assert "Tz7-kk21" not in json.dumps([str(proof) for proof in tried(it.scene())])


def test_what_may_not_be_looked_at_is_told_and_stops_no_other(tmp_path: Path) -> None:
    it = sound(tmp_path)
    it.machine["discipline"] = partial(open, tmp_path / "not there")
    proofs = {proof.control: proof for proof in tried(it.scene())}

    assert proofs["clock"].state == "told"
    assert proofs["clock"].came.startswith("not tried: look again as the user of Bedplate")
    assert proofs["disk-reserve"].state == "held"


async def test_a_kernel_that_runs_is_dialled(tmp_path: Path) -> None:
    """Without a credential, with TLS of before, and at its port."""
    tls = Authority().kernel(tmp_path / "tls", days=60)
    async with plant(tmp_path, tls=tls) as running:
        [endpoint] = [running.here]
        deployment = running.platform.prepared.deployment
        scene = Scene(deployment, {}, home(), replace(endpoint, address=running.address, tls=True))
        found = await asyncio.to_thread(lambda: [*entrance.knocking(scene)])
        held = {proof.control: proof.came for proof in found if proof.state == "held"}

        assert held.keys() == {"knock", "old-tls", "second-bind", "admin-socket"}, found
        assert held["knock"] == "UNAUTHENTICATED"
        assert "in use" in held["second-bind"]

        assert home() in Path(endpoint.socket).parents  # nobody else's
        shared = Path(endpoint.socket).parent
        shared.chmod(0o755)
        try:
            found = await asyncio.to_thread(lambda: [*entrance.knocking(scene)])
        finally:
            shared.chmod(0o700)
        assert [p.control for p in found if p.state == "weak"] == ["admin-socket"]


def test_a_kernel_that_would_leave_its_memory_on_disk_is_named(tmp_path: Path) -> None:
    scene = sound(tmp_path).scene()
    running = Endpoint("127.0.0.1:7443", pid=os.getpid())

    safe = replace(scene, running=running, core_limit=lambda pid: 0)
    assert [proof.state for proof in machine.dumps(safe)] == ["held"]
    open_ = replace(scene, running=running, core_limit=lambda pid: -1)
    assert [proof.state for proof in machine.dumps(open_)] == ["weak"]


def test_the_command_says_it_in_lines_and_in_json(tmp_path: Path) -> None:
    it = sound(tmp_path)
    it.change("audit: {anchor: elsewhere}\n", "")
    it.change("policy: trusted, ", "")
    it.scene()
    lines, code = _bedplate(it, "doctor", "security", "plant.yaml")
    assert code == 1
    assert "✖ audit-anchor     audit.anchor is not set → anchored nowhere" in lines
    assert "\naudit log\n" in lines
    proofs = json.loads(_bedplate(it, "doctor", "security", "plant.yaml", "--json")[0])
    anchor = next(one for one in proofs if one["control"] == "audit-anchor")
    assert (anchor["state"], anchor["group"]) == ("weak", "audit log")


def _bedplate(it: Sound, *words: str) -> tuple[str, int]:
    done = subprocess.run(
        [Path(sys.executable).with_name("bedplate"), *words],
        cwd=it.folder,
        env=os.environ | {"BEDPLATE_HOME": str(it.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr, done.returncode
