"""Who may dial in: certificates are judged, places have one program, and whoever is refused is told, on both sides."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.remote.certificates import Authority
from tests.remote.elsewhere import Elsewhere
from tests.remote.proxy import network
from tests.runtime.plant import plant, state, until, value

from bedplate.contracts import Check, Decision, Subject, Verdict
from bedplate.errors import AdmissionError, ConfigError
from bedplate.remote import tls_listener
from bedplate.remote.credentials import Credentials, credentials
from bedplate.runtime.attaching import RemoteProgram

BOX = """
scan_classes: {fast: 50ms}
connectors:
  box: {use: counter, placement: remote, tags: {number: {address: a, scan: fast}}}
"""


@asynccontextmanager
async def waiting(folder: Path) -> AsyncIterator[tuple[Any, Elsewhere]]:
    """A kernel that waits for place rigs."""
    elsewhere = Elsewhere(folder)
    async with plant(folder, BOX + elsewhere.section()) as kernel:
        try:
            yield kernel, elsewhere
        finally:
            await elsewhere.stop()


@asynccontextmanager
async def dialling(kernel: Any, files: Path) -> AsyncIterator[list[str]]:
    """A program with these files, whatever they are; what it said."""
    said: list[str] = []
    launch = next(iter(kernel.places.values())).launch
    program = RemoteProgram(launch, kernel.remote_address, Credentials(files), files, said.append)
    running = asyncio.create_task(program.run())
    try:
        yield said
    finally:
        running.cancel()
        await asyncio.wait([running])


def refusals(kernel: Any) -> str:
    return "\n".join(kernel.host.arrivals.refusals())


async def test_a_remote_plugin_dials_in_and_serves(tmp_path: Path) -> None:
    async with plant(tmp_path, BOX, placement="remote") as kernel:
        await until(lambda: (value(kernel, "box/number") or 0) > 3)

        assert state(kernel, "box") == "up"


@pytest.mark.parametrize(
    ("made", "told", "there"),
    [
        (
            "another CA",
            "its certificate was made by another CA",
            "cert.pem: was made by another CA",
        ),
        ("expired", "its certificate has expired", "cert.pem: has expired"),
        (
            "another place",
            "no remote place 'other' in this deployment; it has rigs",
            "no remote place",
        ),
        ("no place", "its certificate names no place", "names no place"),
        ("a kernel's", "is for another purpose", "cert.pem: is for another purpose"),
    ],
)
async def test_a_wrong_certificate_is_refused_and_told_on_both_sides(
    tmp_path: Path, made: str, told: str, there: str
) -> None:
    folder = tmp_path / "place"
    async with waiting(tmp_path) as (kernel, elsewhere):
        authority = elsewhere.authority
        match made:
            case "another CA":
                Authority("another").place(folder, "rigs")
                ca = tmp_path / "tls" / "kernel" / "ca.pem"
                (folder / "ca.pem").write_bytes(ca.read_bytes())
            case "expired":
                authority.place(folder, "rigs", days=-1)
            case "another place":
                authority.place(folder, "other")
            case "no place":
                authority.place(folder, "")
            case _:
                authority.kernel(folder)
        async with dialling(kernel, folder) as said:
            await until(lambda: told in refusals(kernel))
            await until(lambda: there in "\n".join(said))

        assert state(kernel, "box") in {"starting", "unreachable"}


async def test_a_plugin_does_not_talk_to_a_kernel_of_another_ca(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (kernel, _):
        files = Authority("another").place(tmp_path / "place", "rigs")
        async with dialling(kernel, files) as said:
            await until(lambda: "was made by another CA" in "\n".join(said))


@pytest.mark.case("A56")
async def test_a_second_program_waits_until_the_first_is_gone(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (kernel, elsewhere), network(kernel.remote_address) as proxy:
        elsewhere.run(kernel.places.values(), proxy.address)
        await until(lambda: value(kernel, "box/number"))
        first = kernel.components["box"].place.run.runs
        files = elsewhere.authority.place(tmp_path / "second", "rigs")
        async with dialling(kernel, files) as said:
            await until(lambda: "another program serves place rigs" in "\n".join(said))
            assert kernel.components["box"].place.run.runs == first
            await elsewhere.stop()
            await until(lambda: kernel.components["box"].place.run.runs > first)
            await until(lambda: state(kernel, "box") == "up")


async def test_settings_that_a_program_refuses_are_shown_to_the_next_run_of_it(
    tmp_path: Path,
) -> None:
    text = (
        "connectors: {p: {use: picky, placement: remote, how: settings, tags: {a: {address: r}}}}"
    )
    elsewhere = Elsewhere(tmp_path)
    async with plant(tmp_path, text + elsewhere.section()) as kernel:
        try:
            elsewhere.run(kernel.places.values(), kernel.remote_address)
            await until(lambda: state(kernel, "p") == "invalid")
            (program,) = elsewhere.programs.values()
            os.kill(program.pid, signal.SIGKILL)
            await until(lambda: kernel.components["p"].role.figures.restarts == 1)
            await until(lambda: state(kernel, "p") == "invalid")
        finally:
            await elsewhere.stop()


async def test_a_program_that_broke_the_contract_is_started_anew(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (kernel, elsewhere):
        elsewhere.run(kernel.places.values(), kernel.remote_address)
        await until(lambda: value(kernel, "box/number"))
        place, (program,) = kernel.components["box"].place, elsewhere.programs.values()
        before = program.pid
        place.end("answered ask 7, which nobody asked")
        await until(lambda: state(kernel, "box") == "starting")
        reason = kernel.components["box"].life.reason
        await until(lambda: state(kernel, "box") == "up")

        assert "broke the contract: answered ask 7" in reason
        assert program.pid != before
        assert place.restarts == 1


@pytest.mark.case("A52")
async def test_another_plugin_is_not_let_in_at_the_place_of_one(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (kernel, elsewhere):
        launch = replace(next(iter(kernel.places.values())).launch, plugin="other")
        elsewhere.start(launch, "rigs", kernel.remote_address)
        told = "place rigs runs rigs (connector), not other (connector)"
        await until(lambda: told in refusals(kernel))
        await until(lambda: told in "\n".join(elsewhere.said))


async def test_only_so_many_may_try_at_once_and_silence_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_listener, "MOST_UNWELCOMED", 3)
    monkeypatch.setattr(tls_listener, "HANDSHAKE_WITHIN", 0.5)
    monkeypatch.setattr(tls_listener, "WELCOMED_WITHIN", 0.5)
    async with waiting(tmp_path) as (kernel, elsewhere):
        host, _, port = kernel.remote_address.rpartition(":")
        opened = [await asyncio.open_connection(host, int(port)) for _ in range(5)]
        async with asyncio.timeout(20):
            ends = [await reader.read() for reader, _ in opened]
        assert ends == [b""] * 5
        assert "3 connections at once" in refusals(kernel)
        files = credentials(elsewhere.authority.place(tmp_path / "p", "rigs"), server=False)
        context = files.dialling()
        reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
        async with asyncio.timeout(20):  # it shook hands and says no Hello
            while await reader.read(1000):
                pass
        for one in (writer, *(writer for _, writer in opened)):
            one.close()
        elsewhere.run(kernel.places.values(), kernel.remote_address)
        await until(lambda: value(kernel, "box/number"))


async def test_a_refusal_is_no_problem_any_more_once_the_place_is_served(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (kernel, elsewhere):
        wrong = elsewhere.authority.place(tmp_path / "wrong", "other")
        async with dialling(kernel, wrong):
            await until(lambda: "no remote place 'other'" in refusals(kernel))
        elsewhere.run(kernel.places.values(), kernel.remote_address)
        await until(lambda: value(kernel, "box/number"))

        assert not refusals(kernel)


async def test_nobody_comes_in_without_tls_or_with_an_old_one(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (kernel, elsewhere):
        host, _, port = kernel.remote_address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        async with asyncio.timeout(20):
            while await reader.read(1000):
                pass
        writer.close()
        context = credentials(
            elsewhere.authority.place(tmp_path / "p", "rigs"), server=False
        ).dialling()
        with warnings.catch_warnings(action="ignore"):
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, OSError)):
            await asyncio.open_connection(host, int(port), ssl=context)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("missing", "key.pem: No such file or directory"),
        ("open to others", "key.pem: others may read this key; chmod 600 it"),
        ("writable by others", "cert.pem: others may change it; chmod 644 it"),
        ("another key", "cert.pem: does not belong to the key in key.pem"),
        ("no certificate", "ca.pem: holds no certificate"),
        ("nonsense", "cert.pem: or key.pem cannot be read as PEM"),
        ("expired", "cert.pem: has expired"),
        ("another CA", "cert.pem: was made by another CA"),
        ("a place's", "cert.pem: is for another purpose"),
    ],
)
def test_wrong_files_are_refused_in_one_sentence_before_anything_starts(
    tmp_path: Path, wrong: str, told: str
) -> None:
    authority = Authority()
    folder = authority.kernel(tmp_path / "tls", days=-1 if wrong == "expired" else 1)
    key, cert, ca = folder / "key.pem", folder / "cert.pem", folder / "ca.pem"
    other = Authority("other").kernel(tmp_path / "other")
    match wrong:
        case "missing":
            key.unlink()
        case "open to others":
            key.chmod(0o640)
        case "writable by others":
            cert.chmod(0o666)
        case "another key":
            key.write_bytes((other / "key.pem").read_bytes())
        case "no certificate":
            ca.write_text("")
        case "nonsense":
            cert.write_text("hello")
        case "another CA":
            ca.write_bytes((other / "ca.pem").read_bytes())
        case "a place's":
            authority.place(folder, "rigs")
    with pytest.raises(AdmissionError) as refused:
        credentials(folder, server=True)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("", "connectors.box.placement: nobody can dial in; write plugins: "),
        ("plugins: {listen: '127.0.0.1:0'}", "plugins.listen: needs `tls`: a folder with ca.pem"),
        ("plugins: {listen: '127.0.0.1:0', tls: nowhere}", "ca.pem: No such file or directory"),
    ],
)
async def test_a_kernel_never_listens_without_certificates(
    tmp_path: Path, section: str, told: str
) -> None:
    with pytest.raises((AdmissionError, ConfigError)) as refused:
        async with plant(tmp_path, BOX + section):
            pass
    assert told in str(refused.value)
    assert not list(tmp_path.glob("journal/*")), "nothing was started"


async def test_programs_of_every_kind_may_serve_one_place(tmp_path: Path) -> None:
    text = """
