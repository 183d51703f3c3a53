"""Signing, encrypting, logging in, and whom we trust."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncua
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from plugins.opcua.tests.peer import Server, built, node, opened, subscribed, tags_for, until

from bedplate import Invalid
from bedplate_opcua import connector, session
from bedplate_opcua.pki import Pki, Untrusted, split_chain

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ua: Any = asyncua.ua
NO_SECURITY = "http://opcfoundation.org/UA/SecurityPolicy#None"
TAGS = tags_for(node("Types.Double"))


@pytest.fixture(scope="module")
def trusting(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PKI folder that trusts the shared server."""
    folder = tmp_path_factory.mktemp("pki")
    with pytest.raises(Untrusted):
        asyncio.run(built(server.url, security_mode="Sign", pki=str(folder)).open())
    trust(folder)
    return str(folder)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that wants certificates it knows, and a name."""
    one = Server(
        tmp_path_factory.mktemp("strict"),
        strict=True,
        anonymous=False,
        policies=["Basic256Sha256"],
        modes=["SignAndEncrypt"],
    )
    yield one
    one.kill()


def trust(folder: Path) -> None:
    """What a person does after comparing."""
    for path in (folder / "rejected").iterdir():
        path.rename(folder / "trusted" / path.name)


async def test_an_unknown_server_is_refused_until_a_person_trusts_it(
    server: Server, tmp_path: Path
) -> None:
    one = built(server.url, TAGS, security_policy="Basic256Sha256", pki=str(tmp_path))
    with pytest.raises(ConnectionError) as caught:
        await one.open()
    (rejected,) = (tmp_path / "rejected").iterdir()
    (certificate,) = split_chain(rejected.read_bytes())
    text = str(caught.value)
    assert certificate.fingerprint(hashes.SHA256()).hex(":").upper() in text
    assert str(rejected) in text
    assert str(tmp_path / "trusted") in text
    trust(tmp_path)
    async with opened(server.url, TAGS, security_policy="Basic256Sha256", pki=str(tmp_path)) as one:
        assert (await one.read(TAGS))[0].value.tolist() == [0.1]


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
@pytest.mark.parametrize(
    "policy", ["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"]
)
async def test_every_policy_and_mode_works(
    server: Server, trusting: str, policy: str, mode: str
) -> None:
    wish = {"security_policy": policy, "security_mode": mode, "pki": trusting}
    async with opened(server.url, TAGS, **wish) as one:
        assert (await one.read(TAGS))[0].value.tolist() == [0.1]


@pytest.mark.parametrize("mode", ["None", "Sign", "SignAndEncrypt"])
async def test_a_user_logs_in_and_a_wrong_password_is_named(
    server: Server, trusting: str, mode: str
) -> None:
    wish = {"security_mode": mode, "pki": trusting, "username": "operator"}
    async with opened(server.url, TAGS, **wish, password="oil at 47") as one:
        assert (await one.read(TAGS))[0].value.tolist() == [0.1]
    with pytest.raises(Invalid, match="refuses user 'operator' with this password") as caught:
        await built(server.url, TAGS, **wish, password="wrong").open()
    assert caught.value.pointer == "/password"
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "told"), [("Sign", None), ("None", "in clear text"), ("SignAndEncrypt", "")]
)
def test_a_password_is_not_sent_where_it_can_be_read(mode: str, told: str | None) -> None:
    """The server's word on how it wants passwords is put in its place: no peer at hand asks for clear text."""
    notes: list[str] = []
    config = built("opc.tcp://plc", security_mode=mode, username="u", password="p").config
    one = session.Session(config, "test", notes.append)
    plain = ua.UserTokenPolicy(TokenType=ua.UserTokenType.UserName, SecurityPolicyUri=NO_SECURITY)
    one.client._policy_ids = [plain]
    if told is None:
        with pytest.raises(Invalid, match="use SignAndEncrypt"):
            one._look_after_the_password()
    else:
        one._look_after_the_password()
        assert bool(notes) == bool(told)
        assert all(told in note for note in notes)


