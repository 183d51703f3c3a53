"""Tokens of an issuer: oidc-provider, by whose author neither our library nor our code is; and what attackers make of
them."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from plugins.access.tests.driving import GOOD, Clock, Driven, opened, registry
from plugins.access.tests.issuing import CLIENTS, Provider, base, hs256, parts, provider
from pydantic import ValidationError

from bedplate_access.issuer import Issuer, TokenRefusal
from bedplate_access.keys import Keys, KeysRefused, keys_of
from bedplate_access.settings import Algorithm, Config, Oidc

AUDIENCE = "urn:bedplate:plant"
ROLES = {"bp-operators": "operator", "it-security": ["auditor"]}
TWICE = b'{"alg":"RS256","kid":"rsa-1","alg":"none"}'
MINE = hashlib.sha256(b"mine").digest()


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with provider() as found:
        yield found


@asynccontextmanager
async def believing(folder: Path, provider: Provider, **more: Any) -> AsyncIterator[Driven]:
    keys = {} if "jwks" in more else {"jwks_url": provider.jwks_url}
    oidc = {"issuer": provider.address, "audience": AUDIENCE, **keys, **more}
    async with opened(folder / "access", roles=ROLES, oidc=oidc) as access:
        yield access


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_token_of_the_issuer_is_somebody_with_the_roles_of_their_groups(
    tmp_path: Path, issuer: Provider, client: str
) -> None:
    async with believing(tmp_path, issuer) as access:
        who = await access.by_token(issuer.token(client))
    assert who
    assert (who.id, who.roles, who.method) == (client, ("operator",), "jwt")
    assert who.groups == ("bp-operators", "visitors"), "groups of ours are nobody's to give"
    assert who.credential.startswith("jwt:")
    assert who.until > access.clock.ns


async def test_without_a_network_the_keys_come_from_a_file(
    tmp_path: Path, issuer: Provider
) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(issuer.keys())
    async with believing(tmp_path, issuer, jwks=str(file)) as access:
        assert await access.by_token(issuer.token())


async def test_a_key_that_is_new_is_fetched_once_a_minute_at_most(
    tmp_path: Path, issuer: Provider
) -> None:
    async with believing(tmp_path, issuer) as access:
        assert await access.by_token(issuer.token())
        issuer.rotate()
        token = issuer.token()
        assert await access.by_token(token) is None
        assert "unknown key" in access.notes[-1]
        access.clock.goes_on(61)
        assert await access.by_token(token)


async def test_who_is_disabled_here_does_not_come_in_by_the_issuer(
    tmp_path: Path, issuer: Provider
) -> None:
    async with believing(tmp_path, issuer) as access:
        with registry(access.folder) as people:
            people.add("press-rs256", [], (), GOOD)
            people.disable("press-rs256")
        await access.looks()
        assert await access.by_token(issuer.token()) is None
        assert await access.by_token(issuer.token("press-es256"))


async def test_a_token_for_somebody_else_is_refused(tmp_path: Path, issuer: Provider) -> None:
    async with believing(tmp_path, issuer) as access:
        assert await access.by_token(issuer.token("press-other")) is None
    async with believing(tmp_path, issuer, issuer="https://sso.evil.example") as access:
        assert await access.by_token(issuer.token()) is None


async def test_what_is_tampered_with_is_nobody(tmp_path: Path, issuer: Provider) -> None:
    real = issuer.token()
    header, claims, signature = parts(real)
    (public,) = (one for one in json.loads(issuer.keys())["keys"] if one["kty"] == "RSA")
    pem = RSAKey.import_key(public).as_pem(private=False)
    head, body, _ = real.split(".")
    admin = base(claims | {"groups": ["it-security"]})
    forged = {
        "alg none": f"{base(header | {'alg': 'none'})}.{body}.",
        "alg None": f"{base(header | {'alg': 'None'})}.{body}.{signature}",
        "no signature": f"{head}.{body}.",
        "HS256 with the public key": hs256(header | {"alg": "HS256"}, claims, pem),
        "HS256 with the key's text": hs256(
            header | {"alg": "HS256"}, claims, json.dumps(public).encode()
        ),
        "other claims": f"{head}.{admin}.{signature}",
        "one bit of the signature": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "unknown kid": _signed(header | {"kid": "mine"}, claims),
        "own key under its kid": _signed(header, claims),
        "jku": _signed(header | {"jku": "https://evil.example/jwks"}, claims),
        "jwk": _signed(header | {"jwk": OWN.as_dict(private=False)}, claims),
        "x5u": _signed(header | {"x5u": "https://evil.example/x"}, claims),
        "crit": f"{base(header | {'crit': ['exp'], 'exp': 1})}.{body}.{signature}",
        "kid of a path": _signed(header | {"kid": "../../etc/passwd"}, claims),
        "kid of a list": f"{base(header | {'kid': ['rsa-1']})}.{body}.{signature}",
        "header twice": f"{base(TWICE)}.{body}.{signature}",
        "four parts": f"{real}.x",
        "no JSON": f"{base(b'x')}.{body}.{signature}",
        "very long": f"{head}.{'A' * 20_000}.{signature}",
    }
    async with believing(tmp_path, issuer) as access:
        assert await access.by_token(real)
        found = {name: await access.by_token(token) for name, token in forged.items()}
    assert found == dict.fromkeys(forged)


OWN = RSAKey.import_key(rsa.generate_private_key(65537, 2048))
ELLIPTIC = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()), {"kid": "ec"})


def _signed(header: dict[str, Any], claims: dict[str, Any], key: Any = OWN) -> str:
    registry = jws.JWSRegistry(algorithms=["RS256", "ES256"], strict_check_header=False)
    return jws.serialize_compact(header, json.dumps(claims), key, registry=registry)


def judged(claims: dict[str, Any], clock: Clock, bound: bytes = b"", **more: Any) -> str:
    """Why these claims are refused, signed as they should be; "" when they are not."""
    oidc = Oidc(issuer="https://sso", audience="plant", jwks="-", **more)
    jwks = json.dumps({"keys": [ELLIPTIC.as_dict(private=False)]}).encode()
    issuer = Issuer(oidc, Keys(lambda: jwks, clock.monotonic), clock.time_ns)
    try:
        issuer.judge(_signed({"alg": "ES256", "kid": "ec"}, claims, ELLIPTIC), bound)
    except TokenRefusal as refusal:
        return str(refusal)
    return ""


def claimed(clock: Clock, **more: Any) -> dict[str, Any]:
    now = clock.ns // 10**9
    return {"iss": "https://sso", "aud": "plant", "sub": "ada", "exp": now + 300} | more


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, ""),
        ({"aud": ["other", "plant"]}, ""),
        ({"aud": "other"}, "somebody else"),
        ({"aud": ["Plant"]}, "somebody else"),
        ({"aud": None}, "somebody else"),
        ({"iss": "https://sso/"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"exp": None}, "no time in exp"),
        ({"exp": "tomorrow"}, "no time in exp"),
        ({"exp": True}, "no time in exp"),
        ({"exp": 10**12}, "no time in exp"),
        ({"sub": None}, "no name"),
        ({"sub": ""}, "no name"),
        ({"sub": "local-socket"}, "no name"),
        ({"sub": "a\nb"}, "no name"),
        ({"sub": "x" * 257}, "no name"),
        ({"cnf": {"x5t#S256": "x"}}, "another client certificate"),
        ({"cnf": "x"}, "another client certificate"),
        ({"cnf": {"jkt": "x"}}, "another client certificate"),
    ],
)
def test_what_a_token_must_say(more: dict[str, Any], told: str) -> None:
    clock = Clock()
    why = judged(claimed(clock, **more), clock)
    assert told in why
    assert bool(told) == bool(why)


KEYS = {
    "RS": lambda: RSAKey.import_key(OWN.as_dict(private=True), {"kid": "k"}),
    "PS": lambda: RSAKey.import_key(OWN.as_dict(private=True), {"kid": "k"}),
    "Ed": lambda: OKPKey.generate_key("Ed25519", {"kid": "k"}),
    "ES256": lambda: ECKey.generate_key("P-256", {"kid": "k"}),
    "ES384": lambda: ECKey.generate_key("P-384", {"kid": "k"}),
    "ES512": lambda: ECKey.generate_key("P-521", {"kid": "k"}),
}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", get_args(Algorithm))
def test_each_algorithm_counts_where_the_settings_name_it_and_nowhere_else(algorithm: str) -> None:
    clock = Clock()
    key: Any = KEYS.get(algorithm, KEYS.get(algorithm[:2]))()  # type: ignore[misc]
    signing = jws.JWSRegistry(algorithms=[algorithm])
    header, claims = {"alg": algorithm, "kid": "k"}, json.dumps(claimed(clock))
    token = jws.serialize_compact(header, claims, key, registry=signing)
    jwks = json.dumps({"keys": [key.as_dict(private=False)]}).encode()
    others = [one for one in get_args(Algorithm) if one != algorithm]
    for named, counts in (([algorithm], True), (others, False)):
        oidc = Oidc(issuer="https://sso", audience="plant", jwks="-", algorithms=named)
        issuer = Issuer(oidc, Keys(lambda: jwks, clock.monotonic), clock.time_ns)
        if counts:
            assert issuer.judge(token, b"").name == "ada"
        else:
            with pytest.raises(TokenRefusal, match="is signed with"):
                issuer.judge(token, b"")


@pytest.mark.case("A05")
def test_a_token_that_names_a_client_certificate_counts_with_that_one_alone() -> None:
    clock = Clock()
    theirs = base64.urlsafe_b64encode(MINE).decode().rstrip("=")
    claims = claimed(clock, cnf={"x5t#S256": theirs})
    assert judged(claims, clock, MINE) == ""
    assert judged(claims, clock, b"\1" * 32)
    assert judged(claims, clock)


@settings(max_examples=60, deadline=None)
@given(
    exp=st.integers(-120, 120),
    nbf=st.none() | st.integers(-120, 120),
    iat=st.none() | st.integers(-120, 120),
)
def test_times_count_with_a_minutes_leeway(exp: int, nbf: int | None, iat: int | None) -> None:
    clock = Clock()
    clock.ns -= clock.ns % 10**9
    now = clock.ns // 10**9
    times = {
        name: now + at for name, at in (("exp", exp), ("nbf", nbf), ("iat", iat)) if at is not None
    }
    fits = exp + 60 > 0 and (nbf or 0) - 60 <= 0 and (iat or 0) - 60 <= 0
    assert (judged(claimed(clock, **times), clock) == "") == fits


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=50))
def test_whatever_is_shown_as_a_token_is_judged(content: bytes, text: str) -> None:
    clock = Clock()
    oidc = Oidc(issuer="https://sso", audience="plant", jwks="-")
    issuer = Issuer(oidc, Keys(lambda: b"{}", clock.monotonic), clock.time_ns)
    for token in (f"{base(content)}.{base(content)}.x", f"{text}.{text}.", text):
        with pytest.raises(TokenRefusal):
            issuer.judge(token, b"")


@pytest.mark.case("A07")
@pytest.mark.parametrize(
    ("key", "told"),
    [
        (
            {
                "kty": "EC",
                "crv": "P-256",
                "kid": "1",
                "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
            },
            "example of a standard",
        ),
        (ELLIPTIC.as_dict(private=True), "is private"),
        (
            OWN.as_dict(private=False) | {"n": base(b"\xff" * 128)},
            "shorter than 2048",
        ),
        ({"kty": "oct", "k": "c2VjcmV0", "kid": "1"}, "no public key"),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "no JWK Set"),
    ],
)
def test_keys_that_nobody_should_trust_are_refused(key: dict[str, Any], told: str) -> None:
    with pytest.raises(KeysRefused, match=told):
        keys_of(json.dumps({"keys": [key]}).encode())


@pytest.mark.parametrize("content", [b"", b"x", b"[]", b"{}", b'{"keys": 1}', b'{"keys": [1]}'])
def test_what_is_no_set_of_keys_is_refused(content: bytes) -> None:
    with pytest.raises(KeysRefused):
        keys_of(content)


def test_a_fetch_that_fails_leaves_the_keys_that_are_known() -> None:
    clock, tries = Clock(), 0
    jwks = json.dumps({"keys": [ELLIPTIC.as_dict(private=False)]}).encode()

    def source() -> bytes:
        nonlocal tries
        tries += 1
        if tries > 1:
            raise OSError("the network is away")
        return jwks

    keys = Keys(source, clock.monotonic)
    assert keys.find("ec")
    for _ in range(100):
        assert keys.find("other") is None
    assert tries == 1, "strangers make no traffic"
    clock.goes_on(4000)
    assert keys.find("ec")
    assert tries == 2
    assert "the network is away" in keys.problem


async def test_keys_are_fetched_from_where_the_settings_say_and_nowhere_else(
    tmp_path: Path, issuer: Provider
) -> None:
    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("location", issuer.jwks_url)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Redirecting)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/jwks"
    try:
        async with believing(tmp_path, issuer, jwks_url=url) as access:
            assert await access.by_token(issuer.token()) is None
            assert "redirects" in access.notes[-1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"jwks": "a", "jwks_url": "https://a"},
        {},
        {"jwks_url": "http://sso.example/jwks"},
        {"jwks_url": "file:///etc/passwd"},
        {"jwks": "a", "algorithms": ["HS256"]},
        {"jwks": "a", "algorithms": ["none"]},
        {"jwks": "a", "algorithms": []},
    ],
)
def test_settings_that_would_believe_anybody_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate({"oidc": {"issuer": "https://sso", "audience": "plant", **wrong}})
