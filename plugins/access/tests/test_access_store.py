"""The folder: who may read it, what is in it, and how soon the module knows of a change."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest
from plugins.access.tests.driving import DAY, GOOD, Clock, opened, registry

from bedplate_access.folder import Folder


async def test_the_first_start_makes_a_store_and_one_token_for_its_owner_alone(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "access") as access:
        folder = access.folder
        modes = {p.name: oct(p.stat().st_mode & 0o777) for p in folder.path.iterdir()}
        token = folder.bootstrap.read_text().strip()
        who = await access.by_token(token)
    assert modes == {"access.sqlite": "0o600", "bootstrap-token": "0o600"}
    assert oct(folder.path.stat().st_mode & 0o777) == "0o700"
    assert who
    assert (who.id, who.roles) == ("bootstrap", ("admin",))
    assert [note for note in access.notes if str(folder.bootstrap) in note] == access.notes
    assert token not in "".join(access.notes)


async def test_the_first_token_ends_when_another_admin_has_come_in(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        token = access.folder.bootstrap.read_text().strip()
        with registry(access.folder) as people:
            people.add("alice", ["engineer"], (), GOOD)
            people.add("ada", ["admin"], (), GOOD)
        await access.looks()
        assert await access.by_password("alice", GOOD)
        assert await access.by_token(token)
        assert await access.by_password("ada", GOOD)
        async with asyncio.timeout(5):
            while access.folder.bootstrap.exists() or await access.by_token(token):
                await asyncio.sleep(0.01)


async def test_the_first_token_ends_after_a_day_and_is_never_made_again(tmp_path: Path) -> None:
    clock = Clock()
    async with opened(tmp_path / "access", clock) as access:
        token = access.folder.bootstrap.read_text().strip()
        clock.goes_on(86_399)
        assert await access.by_token(token)
        clock.goes_on(1)
        assert await access.by_token(token) is None
    async with opened(tmp_path / "access", clock) as access:
        assert access.folder.bootstrap.read_text().strip() == token
        assert access.notes == []


@pytest.mark.case("A08")
@pytest.mark.parametrize("name", ["access.sqlite", "bootstrap-token", "ca/ca-key.pem"])
async def test_what_others_may_read_is_refused_by_name_until_it_is_private_again(
    tmp_path: Path, name: str
) -> None:
    async with opened(tmp_path / "access"):
        pass
    file = tmp_path / "access" / name
    file.parent.mkdir(exist_ok=True)
    file.touch(0o600)
    file.chmod(0o644)
    with pytest.raises(PermissionError, match=f"{file} is open to others.*chmod 600 {file}"):
        async with opened(tmp_path / "access"):
            pass
    file.chmod(0o600)
    async with opened(tmp_path / "access"):
        pass


@pytest.mark.case("A08")
async def test_nobody_is_known_while_the_store_is_open_to_others(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        token = access.folder.bootstrap.read_text().strip()
        access.folder.store.chmod(0o640)
        await access.looks()
        assert await access.by_token(token) is None
        assert "chmod 600" in access.notes[-1]
        assert access.forgot == 1
        access.folder.store.chmod(0o600)
        await access.looks()
        assert await access.by_token(token)


async def test_a_store_that_is_gone_or_broken_lets_nobody_in(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        token = access.folder.bootstrap.read_text().strip()
        whole = access.folder.store.read_bytes()
        access.folder.store.unlink()
        await access.looks()
        assert await access.by_token(token) is None
        access.folder.store.touch(0o600)
    access.folder.store.write_bytes(b"no database" * 1000)
    with pytest.raises(OSError, match=r"access\.sqlite"):
        async with opened(tmp_path / "access"):
            pass
    access.folder.store.write_bytes(whole)
    async with opened(tmp_path / "access") as again:
        assert await again.by_token(token)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE identities SET roles = '{'",
        "UPDATE tokens SET paths = 'null'",
        "UPDATE identities SET groups = '[NaN]'",
        "DROP TABLE denied",
    ],
)
async def test_a_store_that_somebody_else_wrote_into_lets_nobody_in(
    tmp_path: Path, damage: str
) -> None:
    async with opened(tmp_path / "access") as access:
        token = access.folder.bootstrap.read_text().strip()
        assert await access.by_token(token)
        database = sqlite3.connect(access.folder.store)
        with database:
            database.execute(damage)
        database.close()
        await access.looks()
        assert await access.by_token(token) is None
        assert str(access.folder.store) in access.notes[-1]


def test_a_link_is_no_store(tmp_path: Path) -> None:
    Folder(tmp_path / "access").prepare()
    (tmp_path / "other").touch(0o600)
    (tmp_path / "access" / "access.sqlite").symlink_to(tmp_path / "other")
    with pytest.raises(PermissionError, match="is no file"):
        Folder(tmp_path / "access").check()


@pytest.mark.case("A06")
async def test_a_name_that_is_disabled_counts_for_nothing_within_a_second(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        with registry(access.folder) as people:
            people.add("alice", ["engineer"], (), GOOD)
            _, token = people.create_token("alice", ["engineer"], DAY)
        await access.looks()
        login = await access.by_password("alice", GOOD)
        assert login
        assert await access.by_token(token)
        forgot = access.forgot
        with registry(access.folder) as people:
            people.disable("alice")
        began = asyncio.get_running_loop().time()
        while await access.by_token(token):
            await asyncio.sleep(0.01)
        assert asyncio.get_running_loop().time() - began < 1
        assert access.forgot == forgot + 1
        assert access.notes[-1] == "alice: disabled (by hand)"
        assert await access.by_token(login.token) is None
        assert await access.by_password("alice", GOOD) is None
        with registry(access.folder) as people:
            people.disable("alice", disabled=False)
        await access.looks()
        assert await access.by_token(token)
        assert await access.by_token(login.token) is None, "a login that was ended stays ended"


async def test_each_change_is_told_once_in_order_with_who_made_it(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        before = len(access.notes)
        with registry(access.folder) as people:
            people.add("mes", ["viewer"])
            token, _ = people.create_token("mes", ["viewer"], DAY, ["acme/line1/**"])
            people.set_roles("mes", ["operator"], ["bp-operators"])
            people.revoke_token(token.id)
            people.revoke("mes")
        await access.looks()
        await access.looks()
    assert access.notes[before:] == [
        "mes: added, viewer (by hand)",
        f"mes: token {token.id} made for viewer within acme/line1/** (by hand)",
        "mes: now operator; groups bp-operators (by hand)",
        f"mes: token {token.id} revoked (by hand)",
        "mes: everything revoked (by hand)",
    ]


async def test_a_script_that_changes_much_is_told_of_in_few_words(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        before = len(access.notes)
        database = sqlite3.connect(access.folder.store)
        with database:
            rows = [(n, "hand", f"press-{n}: added, viewer") for n in range(105)]
            database.executemany("INSERT INTO changes (at, by, text) VALUES (?, ?, ?)", rows)
        database.close()
        await access.looks()
        told = access.notes[before:]
    assert len(told) == 101
    assert told[0] == "press-0: added, viewer (by hand)"
    assert told[-1] == "and 5 more changes up to number 107: bedplate access changes"


async def test_the_table_of_changes_can_only_be_added_to(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        pass
    database = sqlite3.connect(access.folder.store)
    for statement in ("UPDATE changes SET text = 'nothing'", "DELETE FROM changes"):
        with pytest.raises(sqlite3.IntegrityError, match="only added"):
            database.execute(statement)
    database.close()


async def test_no_secret_is_in_the_file(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        with registry(access.folder) as people:
            people.add("alice", ["viewer"], (), GOOD)
            _, token = people.create_token("alice", ["viewer"], DAY)
        first = access.folder.bootstrap.read_text().strip()
    content = access.folder.store.read_bytes()
    assert GOOD.encode() not in content
    assert token.encode() not in content
    assert token.removeprefix("bpt_").encode() not in content
    assert first.encode() not in content
    assert b"$argon2id$" in content


async def test_when_somebody_was_last_there_is_written_down(tmp_path: Path) -> None:
    clock = Clock()
    async with opened(tmp_path / "access", clock) as access:
        await access.by_token(access.folder.bootstrap.read_text().strip())
    with registry(access.folder) as people:
        (token,) = people.roster().tokens.values()
        (owner,) = people.roster().identities.values()
    assert token.last_used == owner.last_used == clock.ns


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
async def test_what_root_does_in_a_folder_of_the_plugins_own_user_belongs_to_that_user(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "access"
    folder.mkdir(0o700)
    os.chown(folder, 61_500, 61_500)
    async with opened(folder) as access:
        with registry(access.folder) as people:
            people.add("alice", ["viewer"], (), GOOD)
        assert {p.stat().st_uid for p in folder.iterdir()} == {61_500}