@pytest.mark.parametrize("form", ["pem", "der"])
async def test_a_user_logs_in_with_a_certificate(
    server: Server, trusting: str, tmp_path: Path, form: str
) -> None:
    key, certificate = user_certificate()
    encoding = serialization.Encoding.PEM if form == "pem" else serialization.Encoding.DER
    (tmp_path / "user.crt").write_bytes(certificate.public_bytes(encoding))
    (tmp_path / "user.key").write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files = {"certificate": str(tmp_path / "user.crt"), "private_key": str(tmp_path / "user.key")}
    async with opened(server.url, TAGS, pki=trusting, security_mode="Sign", **files) as one:
        assert (await one.read(TAGS))[0].value.tolist() == [0.1]
    with pytest.raises(Invalid, match="nowhere can't be used: No such file") as caught:
        await built(
            server.url, security_mode="Sign", pki=trusting, certificate="nowhere", private_key="x"
        ).open()
    assert caught.value.pointer == "/certificate"


async def test_a_server_that_does_not_trust_us_is_asked_again(
    strict: Server, tmp_path: Path
) -> None:
    wish = {"pki": str(tmp_path), "security_policy": "Basic256Sha256"}
    with pytest.raises(Untrusted):
        await built(strict.url, **wish).open()
    trust(tmp_path)
    with pytest.raises(
        ConnectionError, match=r"does not trust our certificate.*own/certificate\.der.*SHA-256"
    ):
        await built(strict.url, **wish, username="operator", password="oil at 47").open()
    ours = next(Path(strict.options["pki"], "server", "rejected").iterdir())
    ours.rename(Path(strict.options["pki"], "server", "trusted", "certs", ours.name))


async def test_what_a_server_offers_instead_is_said(strict: Server, tmp_path: Path) -> None:
    wish = {"pki": str(tmp_path), "security_policy": "Aes256_Sha256_RsaPss"}
    with pytest.raises(ConnectionError, match="It offers: Basic256Sha256 SignAndEncrypt"):
        await built(strict.url, **wish).open()
    with pytest.raises(ConnectionError, match="It offers: Basic256Sha256 SignAndEncrypt"):
        await built(strict.url).open()


async def test_a_server_without_anonymous_users_says_what_to_set(
    server: Server, tmp_path: Path
) -> None:
    closed = Server(tmp_path, anonymous=False)
    try:
        with pytest.raises(Invalid, match="refuses anonymous users: set username"):
            await built(closed.url).open()
    finally:
        closed.kill()


async def test_no_security_is_said_only_where_others_can_listen(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(server.url) as one:
        assert one.notes == []  # type: ignore[attr-defined]
    monkeypatch.setattr(connector, "_is_loopback", lambda host: False)
    async with opened(server.url) as one:
        assert "nothing between here and 127.0.0.1 is signed" in one.notes[0]  # type: ignore[attr-defined]


async def test_the_keys_of_a_channel_are_renewed_while_values_flow(
    server: Server, trusting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "RENEW_AT", 0.005)  # of ten minutes: every 3 s
    tags = tags_for("i=2258")
    wish = {"security_policy": "Basic256Sha256", "pki": trusting}
    async with subscribed(server.url, tags, **wish) as (one, received, task):
        channel = one._session.transport._connection
        first = channel.security_token.TokenId
        await until(lambda: channel.security_token.TokenId >= first + 2, 15)
        seen = len(received.values(1))
        await until(lambda: len(received.values(1)) >= seen + 2)
        assert not task.done()


def test_our_certificate_is_made_once_and_kept(tmp_path: Path) -> None:
    first = Pki(tmp_path / "deep" / "pki").identity("urn:plant:bedplate", NOW)
    second = Pki(tmp_path / "deep" / "pki").identity("", NOW)
    assert first == second
    assert first.application_uri == "urn:plant:bedplate"
    key = tmp_path / "deep" / "pki" / "own" / "private_key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Invalid, match="is for application_uri 'urn:plant:bedplate'"):
        Pki(tmp_path / "deep" / "pki").identity("urn:other", NOW)
    key.write_text("broken")
    with pytest.raises(Invalid, match="move own/ away"):
        Pki(tmp_path / "deep" / "pki").identity("", NOW)


def test_a_folder_that_cannot_be_made_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid) as caught:
        Pki(tmp_path / "file" / "pki").identity("", NOW)
    assert caught.value.pointer == "/pki"


