"""[permissions]: their form, what covers what, and when a new version asks for more than was granted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.admission.manifest import parse
from bedplate.admission.permissions import Permissions, TagPermissions, covers, wider
from bedplate.errors import AdmissionError
from bedplate.model.selector import Selector

HEAD = """
manifest = 1
requires_api = ">=1,<2"
[[offer]]
use = "acme"
kind = "connector"
class = "acme:Acme"
capabilities = ["read"]
[permissions]
"""
NETWORK = st.sampled_from(
    [
        "tcp:$host:$port",
        "tcp:*:502",
        "tcp:plc:502",
        "tcp:plc:*",
        "tcp:*:*",
        "udp:$host:47808",
        "$url",
    ]
)
FILES = st.sampled_from(
    [
        "$folder",
        "read:$folder",
        "data",
        "data/a",
        "read:data/a",
        "read:data",
        "/var/lib/acme",
        "read:/var",
    ]
)
DEVICES = st.sampled_from(["/dev/ttyS0", "/dev/ttyS*", "/dev/serial/by-id/*", "$device"])
SELECTORS = st.sampled_from(["**", "a/**", "a/b", "*/b", "a/*", "**/b", "a*/b", "a/b*", "**/b/**"])
TAGS = st.none() | st.lists(SELECTORS, max_size=3).map(tuple)
PERMISSIONS = st.builds(
    Permissions,
    network=st.lists(NETWORK, max_size=3).map(tuple),
    files=st.lists(FILES, max_size=3).map(tuple),
    devices=st.lists(DEVICES, max_size=2).map(tuple),
    tags=st.builds(TagPermissions, publish=TAGS, subscribe=TAGS),
    commands=st.booleans(),
    secrets=st.none() | st.lists(st.sampled_from(["$password", "$key"]), max_size=2).map(tuple),
    memory=st.none() | st.sampled_from(["64MiB", "1GiB", "2GB"]),
    cpu=st.none() | st.sampled_from([0.5, 1.0, 4.0]),
    subprocess=st.booleans(),
)
LEVEL = st.text("ab*", min_size=1, max_size=3).filter(lambda text: "**" not in text) | st.just("**")
PATTERN = st.lists(LEVEL, min_size=1, max_size=4).map("/".join)
PATH = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("netwrok = []", "permissions, netwrok: unknown; did you mean `network`?"),
        ("sudo = true", "permissions, sudo: unknown"),
        (
            'network = ["tcp:plc"]',
            "permissions, network 1: 'tcp:plc' must be tcp: or udp: and an address",
        ),
        ('network = ["tcp:plc:99999"]', "has no port from 1 to 65535"),
        ('network = ["sctp:plc:1"]', "must be tcp: or udp: and an address"),
        ('network = ["tcp:a b:1"]', "must be tcp: or udp: and an address"),
        ('files = ["../other"]', "must name a folder or a file, without .."),
        ('files = ["/"]', "must name a folder or a file, without .."),
        ('files = ["~/x"]', "must be a path, or $x alone"),
        ('files = ["$folder/sub"]', "must be a path, or $x alone"),
        ('devices = ["/etc/passwd"]', "must be below /dev"),
        ('devices = ["/dev/*"]', "must be below /dev"),
        ('devices = ["/dev/../etc/x"]', "must be below /dev"),
        ('secrets = ["password"]', "must be $x of the setting x that takes a secret"),
        ('memory = "1"', "is no size"),
        ("memory = 1", "permissions, memory: input should be a valid string"),
        ('memory = "1MiB"', "is less than any plugin can start in"),
        ("cpu = 0", "permissions, cpu: input should be greater than or equal to 0.1"),
        ('tags = {publish = ["a//b"]}', "has an empty level"),
        ('tags = {write = ["a"]}', "permissions, tags, write: unknown"),
    ],
)
def test_what_is_wrong_with_a_permission_is_said(text: str, words: str) -> None:
    with pytest.raises(AdmissionError) as caught:
        parse((HEAD + text).encode(), "m.toml")

    assert words in str(caught.value)


@given(PATTERN, PATTERN, PATH)
def test_what_a_covered_selector_matches_the_wide_one_matches(
    wide: str, narrow: str, path: str
) -> None:
    if covers(wide, narrow) and Selector([narrow]).matches(path):
        assert Selector([wide]).matches(path)


@given(PATTERN, PATH)
def test_a_path_is_covered_where_it_is_matched(wide: str, path: str) -> None:
    assert covers(wide, path) == Selector([wide]).matches(path)


@given(PATTERN)
def test_a_selector_covers_itself_and_is_covered_by_all(pattern: str) -> None:
    assert covers(pattern, pattern)
    assert covers("**", pattern)


@given(PERMISSIONS)
def test_nothing_is_wider_than_itself_and_all_is_wider_than_nothing(one: Permissions) -> None:
    nothing = Permissions(
        tags=TagPermissions(publish=(), subscribe=()), secrets=(), memory="64MiB", cpu=0.1
    )

    assert wider(one, one) == []
    assert wider(one, nothing) == []


@given(PERMISSIONS, PERMISSIONS, PERMISSIONS)
def test_what_is_not_wider_step_by_step_is_not_wider_in_all(
    one: Permissions, two: Permissions, three: Permissions
) -> None:
    if not wider(one, two) and not wider(two, three):
        assert wider(one, three) == []


@given(PERMISSIONS, PERMISSIONS)
def test_what_both_have_together_is_no_wider_than_what_one_adds(
    one: Permissions, two: Permissions
) -> None:
    """Each line names an entry of the new manifest that the old one has not."""
    lists: dict[str, Any] = {
        name: getattr(one, name) + getattr(two, name) for name in ("network", "files", "devices")
    }
    more = wider(one, one.model_copy(update=lists))
    told = {f"{name} {entry}" for name in lists for entry in getattr(two, name)}

    assert {*more} <= told


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ({}, {"network": ("tcp:plc:502",)}, ["network tcp:plc:502"]),
        ({"network": ("tcp:*:502",)}, {"network": ("tcp:plc:502",)}, []),
        ({"network": ("tcp:plc:502",)}, {"network": ("udp:plc:502",)}, ["network udp:plc:502"]),
        ({"files": ("read:$f",)}, {"files": ("$f",)}, ["files $f"]),
        ({"files": ("data",)}, {"files": ("read:data/a",)}, []),
        ({"files": ("data",)}, {"files": ("database",)}, ["files database"]),
        ({"devices": ("/dev/ttyS*",)}, {"devices": ("/dev/ttyS1",)}, []),
        ({"devices": ("/dev/ttyS1",)}, {"devices": ("/dev/ttyS*",)}, ["devices /dev/ttyS*"]),
        ({}, {"memory": "2GiB"}, ["memory 2GiB instead of 1GiB"]),
        ({"memory": "2GiB"}, {}, []),
        ({"cpu": 1.0}, {}, ["cpu all instead of 1"]),
        ({}, {"subprocess": True, "commands": True}, ["commands", "subprocess"]),
        ({"secrets": ("$a",)}, {"secrets": ("$a", "$b")}, ["secrets $b"]),
        ({"secrets": ("$a",)}, {}, ["secrets (every setting that takes one)"]),
        (
            {"tags": {"publish": ("a/**",)}},
            {"tags": {"publish": ("a/b", "c")}},
            ["tags.publish c"],
        ),
        ({"tags": {"subscribe": ("a/**",)}}, {}, ["tags.subscribe **"]),
    ],
)
def test_what_is_wider_is_told_in_the_words_of_the_manifest(
    old: dict[str, Any], new: dict[str, Any], more: list[str]
) -> None:
    assert wider(Permissions(**old), Permissions(**new)) == more
