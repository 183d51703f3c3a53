"""Tokens: what they are good for, how long, and with whom."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugins.access.tests.driving import DAY, GOOD, Clock, opened, registry

from bedplate import Check, Credential, Subject, Verdict
from bedplate.model import Selector
from bedplate_access.recognition import Recognition, outside
from bedplate_access.registry import RegistryError, digest
from bedplate_access.roster import SCOPE, Identity, Roster, Token
from bedplate_access.settings import ROLES, Config

MINE, OTHERS = hashlib.sha256(b"mine").digest(), hashlib.sha256(b"others").digest()
roles = st.lists(st.sampled_from(ROLES), unique=True).map(tuple)
moments = st.integers(0, 2**62)
LEVELS = st.sampled_from(["acme", "line1", "line2", "oven", "t"])
PATHS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join)
SELECTORS = st.lists(
    st.lists(st.one_of(LEVELS, st.sampled_from(["*", "**"])), min_size=1, max_size=4).map("/".join),
    min_size=1,
    max_size=3,
)


@given(
    has=roles,
    given_=roles,
    groups=st.lists(st.sampled_from(["ops", "it"]), unique=True).map(tuple),
    expires=moments,
    now=moments,
    flags=st.tuples(st.booleans(), st.booleans()),
    bound=st.sampled_from([b"", MINE]),
    shown=st.sampled_from([b"", MINE, OTHERS]),
)
def test_a_token_counts_only_while_all_holds_and_gives_no_more_than_its_owner_has(
    has: tuple[str, ...],
    given_: tuple[str, ...],
    groups: tuple[str, ...],
    expires: int,
    now: int,
    flags: tuple[bool, bool],
    bound: bytes,
    shown: bytes,
) -> None:
    revoked, disabled = flags
    token = Token("1", "mes", digest("bpt_x"), given_, (), bound.hex(), expires, revoked)
    owner = Identity("mes", has, groups, disabled=disabled)
    who = Recognition(Config(roles={"ops": "operator", "it": ["auditor"]}), lambda: now)
    who.roster = Roster({"mes": owner}, {token.digest: token})
    found = who.by_token(Credential(token="bpt_x", bound=shown))
    counts = not (revoked or disabled) and now < expires and (not bound or bound == shown)
    assert (found is not None) == counts
    if found:
        _, subject = found
        mapped = {"ops": "operator", "it": "auditor"}
        assert set(subject.roles) == set(given_) & {*has, *(mapped[g] for g in groups)}
        assert subject.until == expires
        assert subject.credential == (shown.hex() or "token:1")


@given(paths=SELECTORS, path=PATHS, action=st.sampled_from(["live.current", "command.submit"]))
def test_a_token_for_some_paths_is_good_for_what_they_match_and_nothing_else(
    paths: list[str], path: str, action: str
) -> None:
    subject = Subject("mes", groups=tuple(SCOPE + one for one in paths))
    assert outside(subject, Check(action, path)) == (not Selector(paths).matches(path))
    assert not outside(replace(subject, groups=("ops",)), Check(action, path))


@pytest.mark.parametrize(
    ("action", "resource", "fits"),
    [
        ("live.subscribe", "", True),  # what it may see is asked path by path
        ("access.whoami", "", True),
        ("access.sessions", "", False),  # of everybody, and nothing of it goes by a path
        ("admin.status", "", False),
        ("admin.apply", "", False),
        ("live.current", "acme/line1/**", False),  # no path
        ("live.current", "acme/line1/oven/t", True),
        ("admin.maintenance", "acme/line2/oven", False),
    ],
)
async def test_the_platform_itself_is_beyond_a_token_for_some_paths(
    tmp_path: Path, action: str, resource: str, fits: bool
) -> None:
    async with opened(tmp_path / "access") as access:
        with registry(access.folder) as people:
            people.add("mes", ["engineer"])
            _, token = people.create_token("mes", ["engineer"], DAY, ["acme/line1/**"])
        await access.looks()
        who = await access.by_token(token)
        assert who
        (decision,) = await access.module.authorize(who, [Check(action, resource)])
    assert (decision.verdict != Verdict.DENY) == fits
    assert fits or decision.reason == "outside the scope of the token"


@pytest.mark.case("A05")
async def test_a_captured_token_is_nothing_from_another_certificate(tmp_path: Path) -> None:
    async with opened(tmp_path / "access") as access:
        with registry(access.folder) as people:
            people.add("mes", ["viewer"])
            _, token = people.create_token("mes", ["viewer"], DAY, bound=MINE.hex())
        await access.looks()
        assert await access.by_token(token, MINE)
        assert await access.by_token(token, OTHERS) is None
        assert await access.by_token(token) is None


@pytest.mark.case("A05", "A09")
async def test_a_token_that_is_bound_ends_with_its_certificate(tmp_path: Path) -> None:
    """A machine that was stolen has both: denying the certificate is enough, whatever else is shown with it."""
    async with opened(tmp_path / "access") as access:
        with registry(access.folder) as people:
            people.add("mes", ["viewer"], (), GOOD)
            _, bound = people.create_token("mes", ["viewer"], DAY, bound=MINE.hex())
            _, free = people.create_token("mes", ["viewer"], DAY)
        await access.looks()
        login = await access.by_password("mes", GOOD, MINE)
        assert login
        tokens = (bound, free, login.token)
        assert all([await access.by_token(token, MINE) for token in tokens])
        with registry(access.folder) as people:
            people.deny(MINE.hex())
        await access.looks()
        assert [await access.by_token(token, MINE) for token in tokens] == [None, None, None]
        assert await access.by_password("mes", GOOD, MINE) is None
        assert await access.by_token(free)


async def test_two_tokens_shown_from_one_certificate_are_one_credential(tmp_path: Path) -> None:
    """So that nobody approves his own command as somebody else (A15)."""
    async with opened(tmp_path / "access") as access:
        with registry(access.folder) as people:
            people.add("alice", ["operator"])
            people.add("bob", ["operator"])
            _, one = people.create_token("alice", ["operator"], DAY)
            _, other = people.create_token("bob", ["operator"], DAY)
        await access.looks()
        found = [await access.by_token(token, MINE) for token in (one, other)]
        apart = [await access.by_token(token) for token in (one, other)]
    assert {who.credential for who in found if who} == {MINE.hex()}
    assert len({who.credential for who in apart if who}) == 2


@pytest.mark.parametrize("token", ["", "x", "bpt_", "bpt_" + "A" * 43, "bps_x", "a.b.c", "\x00"])
async def test_what_was_never_given_out_is_nobody(tmp_path: Path, token: str) -> None:
    async with opened(tmp_path / "access") as access:
        assert await access.by_token(token) is None


def test_what_makes_no_sense_is_refused_in_words(tmp_path: Path) -> None:
    from plugins.access.tests.driving import quick

    from bedplate_access import bootstrap
    from bedplate_access.folder import Folder

    bootstrap.begin(Folder(tmp_path / "access"), "hand", Clock().time_ns, quick()).close()
    with registry(tmp_path / "access") as people:
        people.add("mes", ["viewer"])
        tries = [
            (lambda: people.create_token("mes", ["admin"], DAY), "is no admin"),
            (lambda: people.create_token("mes", ["emperor"], DAY), "is no role"),
            (lambda: people.create_token("mes", ["viewer"], 0), "longer than nothing"),
            (lambda: people.create_token("mes", ["viewer"], 500 * DAY), "at most"),
            (lambda: people.create_token("mes", ["viewer"], DAY, ["a//b"]), "empty level"),
            (lambda: people.create_token("nobody", [], DAY), "nobody is called"),
            (lambda: people.add("mes"), "known already"),
            (lambda: people.add("local-token"), "kernel's own"),
            (lambda: people.add("../x"), "is no name"),
            (lambda: people.add("a\nb"), "is no name"),
            (lambda: people.add("x" * 129), "is no name"),
            (lambda: people.add("eve", [], (), GOOD[:11]), "shorter than 12"),
        ]
        for attempt, told in tries:
            with pytest.raises(RegistryError, match=told):
                attempt()
