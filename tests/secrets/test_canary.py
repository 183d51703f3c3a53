"""A secret is seen nowhere: a real Bedplate with canaries in every place where a secret can stand, plugins that put
theirs into whatever they say, and a search through everything that comes out of it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.admission.site import SCHEMA, Site, manifest
from tests.secrets.aged import encrypt, keygen
from tests.secrets.canaries import canary, files, found, processes

from bedplate import connect
from bedplate.cli import main
from bedplate.endpoints import find
from bedplate.testing import until
from bedplate.testing.deployed import COMMAND

KEEPING = Path(__file__).with_name("keeping.py")
PLACES = ("env", "file", "age", "hook", "old", "login", "token")
HOWS = ("raise in open", "unreachable", "print", "crash", "bad", "note", "raise in read", "picky")
VAULT = """
from pathlib import Path
from bedplate import Connector
from bedplate.hookspecs import hookimpl
class Acme(Connector):
    def read(self, tags): return [1.0 for tag in tags]
@hookimpl
def bedplate_resolve_secret(reference):
    return Path({file!r}).read_text() if reference.startswith("vault:") else None
"""
HEAD = """
bedplate: 1
name: canaries
secrets: {{identity: key}}
telemetry: {{otlp: "http://127.0.0.1:{port}", interval: 1s}}
connectors:
  vault: {{use: vault, placement: inline, tags: {{force: {{}}}}}}
  store: {{use: history, deliver: ["**"], folder: history}}
"""
ONE = """\
  {id}:
    {{use: keeper, how: {how}, process: {process}, password: {{secret: "{one}"}}, other: {{secret: "{two}"}},
     tags: {{x: {{}}}}}}
