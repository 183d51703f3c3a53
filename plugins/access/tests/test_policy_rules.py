"""Policies: what they allow, against an oracle of our own; what is wrong with them, at its line; and what they cost."""

from __future__ import annotations

import os
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate import Check, Invalid, Subject, Verdict
from bedplate.calendar import Calendar
from bedplate.gate.policy import ACTIONS
from bedplate_access.policy import Broken, Decider, Policies, Rules
from bedplate_access.policy.actions import GROUPS, known
from bedplate_access.policy.moment import caller, lasts, moment
from bedplate_access.policy.texts import PolicyFile, ready_made

NOON = 1_795_348_800_000_000_000  # Sun 2026-11-22 12:00 UTC
PATHS = [f"acme/{line}/{device}/{tag}" for line in "ab" for device in ("m1", "m2") for tag in "xy"]
PLACES = ["acme", "acme/a", "acme/a/m1", "acme/a/m1/x", "acme/b", "acme/b/m2/y", "acme/a/m"]
PATTERNS = ["*", "acme/a/*", "*/x", "acme/*/m1/*", "nothing"]


def rules(text: str, *, ready: bool = True) -> Rules:
    return Rules([*([ready_made()] if ready else []), PolicyFile("own.cedar", text, "")])


def decider(text: str = "", *, ready: bool = True, calendar: Calendar | None = None) -> Decider:
    from zoneinfo import ZoneInfo

    return Decider(rules(text, ready=ready), calendar, lambda: NOON, here=ZoneInfo("UTC"))


def allowed(decider: Decider, subject: Subject, action: str, *paths: str) -> list[bool]:
    found = decider.decide(subject, [Check(action, path) for path in paths])
    return [one.verdict is Verdict.ALLOW for one in found]


# --- against an oracle ---

policies = st.lists(
    st.tuples(
        st.booleans(),  # forbid
        st.sampled_from(["viewer", "operator", "admin", "group", "all"]),
        st.sampled_from(["See", "Operate", "live.subscribe", "all"]),
        st.one_of(
            st.tuples(st.just("in"), st.sampled_from(PLACES)),
            st.tuples(st.just("=="), st.sampled_from(PLACES)),
            st.tuples(st.just("like"), st.sampled_from(PATTERNS)),
            st.tuples(st.just("all"), st.just("")),
        ),
    ),
    max_size=6,
)


def written(number: int, policy: Any) -> str:
    forbid, who, what, (how, where) = policy
    names = {"all": "principal", "group": 'principal in Group::"g"'}
    principal = names.get(who, f'principal in Role::"{who}"')
    action = "action" if what == "all" else f'action in Action::"{what}"'
    places = {"in": f'resource in Asset::"{where}"', "==": f'resource == Asset::"{where}"'}
    resource = places.get(how, "resource")
    when = f' when {{ resource.path like "{where}" }}' if how == "like" else ""
    effect = "forbid" if forbid else "permit"
    return f'@id("p{number}") {effect} ({principal}, {action}, {resource}){when};'


def holds(policy: Any, subject: Subject, action: str, path: str) -> bool:
    """Whether a policy is about this."""
    _, who, what, (how, where) = policy
    by = who == "all" or (who == "group" and "g" in subject.groups) or who in subject.roles
    about = what in ("all", action) or action in GROUPS.get(what, ())
    there = {
        "all": True,
        "in": path == where or path.startswith(f"{where}/"),
        "==": path == where,
        "like": fnmatchcase(path, where),
    }[how]
    return by and about and there


@given(
    policies,
    st.sets(st.sampled_from(["viewer", "operator", "admin"])),
    st.booleans(),
    st.sampled_from(["live.subscribe", "catalog.tags", "alarms.acknowledge"]),
)
@settings(max_examples=int(os.environ.get("BEDPLATE_POLICIES", "60")), deadline=None)
def test_random_policies_decide_as_a_simple_reader_of_them_would(
    made: list[Any], roles: set[str], member: bool, action: str
) -> None:
    """Any forbid wins; what nothing permits is denied. For the platform: whether anything could be allowed."""
    subject = Subject("s", tuple(sorted(roles)), "ipv4:10.0.0.1:5", "token", ("g",) * member)
    text = "\n".join(written(n, one) for n, one in enumerate(made))
    found = allowed(decider(text, ready=False), subject, action, *PATHS, "")
    wanted = []
    for path in PATHS:
        about = [one for one in made if holds(one, subject, action, path)]
        wanted.append(bool(about) and not any(forbid for forbid, *_ in about))
    assert found[:-1] == wanted
    if action != "alarms.acknowledge":
        assert found[-1] or not any(wanted), "what shows something is allowed as such"