def test_an_authority_vouches_for_the_hosts_its_certificates_name(tmp_path: Path) -> None:
    authority_key, authority = make_certificate("CA", ca=True, days=3000)
    _, leaf = make_certificate("PLC", signer=(authority_key, authority), hosts=["plc1", "10.0.0.5"])
    pki = Pki(tmp_path)
    with pytest.raises(Untrusted, match="this machine does not know it"):
        pki.check(der(leaf), "plc1", NOW)
    (tmp_path / "issuers" / "ca.der").write_bytes(der(authority))
    with pytest.raises(Untrusted, match="does not know"):
        pki.check(der(leaf), "plc1", NOW)
    (tmp_path / "trusted" / "ca.pem").write_bytes(
        authority.public_bytes(serialization.Encoding.PEM)
    )
    assert pki.check(der(leaf), "plc1", NOW) == ""
    assert pki.check(der(leaf), "10.0.0.5", NOW) == ""
    with pytest.raises(Untrusted, match=r"it is for 10\.0\.0\.5, plc1, not for plc2"):
        pki.check(der(leaf), "plc2", NOW)
    with pytest.raises(Untrusted, match="expired on"):
        pki.check(der(leaf), "plc1", NOW + timedelta(days=2000))


def test_a_chain_through_an_issuer_is_followed_and_a_forged_one_is_not(tmp_path: Path) -> None:
    root_key, root = make_certificate("Root", ca=True)
    middle_key, middle = make_certificate("Middle", ca=True, signer=(root_key, root))
    _, leaf = make_certificate("PLC", signer=(middle_key, middle), hosts=["plc1"])
    pki = Pki(tmp_path)
    pki.identity("", NOW)
    (tmp_path / "trusted" / "root.der").write_bytes(der(root))
    with pytest.raises(Untrusted):
        pki.check(der(leaf), "plc1", NOW)
    assert pki.check(der(leaf) + der(middle), "plc1", NOW) == ""
    forger_key, _ = make_certificate("Root", ca=True)
    _, forged = make_certificate("PLC", signer=(forger_key, root), hosts=["plc1"])
    with pytest.raises(Untrusted):
        pki.check(der(forged), "plc1", NOW)
    _, no_authority = make_certificate("Leaf", signer=(root_key, root), hosts=["x"])
    _, below_it = make_certificate("PLC", signer=(middle_key, no_authority), hosts=["plc1"])
    with pytest.raises(Untrusted):
        pki.check(der(below_it) + der(no_authority), "plc1", NOW)


def test_a_trusted_certificate_stays_trusted_when_it_expires_but_that_is_said(
    tmp_path: Path,
) -> None:
    _, own = make_certificate("PLC", hosts=["plc1"])
    pki = Pki(tmp_path)
    with pytest.raises(Untrusted):
        pki.check(der(own), "plc1", NOW)
    trust(tmp_path)
    assert pki.check(der(own), "any", NOW) == ""
    assert "expired on" in pki.check(der(own), "any", NOW + timedelta(days=2000))
    assert not list((tmp_path / "rejected").iterdir())


def test_rejected_certificates_do_not_fill_the_disk(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    for number in range(105):
        with pytest.raises(Untrusted):
            pki.check(der(make_certificate(f"PLC {number}")[1]), "plc1", NOW)
    assert len(list((tmp_path / "rejected").iterdir())) == 100


@pytest.mark.parametrize("raw", [b"", b"0", b"0\x82\xff\xff", b"\0" * 100, b"-----BEGIN nothing"])
def test_what_is_no_certificate_is_not_trusted(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(Untrusted, match="can't be read"):
        Pki(tmp_path).check(raw, "plc1", NOW)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


Key = ec.EllipticCurvePrivateKey


def make_certificate(
    name: str,
    *,
    ca: bool = False,
    signer: tuple[Key, x509.Certificate] | None = None,
    hosts: list[str] | None = None,
    days: int = 1000,
) -> tuple[Key, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[1].subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False
        )
    return key, builder.sign(signer[0] if signer else key, hashes.SHA256())


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def user_certificate() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "operator")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=100))
        .sign(key, hashes.SHA256())
    )
    return key, certificate
