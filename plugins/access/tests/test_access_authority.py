"""The built-in CA, judged by openssl: what it makes, renews and rotates, with the same commands that people type."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from cryptography import x509
from plugins.access.tests.driving import GOOD
from plugins.access.tests.making import der_in, openssl

from bedplate.cli.group import root
from bedplate.remote.credentials import credentials


class Typed:
    """`bedplate access …` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str | Path, sent: str = "", fails: bool = False) -> str:
        said = ["access", *map(str, words), "--folder", str(self.folder / "data/access")]
        result = CliRunner().invoke(root, said, input=sent, catch_exceptions=True)
        if fails:
            assert result.exception is not None
            return str(result.exception)
        assert result.exception is None, (said, result.output, result.exception)
        return result.output


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    monkeypatch.chdir(tmp_path)
    made = Typed(tmp_path)
    made("init")
    return made


def verified(certificate: Path, by: Path, purpose: str, chain: Path | None = None) -> str:
    more = ("-untrusted", chain) if chain else ()
    done = openssl("verify", "-purpose", purpose, "-CAfile", by, *more, certificate)
    return (done.stdout + done.stderr).strip()


def test_a_client_and_a_server_of_the_ca_are_what_they_should_be_to_openssl(
    typed: Typed, tmp_path: Path
) -> None:
    typed("cert", "init", "--host", "gw.plant.example", "--host", "10.20.0.1", "--out", "tls")
    typed("cert", "issue", "press", "--role", "viewer", "--out", "press")
    ca, client, server = (tmp_path / p for p in ("tls/ca.pem", "press/cert.pem", "tls/cert.pem"))
    assert verified(client, ca, "sslclient").endswith("OK")
    assert verified(server, ca, "sslserver").endswith("OK")
    assert "error" in verified(client, ca, "sslserver")
    assert "error" in verified(server, ca, "sslclient")
    told = openssl("x509", "-in", client, "-noout", "-text").stdout
    assert "URI:bedplate:identity:press" in told
    assert "NIST CURVE: P-256" in told
    assert "ecdsa-with-SHA256" in told
    told = openssl("x509", "-in", server, "-noout", "-text").stdout
    assert "DNS:gw.plant.example, IP Address:10.20.0.1" in told
    for name in ("press/key.pem", "tls/key.pem", "data/access/ca/ca-key.pem"):
        assert oct((tmp_path / name).stat().st_mode & 0o777) == "0o600"


def test_a_place_of_remote_plugins_has_what_the_kernel_wants_of_it(
    typed: Typed, tmp_path: Path
) -> None:
    typed("cert", "init", "--host", "127.0.0.1", "--out", "tls")
    typed("cert", "issue", "--place", "hall-2", "--out", "hall-2")
    assert credentials(tmp_path / "hall-2", server=False).place == "hall-2"
    assert credentials(tmp_path / "tls", server=True)
    typed("cert", "renew", "hall-2")
    assert credentials(tmp_path / "hall-2", server=False).place == "hall-2"
    assert typed("cert", "list", "--json").strip() == "[]", "it is nobody's"


def test_a_client_lasts_ninety_days_and_no_longer(typed: Typed, tmp_path: Path) -> None:
    typed("cert", "init")
    typed("user", "add", "press", "--no-password")
    told = typed("cert", "issue", "press", "--days", "91", "--out", "press", fails=True)
    assert "at most 90" in told
    typed("cert", "issue", "press", "--out", "press")
    found = x509.load_der_x509_certificate(der_in(tmp_path / "press"))
    assert (found.not_valid_after_utc - found.not_valid_before_utc).days == 90


def test_a_pkcs12_file_opens_with_the_passphrase_alone(typed: Typed, tmp_path: Path) -> None:
    typed("cert", "init")
    words = ("cert", "issue", "mes", "--role", "viewer", "--p12", "mes.p12")
    typed(*words, "--passphrase-file", "-", sent="Zebra-lorry-91\n")
    opened = openssl("pkcs12", "-in", "mes.p12", "-passin", "pass:Zebra-lorry-91", "-nodes")
    assert "BEGIN PRIVATE KEY" in opened.stdout
    assert opened.stdout.count("BEGIN CERTIFICATE") == 2
    assert openssl("pkcs12", "-in", "mes.p12", "-passin", "pass:other", "-nodes").returncode
    assert oct((tmp_path / "mes.p12").stat().st_mode & 0o777) == "0o600"


def test_renewing_says_the_same_with_another_key_and_the_one_before_still_counts(
    typed: Typed, tmp_path: Path
) -> None:
    typed("cert", "init", "--host", "gw", "--out", "tls")
    typed("cert", "issue", "press", "--role", "viewer", "--out", "press")
    before = {name: der_in(tmp_path / name) for name in ("tls", "press")}
    key = (tmp_path / "press/key.pem").read_bytes()
    typed("cert", "renew", "press")
    typed("cert", "renew", "tls")
    for name, der in before.items():
        old, new = map(x509.load_der_x509_certificate, (der, der_in(tmp_path / name)))
        assert old.serial_number != new.serial_number
        for kind in (x509.SubjectAlternativeName, x509.ExtendedKeyUsage):
            assert (
                old.extensions.get_extension_for_class(kind).value
                == new.extensions.get_extension_for_class(kind).value
            )
    assert (tmp_path / "press/key.pem").read_bytes() != key
    listed: list[dict[str, Any]] = json.loads(typed("cert", "list", "--json"))
    assert [(one["name"], one["state"]) for one in listed] == [("press", "good")] * 2


