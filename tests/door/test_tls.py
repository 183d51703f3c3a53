"""TLS on the API, against gRPC's own and Python's: who comes in, who does not, and what both sides are told."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import socket
import ssl
import warnings
from pathlib import Path

import pytest
from tests.door.rig import Plant, fingerprint, plant, written
from tests.remote.certificates import Authority

import bedplate
from bedplate.errors import BedplateError, CallError
from bedplate.server.platform import prepare
from bedplate.server.tls import api_tls


async def failure(running: Plant, **how: object) -> CallError:
    """What a client with these is told."""
    client = bedplate.connect_async(running.address, **how)  # type: ignore[arg-type]
    async with client:
        with pytest.raises(CallError) as failed:
            await client.whoami()
    return failed.value


def pair(folder: Path) -> tuple[Path, Path]:
    return folder / "cert.pem", folder / "key.pem"


async def test_a_token_or_a_certificate_is_known_over_tls(tmp_path: Path) -> None:
    authority = Authority()
    tls = authority.kernel(tmp_path / "tls")
    vera = authority.place(tmp_path / "vera", "x")
    async with plant(tmp_path, tls=tls) as running:
        running.know(
            who={"tina-token": {"id": "tina"}, fingerprint(vera): {"id": "vera", "roles": []}}
        )
        ca = tls / "ca.pem"
        async with bedplate.connect_async(running.address, "tina-token", ca=ca) as client:
            tina = await client.whoami()
            assert (tina.id, tina.roles, tina.credential) == ("tina", ("viewer",), "tina-tok")
            assert tina.peer.startswith("ipv4:127.0.0.1:")
        async with bedplate.connect_async(running.address, ca=ca, cert=pair(vera)) as client:
            assert (await client.whoami()).id == "vera"
            with pytest.raises(CallError) as denied:
                await client.tags()
            assert denied.value.code == "PERMISSION_DENIED"
        async with bedplate.connect_async(f"unix:{running.here.socket}") as client:
            assert [one.who.id for one in await client.sessions()][:3] == [
                "local-socket",
                "vera",
                "tina",
            ]


@pytest.mark.case("A02")
async def test_a_certificate_that_is_not_good_ends_the_handshake_and_is_told(
    tmp_path: Path,
) -> None:
    authority, other = Authority(), Authority("other")
    tls = authority.kernel(tmp_path / "tls")
    cases = [
        (other.place(tmp_path / "a", "x"), "was made by another CA", "was made by another CA than"),
        (authority.place(tmp_path / "b", "x", days=-1), "has expired", "it has expired"),
        (authority.place(tmp_path / "c", "x", begins=1, days=2), "is not valid yet", "not valid"),
        (authority.kernel(tmp_path / "d"), "is for another purpose", "it is not for clients"),
    ]
    async with plant(tmp_path, tls=tls) as running:
        assert running.platform.api
        for number, (files, told_there, told_here) in enumerate(cases, 1):
            failed = await failure(running, ca=tls / "ca.pem", cert=pair(files))
            assert failed.code == "UNAVAILABLE"
            assert told_here in str(failed), str(failed)
            assert "a client at 127.0.0.1: its certificate " + told_there in running.problems
            assert running.platform.api.refusals.count >= number
        async with bedplate.connect_async(f"unix:{running.here.socket}") as client:
            assert "has expired" in "\n".join((await client.status()).problems)


async def test_whom_a_client_does_not_believe_is_said_with_what_to_do(tmp_path: Path) -> None:
    authority, other = Authority(), Authority("other")
    tls = authority.kernel(tmp_path / "tls")
    wrong = other.kernel(tmp_path / "wrong") / "ca.pem"
    async with plant(tmp_path, tls=tls) as running:
        assert "was made by another CA than" in str(await failure(running, token="t", ca=wrong))
        assert "wants TLS" in str(await failure(running, token="t"))
        assert "wants to know who you are" in str(
            await failure(running, token="", ca=tls / "ca.pem")
        )
        failed = await failure(running, token="wrong", ca=tls / "ca.pem")
        assert (failed.code, "does not know this token" in str(failed)) == ("UNAUTHENTICATED", True)
        for text in (tls / "nothing", tmp_path / "plant.yaml"):
            with pytest.raises(CallError, match=f"{text.name}: "):
                bedplate.connect(running.address, "t", ca=text)
    elsewhere = authority.kernel(tmp_path / "e", address=ipaddress.IPv4Address("10.9.9.9"))
    async with plant(tmp_path, tls=elsewhere) as running:
        failed = await failure(running, token="t", ca=tls / "ca.pem")
        assert "is for another host" in str(failed)


async def test_nobody_here_needs_to_be_told_how_to_reach_one_that_speaks_tls(
    tmp_path: Path,
) -> None:
    tls = Authority().kernel(tmp_path / "tls")
    async with plant(tmp_path, tls=tls, module=False) as running:
        async with bedplate.connect_async() as client:
            assert (await client.whoami()).id == "local-socket"
        token = (Path(running.here.socket).parents[1] / "token").read_text().strip()
        ca = tls / "ca.pem"
        async with bedplate.connect_async(running.address, token, ca=ca) as client:
            assert (await client.whoami()).id == "local-token"


@pytest.mark.case("A29")
async def test_old_versions_and_weak_ciphers_are_refused(tmp_path: Path) -> None:
    tls = Authority().kernel(tmp_path / "tls")
    async with plant(tmp_path, tls=tls, module=False) as running:
        host, _, port = running.address.rpartition(":")

        def shakes(prepare_: str) -> str:
            context = ssl.create_default_context(cafile=str(tls / "ca.pem"))
            context.set_alpn_protocols(["h2"])
            with warnings.catch_warnings(action="ignore"):
                if prepare_.startswith("TLSv1_"):
                    context.maximum_version = ssl.TLSVersion[prepare_]
                elif prepare_:
                    context.minimum_version = ssl.TLSVersion.TLSv1
                    context.maximum_version = ssl.TLSVersion.TLSv1_2
                    context.set_ciphers(prepare_)
                if prepare_ == "TLSv1_1":
                    context.minimum_version = ssl.TLSVersion.TLSv1
            try:
                with (
                    socket.create_connection((host, int(port)), timeout=5) as plain,
                    context.wrap_socket(plain, server_hostname=host) as shaken,
                ):
                    return str(shaken.version())
            except (ssl.SSLError, OSError):
                return "refused"

        wanted = {
            "": "TLSv1.3",
            "TLSv1_2": "TLSv1.2",
            "TLSv1_1": "refused",
            "aNULL:@SECLEVEL=0": "refused",
            "eNULL:@SECLEVEL=0": "refused",
            "AES128-SHA:@SECLEVEL=0": "refused",
            "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0": "refused",
        }
        for how, outcome in wanted.items():
            assert await asyncio.to_thread(shakes, how) == outcome, how


async def test_renewing_and_rotating_drops_no_stream(tmp_path: Path) -> None:
    """The certificate is renewed, then the CA: who is connected notices nothing, and who comes later meets the new."""
    authority, later = Authority(), Authority("later")
    tls = authority.kernel(tmp_path / "tls")
    vera, old_ca = authority.place(tmp_path / "vera", "x"), tmp_path / "old.pem"
    shutil.copy(tls / "ca.pem", old_ca)
    async with plant(tmp_path, tls=tls) as running:
        running.know(who={fingerprint(vera): {"id": "vera"}})
        async with bedplate.connect_async(running.address, ca=old_ca, cert=pair(vera)) as client:
            updates = client.subscribe("**")
            await anext(updates)
            (tls / "key.pem").write_bytes((vera / "key.pem").read_bytes())  # half of a renewal
            async with bedplate.connect_async(
                running.address, ca=old_ca, cert=pair(vera)
            ) as another:
                assert (await another.whoami()).id == "vera"
            assert "the old files count" in running.problems
            fresh = later.kernel(tmp_path / "fresh")
            for name in ("cert.pem", "key.pem", "ca.pem"):
                shutil.copy(fresh / name, tls / name)
            new = later.place(tmp_path / "new", "x")
            running.know(who={fingerprint(vera): {"id": "vera"}, fingerprint(new): {"id": "nina"}})
            async with bedplate.connect_async(
                running.address, ca=fresh / "ca.pem", cert=pair(new)
            ) as another:
                assert (await another.whoami()).id == "nina"
            assert "another CA" in str(await failure(running, ca=fresh / "ca.pem", cert=pair(vera)))
            for _ in range(18):  # 1.8 s: it is looked at again meanwhile
                await anext(updates)


@pytest.mark.case("A08")
async def test_a_key_that_others_may_read_keeps_it_from_starting(tmp_path: Path) -> None:
    tls = Authority().kernel(tmp_path / "tls")
    (tls / "key.pem").chmod(0o644)
    with pytest.raises(BedplateError, match=r"api\.tls: .*/key\.pem: others may read this key"):
        async with plant(tmp_path, tls=tls, module=False):
            pass


@pytest.mark.case("A11")
@pytest.mark.parametrize(
    ("tls", "told"),
    [
        (False, "needs TLS there: write api.tls"),
        (True, "nothing could tell who calls: put a ca.pem"),
    ],
)
async def test_it_does_not_listen_to_others_without_tls_and_a_way_to_know_them(
    tmp_path: Path, tls: bool, told: str
) -> None:
    folder = Authority().kernel(tmp_path / "tls")
    (folder / "ca.pem").unlink()
    with pytest.raises(BedplateError, match=told) as refused:
        async with plant(tmp_path, tls=folder if tls else None, module=False, listen="0.0.0.0:0"):
            pass
    assert "\n" not in str(refused.value)


def test_a_module_that_knows_callers_is_enough_and_so_is_a_ca(tmp_path: Path) -> None:
    """Judged without listening: tests listen on this machine only."""
    tls = Authority().kernel(tmp_path / "tls")
    file = written(tmp_path, tls=tls, module=False)
    prepared = prepare(file, [tmp_path / "roster.py"])
    assert api_tls(prepared.deployment, "10.20.0.5:7443", prepared.admission.offers)
    (tls / "ca.pem").unlink()
    with pytest.raises(BedplateError, match="nothing could tell who calls"):
        api_tls(prepared.deployment, "10.20.0.5:7443", prepared.admission.offers)
    prepared = prepare(written(tmp_path, tls=tls), [tmp_path / "roster.py"])
    assert api_tls(prepared.deployment, "10.20.0.5:7443", prepared.admission.offers)
