"""`bedplate doctor network`: what a firewall must let through, from the file and the manifests alone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from tests.cli.conftest import Shell

PLANT = """
bedplate: 1
name: plant
path: acme/berlin
api: {listen: "10.20.0.5:7443", tls: tls}
plugins: {listen: "10.20.0.5:7444", tls: ptls}
telemetry: {otlp: "http://10.9.0.3:4317"}
audit: {syslog: "tls://log.acme.example:6514"}
types:
  press:
    parameters: {host: required}
    use: opcua
    endpoint_url: opc.tcp://$host:4840
    path: line3/$name
    tags: {t: {address: "ns=3;s=T"}}
connectors:
  presses: {type: press, each: {press-1: {host: 10.20.1.11}, press-2: {host: 10.20.1.12}}}
  mixer: {use: modbus, host: mixer.acme.example, path: line4/mixer, tags: {a: {address: 1}}}
  twin: {use: modbus, host: mixer.acme.example, unit_id: 2, path: line4/twin, tags: {a: {address: 1}}}
  far: {use: s7, host: 10.30.0.2, placement: remote, path: quarry/far, tags: {a: {address: DB1.DBW0}}}
  sim: {use: opcua, endpoint_url: "opc.tcp://127.0.0.1:4841", path: test/sim, tags: {t: {address: "ns=3;s=T"}}}
security:
  access: {use: access, oidc: {issuer: "https://id", audience: a, jwks_url: "https://id.acme.example/keys"}}
"""


@pytest.fixture
def plant(tmp_path: Path) -> str:
    file = tmp_path / "plant.yaml"
    file.write_text(PLANT)
    return str(file)


def test_every_connection_is_told_once_in_its_zone(shell: Shell, plant: str) -> None:
    done = shell("doctor", "network", plant, "--json")
    flows = json.loads(done.out)
    told = {
        (f["zone"], f["source"], f["target"], f"{f['protocol']}/{f['port']}", *f["components"])
        for f in flows
    }

    assert done.code == 0
    assert told == {
        ("clients", "clients", "10.20.0.5", "tcp/7443"),
        ("remote plugins", "remote plugins", "10.20.0.5", "tcp/7444", "far"),
        ("acme/berlin/line3", "Bedplate", "10.20.1.11", "tcp/4840", "press-1"),
        ("acme/berlin/line3", "Bedplate", "10.20.1.12", "tcp/4840", "press-2"),
        ("acme/berlin/line4", "Bedplate", "mixer.acme.example", "tcp/502", "mixer", "twin"),
        ("acme/berlin/quarry", "where it runs", "10.30.0.2", "tcp/102", "far"),
        ("plant services", "Bedplate", "id.acme.example", "tcp/443", "access"),
        ("plant services", "Bedplate", "10.9.0.3", "tcp/4317", "kernel"),
        ("plant services", "Bedplate", "log.acme.example", "tcp/6514", "kernel"),
        ("plant services", "this machine", "the plant's resolver", "udp/53"),
        ("plant services", "this machine", "the plant's time server", "udp/123"),
        ("this machine", "Bedplate", "127.0.0.1", "tcp/4841", "sim"),
    }
    assert {f["target"] for f in flows if f["direction"] == "in"} == {"10.20.0.5"}
    assert {f["port"] for f in flows if f["hint"]} == {"53", "123"}


def test_a_loopback_needs_no_rule_and_addresses_no_resolver(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text("bedplate: 1\nname: desk\nconnectors: {line: {use: simline}}\n")
    done = shell("doctor", "network", str(file))

    assert "this machine; no rule is needed\n    clients → 127.0.0.1  tcp/7443" in done.out
    assert "resolver" not in done.out


def test_people_read_it_by_zones_and_spreadsheets_by_lines(shell: Shell, plant: str) -> None:
    lines = shell("doctor", "network", plant).lines
    rows = [*csv.DictReader(io.StringIO(shell("doctor", "network", plant, "--csv").out))]

    assert lines[0] == "Connections that plant (plant.yaml) needs; all else may be closed"
    at = lines.index("acme/berlin/line4")
    assert lines[at + 1].split()[:4] == ["Bedplate", "→", "mixer.acme.example", "tcp/502"]
    assert len(rows) == 12
    assert rows[4]["components"] == "mixer twin"
