"""How a client finds a Bedplate elsewhere, and what a login leaves for the next command."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bedplate.client.failures import not_running
from bedplate.client.link import Tls, is_here, linked
from bedplate.client.remembered import forget, remember
from bedplate.endpoints import Endpoint, find
from bedplate.errors import BedplateError
from bedplate.gate.announcement import Announcement

THERE = Endpoint("gateway:7443", "token-of-alice", tls=True, ca="/ca.pem")


def test_what_a_login_left_is_found_by_its_address_alone(home: Path) -> None:
    file = remember(THERE)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert find("gateway") == THERE
    assert "token-of-alice" not in repr(find("gateway"))
    assert find("other:7443") == Endpoint("other:7443")
    assert forget("gateway:7443")
    assert not forget("gateway:7443")
    assert find("gateway") == Endpoint("gateway:7443")


def test_one_that_others_could_have_read_is_refused(home: Path) -> None:
    remember(THERE).chmod(0o644)
    with pytest.raises(BedplateError, match="log in anew"):
        find("gateway")


def test_the_environment_goes_before_it(home: Path) -> None:
    remember(THERE)
    given = {"BEDPLATE_TOKEN": "t", "BEDPLATE_CA": "/other.pem"}
    assert find("gateway", {**os.environ, **given}) == replace(THERE, token="t", ca="/other.pem")
    pair = {"BEDPLATE_CERT": "/c.pem", "BEDPLATE_KEY": "/k.pem"}
    found = find("gateway", {**os.environ, **pair})
    assert (found.token, found.cert, found.key) == ("", "/c.pem", "/k.pem")


def test_one_of_this_machine_that_speaks_tls_is_met_at_its_socket(home: Path) -> None:
    announcement = Announcement("plant", "local", 1, tls=True)
    announcement.publish("10.20.0.5:7443", home / "run" / "x.sock")
    try:
        socket = f"unix:{home / 'run' / 'x.sock'}"
        assert find().address == find("10.20.0.5:7443").address == socket
        found = find("10.20.0.5", {**os.environ, "BEDPLATE_TOKEN": "t"})
        assert (found.address, found.tls) == ("10.20.0.5:7443", True)
        remember(replace(THERE, address="10.20.0.5:7443"))
        assert find("10.20.0.5").address == "10.20.0.5:7443"
    finally:
        announcement.withdraw()


def test_what_does_not_answer_elsewhere_is_not_to_be_started_here() -> None:
    assert "does a firewall let you through" in not_running("gateway:7443")
    assert "start one with" in not_running("127.0.0.1:7443")


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1:7443", True),
        ("[::1]:7443", True),
        ("localhost:7443", True),
        ("unix:/run/x.sock", True),
        ("10.20.0.5:7443", False),
        ("gateway:7443", False),
        ("127.0.0.1.example:7443", False),
        ("[fe80::1]:7443", False),
    ],
)
def test_nothing_goes_over_a_network_in_the_clear(address: str, here: bool) -> None:
    assert is_here(address) is here
    assert (linked(address, "t", None).tls is None) is here
    assert linked(address, "t", Tls("ca.pem")).tls == Tls("ca.pem")