# --- the ready-made ones ---


def test_the_ready_made_policies_say_what_the_table_of_the_kernel_says() -> None:
    assert set(known()) == set(ACTIONS), "a new action needs its group in actions.py"
    own = decider()
    for role in ("viewer", "operator", "engineer", "admin", "auditor", "plugin"):
        subject = Subject("s", (role,), "ipv4:10.0.0.1:5", "token")
        for action, by_kernel in ACTIONS.items():
            wanted = not by_kernel.roles or role in by_kernel.roles
            assert allowed(own, subject, action, "acme/a") == [wanted], (role, action)
            assert allowed(own, subject, action, "") == [wanted], (role, action)


@pytest.mark.case("A03")
def test_who_has_no_role_may_ask_who_he_is_and_nothing_else() -> None:
    nobody = Subject("nobody", (), "ipv4:10.0.0.1:5", "certificate")
    found = {action for action in ACTIONS if allowed(decider(), nobody, action, "") == [True]}
    assert found == {"access.whoami", "access.check", "access.login"}


@pytest.mark.case("A14")
def test_a_viewer_changes_nothing() -> None:
    vera = Subject("vera", ("viewer",), "ipv4:10.0.0.1:5", "token")
    changing = [action for action, one in ACTIONS.items() if one.changes] + ["admin.audit"]
    for action in changing:
        assert allowed(decider(), vera, action, "", "acme/a/m1/x") == [False, False], action


# --- what they look at ---

HOURS = 'forbid (principal, action in Action::"Operate", resource) unless { context.hour >= 6 && context.hour < 12 };'


def test_time_shift_network_and_way_of_proof_are_seen() -> None:
    otto = Subject("otto", ("operator",), "ipv4:10.0.0.1:5", "token")
    shifts = {"early": {"days": "mon-sun", "from": "06:00", "to": "14:00"}}
    calendar = Calendar.from_dict({"timezone": "UTC", "shifts": shifts}, "three")
    told = {
        "context.hour == 12 && context.minute == 720": True,
        'context.weekday == "sun"': True,
        'context.shift == "early"': True,
        'context.ip.isInRange(ip("10.0.0.0/8"))': True,
        'context.ip.isInRange(ip("192.168.0.0/16"))': False,
        'context.method == "certificate"': False,
        "context.local": False,
        'principal.groups.contains("x")': False,
    }
    for condition, wanted in told.items():
        text = f"permit (principal, action, resource) when {{ {condition} }};"
        one = decider(text, ready=False, calendar=calendar)
        assert allowed(one, otto, "alarms.acknowledge", "a/b") == [wanted], condition


def test_peers_of_every_kind_have_an_address() -> None:
    peers = {
        "ipv4:10.1.2.3:4711": "10.1.2.3",
        "ipv6:[fe80::1%25eth0]:4711": "fe80::1",
        "ipv6:[::ffff:10.1.2.3]:1": "10.1.2.3",
        "unix:": "127.0.0.1",
        "10.1.2.3": "10.1.2.3",
        "nonsense": "0.0.0.0",
        "": "0.0.0.0",
    }
    for peer, address in peers.items():
        assert caller(Subject("x", (), peer))["ip"]["__extn"]["arg"] == address


def test_what_looks_at_the_clock_is_remembered_to_the_end_of_the_minute() -> None:
    assert rules("").moments == frozenset()
    assert rules(HOURS).moments == {"hour"}
    assert lasts(NOON + 45_000_000_000, {"hour"}) == 15
    assert lasts(NOON, ()) == 3600
    (one,) = decider(HOURS).decide(Subject("o", ("operator",)), [Check("alarms.acknowledge", "a")])
    assert (one.verdict, one.remember) == (Verdict.DENY, 60)
    assert moment(NOON, None, None)["weekday"] in ("sat", "sun")


def test_the_words_name_the_rules() -> None:
    own = decider('@id("ours") forbid (principal, action, resource in Asset::"acme/a");')
    vera = Subject("vera", ("viewer",))
    found = own.decide(vera, [Check("live.current", "acme/a/x"), Check("live.current", "acme/b")])
    assert [one.reason for one in found] == ["policy: ours", "viewer"]
    (none,) = own.decide(Subject("n"), [Check("live.current", "acme/b")])
    assert none.reason == "policy: nothing permits it"


