"""Who somebody is: by whom it is known, how long it is remembered, and what a flood of strangers may cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.gate.rig import ADMIN, SOCKET, StillClock, audit, lines

from bedplate.contracts import Credential, LoggedIn, Subject
from bedplate.errors import CallError, NotReady, Unauthenticated
from bedplate.gate.identities import ALL_TRIES, LASTS, REMEMBERED, TRIES, Identities, key_of
from bedplate.gate.identity import by_socket, by_token

TOKEN = "cd" * 32
HERE, THERE = "ipv4:127.0.0.1:5", "ipv4:10.20.0.9:5"


class Clock(StillClock):
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Module:
    """Knows people by token. asked: how often · waits: for this, before it answers."""

    authenticates = True

    def __init__(self, **people: Any) -> None:
        self.people = people
        self.asked: list[Credential] = []
        self.waits: asyncio.Event | None = None
        self.fails: BaseException | None = None

    async def authenticate(self, credential: Credential) -> Any:
        self.asked.append(credential)
        found = self.people.get(credential.token or credential.name)
        if self.waits:
            await self.waits.wait()
        if self.fails:
            raise self.fails
        return found


VERA = Subject("vera", ("viewer",), "", "token", (), "f00")


@asynccontextmanager
async def identities(
    folder: Path, *modules: Module, clock: Clock | None = None
) -> AsyncIterator[Identities]:
    """The log is complete once this is left."""
    log = audit(folder)
    await log.open()
    known = {str(number): module for number, module in enumerate(modules)}
    try:
        yield Identities([by_socket, by_token(TOKEN)], known, log, clock or Clock())
    finally:
        await log.close()


def refusals(folder: Path) -> list[str]:
    return [line["rule"] for line in lines(folder) if line["verdict"] == "refused"]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-2], "\x00", "a" * 100_000])
async def test_nobody_else_gets_in_and_it_is_written_down(tmp_path: Path, token: str) -> None:
    async with identities(tmp_path) as door:
        with pytest.raises(Unauthenticated, match=r"^a valid credential is needed$"):
            await door.authenticate(Credential(token, peer=HERE))
    (line,) = [line for line in lines(tmp_path) if line["verdict"] == "refused"]
    assert (line["action"], line["peer"]) == ("authenticate", HERE)
    assert not token or token not in str(line)


async def test_the_local_ways_need_no_module(tmp_path: Path) -> None:
    silent = Module()
    silent.waits = asyncio.Event()
    async with identities(tmp_path, silent) as door:
        assert await door.authenticate(Credential(peer="unix:")) == SOCKET
        assert await door.authenticate(Credential(TOKEN, peer=HERE)) == ADMIN
        assert silent.asked == []


async def test_the_local_token_is_worth_nothing_over_the_network(tmp_path: Path) -> None:
    async with identities(tmp_path) as door:
        with pytest.raises(Unauthenticated):
            await door.authenticate(Credential(TOKEN, peer=THERE))


async def test_an_identity_is_asked_for_once_in_a_while(tmp_path: Path) -> None:
    clock, module = Clock(), Module(t=VERA)
    async with identities(tmp_path, module, clock=clock) as door:
        found = await asyncio.gather(
            *(door.authenticate(Credential("t", peer=THERE)) for _ in range(50))
        )
        assert {subject.id for subject in found} == {"vera"}
        assert found[0].peer == THERE
        assert len(module.asked) == 1
        clock.now += LASTS - 0.01
        await door.authenticate(Credential("t", peer="ipv4:10.20.0.9:6"))
        assert len(module.asked) == 1
        clock.now += 0.02
        await door.authenticate(Credential("t", peer=THERE))
        assert len(module.asked) == 2
        for other in (
            Credential("t", peer="ipv4:10.20.0.10:5"),
            Credential("t", peer=THERE, bound=b"x"),
        ):
            await door.authenticate(other)
        assert len(module.asked) == 4, "another address, and another certificate beside it"


async def test_what_was_asked_before_forget_counts_no_more(tmp_path: Path) -> None:
    module = Module(t=VERA)
    async with identities(tmp_path, module) as door:
        await door.authenticate(Credential("t", peer=THERE))
        door.forget()
        module.waits = asyncio.Event()
        asking = asyncio.create_task(door.authenticate(Credential("t", peer=THERE)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        module.people.clear()  # it has answered with vera, and the answer is on its way
        door.forget()
        module.waits.set()
        with pytest.raises(Unauthenticated):
            await asking
        with pytest.raises(Unauthenticated):
            await door.authenticate(Credential("t", peer=THERE))


async def test_a_credential_that_has_ended_is_none(tmp_path: Path) -> None:
    now = StillClock().time_ns()
    module = Module(
        old=Subject("vera", until=now), new=Subject("vera", until=now + 1), ever=Subject("vera")
    )
    async with identities(tmp_path, module) as door:
        with pytest.raises(Unauthenticated):
            await door.authenticate(Credential("old", peer=THERE))
        await door.authenticate(Credential("new", peer=THERE))
        await door.authenticate(Credential("ever", peer=THERE))


@pytest.mark.parametrize(
    "claimed",
    [
        Subject("local-socket", ("admin",)),
        Subject("local-token", ("admin",)),
        Subject("vera", ("admin",), method="socket"),
        Subject(""),
        Subject("x" * 257),
        LoggedIn(VERA, "token"),
        "vera",
    ],
)
async def test_no_module_makes_somebody_the_kernels_own(tmp_path: Path, claimed: Any) -> None:
    async with identities(tmp_path, Module(t=claimed)) as door:
        with pytest.raises(Unauthenticated):
            await door.authenticate(Credential("t", peer=THERE))


async def test_one_module_that_is_silent_or_fails_does_not_hide_what_another_knows(
    tmp_path: Path,
) -> None:
    silent, failing, knowing = Module(), Module(), Module(t=VERA)
    silent.waits, failing.fails = asyncio.Event(), ConnectionError("gone")
    async with identities(tmp_path, silent, failing, knowing) as door:
        async with asyncio.timeout(1):
            assert (await door.authenticate(Credential("t", peer=THERE))).id == "vera"


async def test_one_that_starts_is_worth_another_try_and_one_that_failed_is_not(
    tmp_path: Path,
) -> None:
    module = Module(t=VERA)
    async with identities(tmp_path, module) as door:
        module.fails = NotReady("guard is starting; try again")
        for _ in range(2):
            with pytest.raises(NotReady, match="is starting"):
                await door.authenticate(Credential("t", peer=THERE))
        module.fails = None
        assert (await door.authenticate(Credential("t", peer=THERE))).id == "vera"
        module.fails = ConnectionError("gone")
        with pytest.raises(Unauthenticated):
            await door.authenticate(Credential("other", peer=THERE))


async def test_a_flood_of_strangers_waits_for_itself(tmp_path: Path) -> None:
    module = Module(t=VERA)
    async with identities(tmp_path, module) as door:
        await door.authenticate(Credential("t", peer=THERE))
        module.waits = asyncio.Event()
        flood = [
            asyncio.create_task(door.authenticate(Credential(f"guess {n}", peer=THERE)))
            for n in range(100)
        ]
        while len(module.asked) < 1 + TRIES:
            await asyncio.sleep(0)
        assert (await door.authenticate(Credential("t", peer=THERE))).id == "vera"
        module.waits.set()
        ended = await asyncio.gather(*flood, return_exceptions=True)
        assert len(module.asked) == 1 + TRIES
        kinds = [type(one) for one in ended]
        assert (kinds.count(Unauthenticated), kinds.count(CallError)) == (TRIES, 100 - TRIES)
        module.waits = asyncio.Event()
        many = [
            asyncio.create_task(door.authenticate(Credential("g", peer=f"ipv4:10.0.0.{n}:1")))
            for n in range(ALL_TRIES + 10)
        ]
        await asyncio.sleep(0.01)
        assert sum(task.done() for task in many) == 10
        module.waits.set()
        await asyncio.gather(*many, return_exceptions=True)
        for n in range(2 * REMEMBERED):
            with pytest.raises(Unauthenticated):
                await door.authenticate(Credential(f"x{n}", peer=THERE))
        assert len(door._known) <= REMEMBERED


async def test_a_flood_of_refusals_does_not_fill_the_log_and_none_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.gate.identities.TOLD_AFTER", 0.05)
    async with identities(tmp_path) as door:
        for _ in range(1000):
            with pytest.raises(Unauthenticated):
                await door.authenticate(Credential(peer=THERE))
        with pytest.raises(Unauthenticated):
            await door.authenticate(Credential(peer="ipv4:10.20.0.10:5"))
        await asyncio.sleep(0.1)
    told = [line for line in lines(tmp_path) if line["verdict"] == "refused"]
    assert len(told) == 100 + 1 + 1
    assert told[-1]["text"] == "900 more calls from this address were refused"
    assert [line["peer"] for line in told[-2:]] == ["ipv4:10.20.0.10:5", "10.20.0.9"]


async def test_a_password_gets_what_the_module_gives_and_nothing_else_does(tmp_path: Path) -> None:
    module = Module(tina=LoggedIn(VERA, "new-token"), vera=VERA, none=LoggedIn(VERA, ""))
    async with identities(tmp_path, module) as door:
        found = await door.log_in(Credential(name="tina", password="p", peer=THERE))
        assert (found.token, "new-token" in repr(found)) == ("new-token", False)
        for name, password in (("vera", "p"), ("none", "p"), ("tina", ""), ("", "p")):
            with pytest.raises(Unauthenticated, match=r"^name or password is wrong$"):
                await door.log_in(Credential(name=name, password=password, peer=THERE))
        module.fails = NotReady("starting")
        with pytest.raises(NotReady):
            await door.log_in(Credential(name="tina", password="p", peer=THERE))


async def test_a_flood_from_the_same_address_does_not_keep_a_revoked_stream_open(
    tmp_path: Path,
) -> None:
    """Who is in is looked at again, however many strangers wait for modules there: they may be his own."""
    clock, module = Clock(), Module(t=VERA)
    async with identities(tmp_path, module, clock=clock) as door:
        shown = Credential("t", peer=THERE)
        assert await door.authenticate(shown) == replace(VERA, peer=THERE)
        module.waits = asyncio.Event()
        flood = [
            asyncio.create_task(door.authenticate(Credential(f"x{n}", peer=THERE)))
            for n in range(TRIES)
        ]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del module.people["t"]
        door.forget()
        with pytest.raises(CallError):
            await door.authenticate(shown)
        look = asyncio.create_task(door.authenticate(shown, again=True))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        module.waits.set()
        with pytest.raises(Unauthenticated):
            await look
        await asyncio.gather(*flood, return_exceptions=True)


async def test_no_token_is_remembered_as_another_with_a_certificate(tmp_path: Path) -> None:
    """What stands between the parts of a credential can be written into a token too."""
    bound = b"b" * 31 + b"\0"
    whole = Credential("t", peer=THERE, bound=bound)
    forged = Credential("t\0" + "b" * 31, peer=THERE)
    assert key_of(whole) != key_of(forged)