"""


class _Collected(grpc.GenericRpcHandler):
    """Takes whatever is exported, as bytes."""

    def __init__(self, got: list[bytes]) -> None:
        self._got = got

    def service(self, call: Any) -> Any:
        def take(request: bytes, context: Any) -> bytes:
            self._got.append(request)
            return b""

        return grpc.unary_unary_rpc_method_handler(take)


@contextmanager
def collector() -> Iterator[tuple[int, list[bytes]]]:
    got: list[bytes] = []
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([_Collected(got)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port, got
    finally:
        server.stop(None).wait()


def deployment(folder: Path, port: int, wanted: dict[str, str]) -> Path:
    """With a component for each way to talk, each with two secrets, from all kinds of places."""
    recipient = keygen(folder / "key")
    encrypt(folder / "s.age", f"one: {wanted['age']}\n".encode(), recipient)
    (folder / "secret").write_text(wanted["file"])
    references = ["env:CANARY", "file:secret", "age:s.age#one", "vault:x"]
    text = HEAD.format(port=port)
    for number, how in enumerate(HOWS):
        one, two = references[number % 4], references[(number + 1) % 4]
        process = how if how in ("print", "crash") else "talk"
        text += ONE.format(id=how.replace(" ", "-"), how=how, process=process, one=one, two=two)
    file = folder / "plant.yaml"
    file.write_text(text)
    return file


@pytest.mark.case("A48", "A46")
@pytest.mark.timeout(120)
def test_no_secret_is_seen_in_anything_that_comes_out(tmp_path: Path) -> None:
    wanted = {place: canary(place) for place in PLACES}
    plant = tmp_path / "plant"
    plant.mkdir()
    (plant / "vault").write_text(wanted["hook"])
    installed = tmp_path / "site"
    installed.mkdir()
    points = "[bedplate.plugins]\nvault = vault_x:Acme\n[bedplate.hooks]\nvault = vault_x\n"
    Site(installed).install(
        "vault-x",
        manifest=manifest("vault"),
        schema={"vault": SCHEMA | {"settings": {"type": "object"}, "address": {}}},
        points=points,
        code=VAULT.format(file=str(plant / "vault")),
    )
    home = tmp_path / "home"
    environ = os.environ | {"BEDPLATE_HOME": str(home), "PYTHONPATH": str(installed)}
    environ |= {"XDG_STATE_HOME": str(tmp_path / "state")}
    outputs: dict[str, bytes] = {}
    with collector() as (port, exported):
        file = deployment(plant, port, wanted)
        with (tmp_path / "said").open("wb") as said:
            words = [
                "run",
                str(file),
                "--plugin",
                str(KEEPING),
                "--listen",
                "127.0.0.1:0",
                "--json",
            ]
            kernel = subprocess.Popen(
                [*COMMAND, *words],
                env=environ | {"CANARY": wanted["env"]},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        try:
            address = until(lambda: _address(tmp_path / "said", kernel))
            wanted["api token"] = find(address, environ).token
            with connect(address, wanted["api token"]) as client:
                until(lambda: _all_have_spoken(client))
                outputs |= processes(kernel.pid, but=kernel.pid)
                (plant / "secret").write_text(wanted["old"])
                time.sleep(0.5)
                outputs["status"] = repr(client.status(with_output=True)).encode()
                outputs["alarms"] = repr(client.alarms(all=True)).encode()
                for how in HOWS:
                    outputs[f"why {how}"] = repr(client.why(how.replace(" ", "-"))).encode()
            for stranger in ("token", "login"):
                with pytest.raises(Exception, match=r".") as caught:  # noqa: SIM117
                    with connect(address, wanted[stranger]) as client:
                        client.status()
                outputs[f"refusal of {stranger}"] = repr(caught.value).encode()
            outputs |= _commands(plant, environ | {"BEDPLATE_ENDPOINT": address})
        finally:
            kernel.terminate()
            kernel.wait(30)
    outputs["exported"] = b"\n".join(exported)
    hidden = {plant / name for name in ("secret", "vault", "key")}
    hidden |= {
        *home.rglob("*.json"),
        home / "token",
    }  # which are for their owner alone, and hold the token
    outputs |= files(tmp_path, hidden)

    assert found(wanted, outputs) == []
    assert outputs["exported"], "traces and metrics were searched"
    assert b"***" in (tmp_path / "said").read_bytes(), "something was there to hide"
    assert any("support.zip/" in name for name in outputs)


def _address(said: Path, kernel: subprocess.Popen[bytes]) -> str:
    assert kernel.poll() is None, said.read_text()
    whole, _, _being_written = said.read_text().rpartition("\n")
    for line in whole.splitlines():
        fact = json.loads(line) if line.startswith("{") else {}
        if fact.get("event") == "running":
            return str(fact["api"])
    return ""


def _all_have_spoken(client: Any) -> bool:
    components = {one.id: one for one in client.status().components}
    silent = {"bad": "degraded", "note": "up", "picky": "up"}
    return all(
        components[one].state == silent.get(one, components[one].state)
        and (one in silent or components[one].reason not in ("", "start", "opened"))
        for one in (how.replace(" ", "-") for how in HOWS)
    )


def _commands(plant: Path, environ: dict[str, str]) -> dict[str, bytes]:
    """What the command line shows of it, side by side."""
    asked = {
        "support": ["support", "-o", str(plant / "support.zip")],
        "plan": ["plan", str(plant / "plant.yaml"), "--plugin", str(KEEPING), "--json"],
    }
    running = {
        name: subprocess.Popen(
            [*COMMAND, *words],
            env=environ,
            cwd=plant,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for name, words in asked.items()
    }
    return {name: one.communicate(timeout=60)[0] for name, one in running.items()}


@pytest.mark.case("A48")
@pytest.mark.parametrize("how", ["print", "bad"])
def test_a_device_that_is_tried_without_a_kernel_says_no_secret_either(
    tmp_path: Path, how: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {"env": canary("env"), "file": canary("file")}
    monkeypatch.setenv("CANARY", wanted["env"])
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    (tmp_path / "secret").write_text(wanted["file"])
    one = ONE.format(id="one", how=how, process="one", one="env:CANARY", two="file:secret")
    file = tmp_path / "plant.yaml"
    file.write_text(f"bedplate: 1\nname: canaries\nconnectors:\n{one}")
    for words in (["probe", str(file)], ["read", str(file), "one", "x"]):
        with pytest.raises(SystemExit):
            main([*words, "--plugin", str(KEEPING)])
        said = capfd.readouterr()

        assert found(wanted, {"said": said.out.encode(), "told": said.err.encode()}) == []
        assert "***" in said.out + said.err
