"""Names and passwords, and what is shown after them."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from plugins.access.tests.driving import GOOD, Clock, Driven, opened, registry

from bedplate_access.attempts import Attempts
from bedplate_access.passwords import Hashing, weakness
from bedplate_access.registry import RegistryError

MINE = hashlib.sha256(b"mine").digest()


async def knows(access: Driven, *names: str) -> None:
    with registry(access.folder) as people:
        for name in names:
            people.add(name, ["operator"], (), GOOD)
    await access.looks()


async def test_a_password_gives_a_token_that_ends_after_a_quarter_of_an_hour_without_use(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with opened(tmp_path / "access", clock) as access:
        await knows(access, "alice")
        login = await access.by_password("alice", GOOD)
        assert login
        assert login.subject.until == clock.ns + 12 * 3600 * 10**9
        for _ in range(5):
            clock.goes_on(899)
            assert await access.by_token(login.token) == login.subject
        clock.goes_on(900)
        assert await access.by_token(login.token) is None


async def test_a_login_ends_after_twelve_hours_however_much_it_is_used(tmp_path: Path) -> None:
    clock = Clock()
    async with opened(tmp_path / "access", clock) as access:
        await knows(access, "alice")
        login = await access.by_password("alice", GOOD)
        assert login
        for _ in range(12 * 6 - 1):
            clock.goes_on(600)
            assert await access.by_token(login.token)
        clock.goes_on(600)
        assert await access.by_token(login.token) is None


@pytest.mark.case("A05")
async def test_a_login_is_nothing_after_a_restart_nor_from_another_certificate(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "access") as access:
        await knows(access, "alice")
        login = await access.by_password("alice", GOOD, MINE)
        assert login
        assert await access.by_token(login.token, MINE)
        assert await access.by_token(login.token) is None
        assert await access.by_token(login.token, b"\1" * 32) is None
    async with opened(tmp_path / "access") as again:
        assert await again.by_token(login.token, MINE) is None


async def test_another_password_ends_the_logins_with_the_one_before(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        await knows(access, "alice")
        login = await access.by_password("alice", GOOD)
        assert login
        with registry(access.folder) as people:
            people.set_password("alice", "Quite-another-1-here")
        await access.looks()
        assert await access.by_token(login.token) is None
        assert await access.by_password("alice", GOOD) is None
        assert await access.by_password("alice", "Quite-another-1-here")


async def test_only_so_many_logins_of_one_name_stand_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        await knows(access, "alice")
        found = [await access.by_password("alice", GOOD) for _ in range(18)]
        counts = [bool(one and await access.by_token(one.token)) for one in found]
    assert counts == [False] * 2 + [True] * 16


@pytest.mark.case("A10")
async def test_twenty_wrong_passwords_get_slower_answers_then_none_counts_for_a_while(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with opened(tmp_path / "access", clock) as access:
        await knows(access, "alice", "bob")
        took = []
        for _ in range(5):
            began = time.monotonic()
            assert await access.by_password("alice", "wrong") is None
            took.append(time.monotonic() - began)
        more = [access.by_password("alice", "wrong") for _ in range(15)]
        assert set(await asyncio.gather(*more)) == {None}
        assert took[1] >= 0.1
        assert took[4] >= 0.4
        assert await access.by_password("alice", GOOD) is None, "locked"
        assert await access.by_password("bob", GOOD), "others are not"
        locks = [note for note in access.notes if "no password counts" in note]
        assert len(locks) == 1
        assert "'alice'" in locks[0]
        assert "10.20.0.5" in locks[0]
        clock.goes_on(901)
        assert await access.by_password("alice", GOOD)


@pytest.mark.case("A10")
async def test_many_tries_at_once_are_no_way_around_the_lock(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        await knows(access, "alice")
        tries = [access.by_password("alice", f"wrong {n}") for n in range(4)]
        assert set(await asyncio.gather(*tries, access.by_password("alice", "wrong"))) == {None}
        assert await access.by_password("alice", GOOD) is None


@pytest.mark.case("A10")
async def test_an_unknown_name_takes_as_long_as_a_wrong_password(tmp_path: Path) -> None:
    """Where a machine is busy, at their best of some tries."""
    clock = Clock()
    async with opened(tmp_path / "access", clock) as access:
        with registry(access.folder) as people:
            for name in ("alice", "gone"):
                people.add(name, ["operator"], (), GOOD)
            people.add("program", ["operator"])
            people.disable("gone")
        await access.looks()
        best = dict.fromkeys(("alice", "program", "gone", "nobody"), 10.0)
        for turn in range(30):
            for name in best:
                clock.goes_on(901)
                began = time.perf_counter()
                assert await access.by_password(name, "wrong password") is None
                best[name] = min(best[name], time.perf_counter() - began)
            if turn >= 1 and max(best.values()) - min(best.values()) < 0.010:
                break
    assert max(best.values()) - min(best.values()) < 0.010, best


@pytest.mark.case("A10")
def test_a_hash_is_checked_also_where_there_is_none() -> None:
    """The work itself is the same, so that a busy machine tells no more."""
    hashing = Hashing(PasswordHasher(time_cost=1, memory_cost=65_536, parallelism=1))
    kept, spent = hashing.hash(GOOD), {}
    assert hashing.nobody
    for what in (kept, ""):
        began = time.process_time()
        for _ in range(5):
            hashing.verify(what, "wrong password")
        spent[what] = time.process_time() - began
    assert spent[""] > 0.5 * spent[kept]


async def test_names_and_passwords_of_any_form_are_answered(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        for name, password in [
            ("\x00", "\x00"),
            ("a\n2026-11-23 ADMIN OK", "x"),
            ("ü" * 5000, "ü" * 50_000),
            ("bootstrap", ""),
            ("", "x"),
        ]:
            assert await access.by_password(name, password) is None
        forged = [access.by_password("x\n2026-11-23 ADMIN OK", "y") for _ in range(5)]
        assert set(await asyncio.gather(*forged)) == {None}
        assert any("ADMIN OK" in note for note in access.notes)
        assert all("\n" not in note for note in access.notes)


def test_the_table_of_wrong_names_does_not_grow_for_ever() -> None:
    attempts = Attempts(lambda: 0.0)
    for n in range(20_000):
        attempts.begin(f"name {n}")
    assert len(attempts._wrong) == 10_000


def test_a_flood_of_other_names_does_not_open_a_lock() -> None:
    attempts = Attempts(lambda: 0.0)
    for _ in range(5):
        attempts.begin("vera")
    for _ in range(2):
        for n in range(10_000):
            attempts.begin(f"name {n}")
    assert attempts.begin("vera") is None


def test_names_of_long_ago_make_room_first_and_an_attempt_counts_in_a_full_table() -> None:
    now = 0.0
    attempts = Attempts(lambda: now)
    for n in range(10_000):
        for _ in range(5):
            attempts.begin(f"name {n}")
    for _ in range(5):
        assert attempts.begin("vera") is not None
    assert attempts.begin("vera") is None
    now = 1000.0
    assert attempts.begin("otto") == 0.0
    assert len(attempts._wrong) == 10_000


@pytest.mark.case("A07")
@pytest.mark.parametrize(
    "password",
    [
        *(
            "password1234",
            "P@ssw0rd1234!",
            "changeme12345",
            "ChangeMe-ChangeMe",
            "admin-admin-admin",
        ),
        *("correct horse battery staple", "Correct-Horse-Battery-Staple1", "123456789012"),
        *("bedplateadmin", "Bedplate2026!", "operator2024!!", "letmeinletmein", "qwertyuiop123"),
        *("aaaaaaaaaaaaaaaa", "abababababab", "passwort1234", "00000000000000"),
    ],
)
def test_examples_and_defaults_are_no_passwords(password: str) -> None:
    assert weakness(password)


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("x", "shorter"),
        ("eleven char", "shorter"),
        ("x\ty-Zebra-lorry-91", "control"),
        ("Zebra-lorry-" * 100, "longer"),
        ("alice-7-alice", "name"),
    ],
)
def test_what_is_wrong_with_a_password_is_said(password: str, told: str) -> None:
    assert told in weakness(password, "alice")


@pytest.mark.parametrize(
    "password",
    [GOOD, "drei chinesen mit kontrabass", "wir-fahren-nach-Bad-Aibling", "9f8#kLm2$pQr7!x"],
)
def test_long_ones_of_ones_own_are_taken_without_rules_of_composition(password: str) -> None:
    assert weakness(password, "alice") == ""


@pytest.mark.case("A07")
async def test_a_known_password_is_not_kept(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        with registry(access.folder) as people:
            with pytest.raises(RegistryError, match="list of known passwords"):
                people.add("alice", ["admin"], (), "changeme12345")
            assert "alice" not in people.roster().identities


def test_the_same_password_counts_however_a_keyboard_composed_it() -> None:
    hashing = Hashing()
    kept = hashing.hash("Übergröße-1-Zebra")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hashing.verify(kept, "U\u0308bergro\u0308ße-1-Zebra")
    assert not hashing.verify("", "nobody has this password")
    assert not hashing.verify("no hash", "x")
