"""Client certificates: whose one is, and whose it is not."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from plugins.access.tests.driving import GOOD, Driven, opened, registry
from plugins.access.tests.making import CLIENT, SERVER, WEAK, certificate, der_in

from bedplate import Invalid
from bedplate_access.authority import Authority, Wish, pem
from bedplate_access.certificates import moment
from bedplate_access.commands.cert import row_of
from bedplate_access.handing_out import to_folder

SUBJECTS = {"CN=mes": ["viewer"], "CN=scada,O=Acme": ["operator"]}


@pytest.fixture
async def access(tmp_path: Path) -> AsyncIterator[Driven]:
    async with opened(tmp_path / "access", certificates=SUBJECTS) as found:
        yield found


def issued(access: Driven, name: str, folder: Path, *, known: bool = True) -> bytes:
    """One of the built-in CA, which is made when there is none."""
    with registry(access.folder) as people:
        now = moment(time.time_ns())
        if not access.folder.authority.exists():
            authority = Authority.create(access.folder.authority, now)
            people.set_authorities([pem(authority.certificate).decode()], "a CA was made here")
        if name not in people.roster().identities:
            people.add(name, ["engineer"], ["bp-operators"])
        made = Authority(access.folder.authority, now).issue(Wish(name))
        if known:
            people.add_certificate(row_of(made, name))
        to_folder(folder, made, people.roster().authorities)
    return der_in(folder)


async def test_a_certificate_that_was_issued_here_is_its_name_with_the_roles_of_the_name(
    access: Driven, tmp_path: Path
) -> None:
    der = issued(access, "press", tmp_path / "press")
    await access.looks()
    who = await access.by_certificate(der)
    assert who
    assert (who.id, who.roles, who.groups) == ("press", ("engineer",), ("bp-operators",))
    assert who.method == "certificate"
    assert who.credential == hashlib.sha256(der).hexdigest()
    assert 89 * 86400 < (who.until - time.time_ns()) / 1e9 < 91 * 86400


async def test_one_of_the_ca_here_counts_though_the_store_was_restored_from_before(
    access: Driven, tmp_path: Path
) -> None:
    der = issued(access, "press", tmp_path / "press", known=False)
    await access.looks()
    who = await access.by_certificate(der)
    assert who
    assert who.id == "press"


async def test_the_name_that_another_ca_writes_is_not_believed(access: Driven) -> None:
    with registry(access.folder) as people:
        people.add("alice", ["admin"], (), GOOD)
    await access.looks()
    assert await access.by_certificate(certificate("x", uri="bedplate:identity:alice")) is None
    assert "is nobody's here" in access.notes[-1]


@pytest.mark.parametrize(
    ("common", "organisation", "roles"),
    [
        ("mes", "", ("viewer",)),
        ("mes", "Other", ("viewer",)),
        ("scada", "Acme", ("operator",)),
        ("scada", "Evil", None),
        ("scada", "", None),
        ("mes2", "", None),
        ("local-token", "", None),
    ],
)
async def test_one_of_the_companys_ca_is_known_by_the_subject_in_the_settings(
    access: Driven, common: str, organisation: str, roles: tuple[str, ...] | None
) -> None:
    who = await access.by_certificate(certificate(common, organisation))
    assert (who.roles if who else None) == roles
    assert not who or who.id == common


async def test_a_place_that_is_called_like_a_subject_in_the_settings_is_not_it(
    access: Driven, tmp_path: Path
) -> None:
    """Whoever has the certificate of a place, for plugins elsewhere, does not come in as a program of that name."""
    issued(access, "press", tmp_path / "press")
    now = moment(time.time_ns())
    place = Authority(access.folder.authority, now).issue(Wish(place="mes")).certificate
    await access.looks()
    assert await access.by_certificate(place.public_bytes(Encoding.DER)) is None
    assert "no person's" in access.notes[-1]


@pytest.mark.parametrize("subject", ["CN=", "CN=a,CN=b", "CN=a,,O=b", "XX=1,CN=a"])
async def test_a_subject_in_the_settings_that_is_none_is_refused(
    tmp_path: Path, subject: str
) -> None:
    with pytest.raises(Invalid, match="is no subject") as refused:
        async with opened(tmp_path / "access", certificates={subject: ["viewer"]}):
            pass
    assert refused.value.pointer == f"/certificates/{subject}"


@pytest.mark.case("A02")
@pytest.mark.parametrize(
    ("der", "told"),
    [
        (certificate("mes", key=WEAK), "weaker than P-256 or RSA 2048"),
        (certificate("mes", use=SERVER), "another purpose"),
        (certificate("mes", use=None), "does not say that it is for clients"),
        (certificate("mes", days=(-30, -1)), "out of date"),
        (certificate("mes", days=(1, 30)), "out of date"),
        (b"no certificate", "can't be read"),
        (certificate("mes")[:-20], "can't be read"),
    ],
)
async def test_a_certificate_that_is_wrong_is_nobodys_and_its_fault_is_told_once(
    access: Driven, der: bytes, told: str
) -> None:
    assert await access.by_certificate(der) is None
    assert await access.by_certificate(der) is None
    assert [note for note in access.notes if told in note] == access.notes[1:]
    assert len(access.notes) == 2


@pytest.mark.case("A09")
async def test_a_fingerprint_on_the_deny_list_counts_for_nothing_whoever_made_it(
    access: Driven, tmp_path: Path
) -> None:
    ours, theirs = issued(access, "press", tmp_path / "press"), certificate("mes", use=CLIENT)
    await access.looks()
    assert await access.by_certificate(ours)
    assert await access.by_certificate(theirs)
    forgot = access.forgot
    with registry(access.folder) as people:
        for der in (ours, theirs):
            people.deny(hashlib.sha256(der).hexdigest())
    await access.looks()
    assert access.forgot == forgot + 1, "the kernel looks again at whoever is in"
    assert await access.by_certificate(ours) is None
    assert await access.by_certificate(theirs) is None


async def test_the_certificate_of_somebody_who_is_disabled_counts_for_nothing(
    access: Driven, tmp_path: Path
) -> None:
    der = issued(access, "press", tmp_path / "press")
    with registry(access.folder) as people:
        people.disable("press")
        people.add("mes", ["viewer"])
        people.disable("mes")
    await access.looks()
    assert await access.by_certificate(der) is None
    assert await access.by_certificate(certificate("mes")) is None


@pytest.mark.case("A03")
async def test_a_valid_certificate_without_a_role_is_known_and_may_nothing(
    access: Driven, tmp_path: Path
) -> None:
    der = issued(access, "press", tmp_path / "press")
    with registry(access.folder) as people:
        people.set_roles("press", ())
    await access.looks()
    who = await access.by_certificate(der)
    assert who
    assert who.roles == ()