@pytest.mark.parametrize("name", ['a"b', "a\\b", "\n", "ü\u202e", "x" * 256, "User::"])
def test_whatever_somebody_is_called_it_is_a_name(name: str) -> None:
    subject = Subject(name, ("viewer",), "ipv4:10.0.0.1:5", "token", (name,))
    found = allowed(decider(), subject, "live.current", "", f"acme/{name}", "acme/x")
    assert found == [True, True, True]


# --- what is wrong with them ---


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("permit (principal,\n action,\n resurce);", "own.cedar:3: found an invalid variable"),
        ('permit (principal, action in Action::"Sea", resource);', "own.cedar:1: unrecognized"),
        ('\n// x\npermit (principal in Role::"viewr", action, resource);', "mean viewer?"),
        ('@id("viewer") permit (principal, action, resource);', "is that of ready_made.cedar:"),
        ("permit (principal, action, resource) when { context.huor > 3 };", "`huor` not found"),
        ("permit (principal, action, resource", "own.cedar:1: unexpected end of input"),
        ("permit (principal in ?principal, action, resource);", "a template permits nothing"),
        ('permit (principal, action, resource);\n\n"', "own.cedar:3:"),
    ],
)
def test_a_mistake_is_told_at_its_line(text: str, told: str) -> None:
    with pytest.raises(Broken) as broken:
        rules(text)
    assert told in str(broken.value)


@given(st.text(alphabet='permit(principal,action resource);"\\/\n@{}x', max_size=60))
@settings(max_examples=100, deadline=None)
def test_whatever_the_text_it_is_rules_or_broken(text: str) -> None:
    said = ""
    try:
        rules(text)
    except Broken as broken:
        said = str(broken)
    assert not said or said.startswith("own.cedar:")


# --- files ---


class Wanted:
    def __init__(self, *files: Path, ready_made: bool = True) -> None:
        self.policies, self.ready_made, self.calendar = [str(f) for f in files], ready_made, None


FORBID = '@id("{}") forbid (principal, action, resource in Asset::"{}");\n'


@pytest.mark.case("A70")
def test_a_file_that_is_edited_is_noticed_and_the_old_rules_stay(tmp_path: Path) -> None:
    file = tmp_path / "own.cedar"
    file.write_text(FORBID.format("one", "acme/a"))
    policies = Policies(Wanted(file), {}, print)
    vera, checks = Subject("vera", ("viewer",)), [Check("live.current", "acme/a/x")]
    assert policies.decide(vera, checks)[0].verdict is Verdict.DENY
    assert policies.look() == []
    file.write_text("permit (principal, action, resource);")
    (told,) = policies.look()
    assert "was changed on disk; the rules that were applied stay in force" in told
    assert policies.look() == []
    assert policies.decide(vera, checks)[0].verdict is Verdict.DENY
    file.write_text(FORBID.format("one", "acme/a"))
    assert policies.look() == [f"policy file {file} is again as it was applied"]
    file.unlink()
    assert "can't be read any more" in policies.look()[0]
    # What the kernel says was applied counts, whatever stands on the disk now.
    applied = {str(file): FORBID.format("two", "acme/a").encode()}
    assert Policies(Wanted(file), applied, print).decide(vera, checks)[0].reason == "policy: two"


def test_policies_that_can_not_be_used_are_invalid_settings(tmp_path: Path) -> None:
    file = tmp_path / "own.cedar"
    with pytest.raises(Invalid, match=r"own\.cedar: No such file"):
        Policies(Wanted(file), {}, print)
    file.write_bytes(b"\n\xff")
    with pytest.raises(Invalid, match=r"own\.cedar:2: is no text in UTF-8"):
        Policies(Wanted(file), {}, print)


def test_without_any_policy_nothing_is_said_against_anything() -> None:
    none = Policies(Wanted(ready_made=False), {}, print)
    (found,) = none.decide(Subject("x"), [Check("live.current", "a")])
    assert found.verdict is Verdict.ABSTAIN


def test_a_portion_is_decided_in_a_fraction_of_its_time() -> None:
    """Two kinds of resources are two evaluations, however many there are; looked at one by one 250 still fit."""
    vera = Subject("vera", ("viewer",), "ipv4:10.0.0.1:5", "token")
    checks = [Check("live.subscribe", f"acme/line{n % 10}/m{n}/tag") for n in range(250)]
    for text, most in ((FORBID.format("x", "acme/line3"), 0.1), (HIDES, 0.4)):
        own = decider(text)
        own.decide(vera, checks)
        begun = time.process_time()
        found = own.decide(vera, checks)
        assert time.process_time() - begun < most
        assert sum(one.verdict is Verdict.DENY for one in found) == 25


HIDES = 'forbid (principal, action, resource) when { resource.path like "acme/line3/*" };'