def test_after_a_rotation_old_and_new_of_both_sides_believe_each_other(
    typed: Typed, tmp_path: Path
) -> None:
    typed("cert", "init", "--host", "localhost", "--out", "tls")
    typed("cert", "issue", "press", "--role", "viewer", "--out", "press")
    for folder in ("tls", "press"):
        (tmp_path / folder).rename(tmp_path / f"old-{folder}")
        (tmp_path / folder).mkdir(0o700)
        for file in (tmp_path / f"old-{folder}").iterdir():
            (tmp_path / folder / file.name).write_bytes(file.read_bytes())
    key = (tmp_path / "data/access/ca/ca-key.pem").read_bytes()
    typed("cert", "rotate", "tls")
    assert (tmp_path / "data/access/ca/ca-key.pem").read_bytes() != key
    assert meets(tmp_path / "tls", tmp_path / "old-press") == "bedplate:identity:press"
    typed("cert", "renew", "tls")
    typed("cert", "renew", "press")
    servers, clients = (tmp_path / "tls",), (tmp_path / "press", tmp_path / "old-press")
    for server in servers:
        for client in clients:
            assert meets(server, client) == "bedplate:identity:press"
    chain = tmp_path / "tls/cert.pem"
    assert verified(chain, tmp_path / "old-press/ca.pem", "sslserver", chain).endswith("OK")
    assert "renew them first" in typed("cert", "rotate", "tls", fails=True)


def test_a_rotation_at_once_leaves_nothing_of_the_old_ca(typed: Typed, tmp_path: Path) -> None:
    typed("cert", "init", "--host", "localhost", "--out", "tls")
    typed("cert", "issue", "press", "--role", "viewer", "--out", "press")
    typed("cert", "rotate", "tls", "--at-once")
    typed("cert", "renew", "tls")
    assert "error" in verified(tmp_path / "press/cert.pem", tmp_path / "tls/ca.pem", "sslclient")
    assert meets(tmp_path / "tls", tmp_path / "press") == ""


def meets(server: Path, client: Path) -> str:
    """The name that a server with this folder sees of a client with that one; "" when they do not get together."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_verify_locations(server / "ca.pem")
    serving.load_cert_chain(server / "cert.pem", server / "key.pem")
    serving.verify_mode = ssl.CERT_REQUIRED
    near, far = socket.socketpair()
    near.settimeout(10)
    far.settimeout(10)
    found: list[str] = []

    def serve() -> None:
        try:
            with serving.wrap_socket(far, server_side=True) as speaking:
                names = (speaking.getpeercert() or {})["subjectAltName"]
                speaking.sendall(b"x")
                found.extend(str(name) for kind, name in names if kind == "URI")
        except OSError:
            far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    dialling = ssl.create_default_context(cafile=client / "ca.pem")
    dialling.load_cert_chain(client / "cert.pem", client / "key.pem")
    try:
        with dialling.wrap_socket(near, server_hostname="localhost") as speaking:
            speaking.recv(1)
    except OSError:
        near.close()
    thread.join()
    return "".join(found)


@pytest.mark.case("A08")
def test_a_ca_key_that_others_may_read_signs_nothing(typed: Typed, tmp_path: Path) -> None:
    typed("cert", "init")
    key = tmp_path / "data/access/ca/ca-key.pem"
    key.chmod(0o644)
    told = typed("cert", "issue", "press", "--role", "viewer", "--out", "press", fails=True)
    assert f"{key} is open to others (mode 0644)" in told
    assert f"chmod 600 {key}" in told


def test_people_are_made_listed_and_taken_away_by_commands(typed: Typed) -> None:
    typed("user", "add", "alice", "--role", "engineer", "--password-file", "-", sent=f"{GOOD}\n")
    told = typed("user", "add", "eve", "--password-file", "-", sent="changeme12345\n", fails=True)
    assert "list of known passwords" in told
    secret = typed("token", "create", "alice", "--path", "acme/**", "--expires", "8h").splitlines()[
        0
    ]
    assert secret.startswith("bpt_")
    everything = [
        typed(*words, "--json") for words in (("user", "list"), ("token", "list"), ("changes",))
    ]
    assert not any(secret in one or GOOD in one for one in everything)
    people = {one["name"]: one for one in json.loads(everything[0])}
    assert people["alice"]["roles"] == ["engineer"]
    assert people["alice"]["password"] is True
    assert people["alice"]["tokens"] == 1
    typed("revoke", "alice")
    people = {one["name"]: one for one in json.loads(typed("user", "list", "--json"))}
    assert (people["alice"]["disabled"], people["alice"]["tokens"]) == (True, 0)
    assert "nobody is called" in typed("revoke", "zoe", fails=True)


def test_no_command_takes_a_secret_as_an_argument() -> None:
    """It would stand in the list of processes and in the history of the shell."""
    seen = 0

    def look(command: click.Command) -> None:
        nonlocal seen
        if isinstance(command, click.Group):
            for name in command.list_commands(click.Context(command)):
                below = command.get_command(click.Context(command), name)
                assert below
                look(below)
            return
        seen += 1
        for option in command.params:
            names = {option.name, *option.opts}
            assert not names & {"password", "passphrase", "--password", "--passphrase", "--token"}

    access = root.get_command(click.Context(root), "access")
    assert access
    look(access)
    assert seen > 15