scan_classes: {fast: 50ms}
security: {guard: {use: deny, placement: remote, process: line1}}
connectors:
  box: {use: counter, placement: remote, process: line1, tags: {number: {address: a, scan: fast}}}
analytics:
  sums: {use: sums, placement: remote, process: line1, for: box, of: number}
"""
    async with plant(tmp_path, text, placement="remote") as kernel:
        for component in ("guard", "box", "sums"):
            await until(lambda component=component: state(kernel, component) == "up")
        await until(lambda: (value(kernel, "box/sums/count") or 0) > 3)
        (guard,) = kernel.guards()
        (decision,) = await guard.authorize(Subject("somebody"), [Check("live.current", "box/**")])

        assert decision == Decision(Verdict.DENY, "because")
        assert {place.launch.place for place in kernel.places.values()} == {"line1"}


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("127.0.0.1:TAKEN", "Address already in use"),
        ("127.0.0.1:70000", "70000 is no port"),
        ("192.0.2.1:7444", "Cannot assign requested address"),
    ],
)
async def test_where_the_kernel_cannot_listen_is_said_in_one_sentence(
    tmp_path: Path, where: str, told: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = where.replace("TAKEN", str(taken.getsockname()[1]))
        section = Elsewhere(tmp_path).section(where)
        with pytest.raises(OSError, match=f"plugins.listen: cannot listen at {where}: {told}"):
            async with plant(tmp_path, BOX + section):
                pass
