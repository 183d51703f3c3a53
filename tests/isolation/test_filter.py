"""The seccomp filter on both machines it is written for, asked by a machine of our own."""

from __future__ import annotations

import errno
import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.isolation.bpf import ALLOW, KILL, ask

from bedplate.isolation import filter as filters
from bedplate.isolation.filter import Allowed, program
from bedplate.isolation.syscalls import NEEDED_BY_NONE, arch

MACHINES = [one for one in (arch("x86_64"), arch("aarch64")) if one]
NOTHING, TCP = Allowed(), Allowed(tcp=True)
UDP, PROGRAMS = Allowed(tcp=True, udp=True, bind=True), Allowed(subprocess=True)
EPERM = 0x00050000 | errno.EPERM
UNIX, INET, INET6, NETLINK, PACKET, VSOCK = 1, 2, 10, 16, 17, 40
STREAM, DGRAM, RAW, CLOEXEC = 1, 2, 3, 0o2000000
THREAD, PROCESS = 0x3D0F00, 17


def answer(machine: str, allowed: Allowed, name: str, *arguments: int) -> int:
    found = arch(machine)
    assert found
    return ask(program(found, allowed), found.audit, found.numbers[name], *arguments)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("allowed", "name", "arguments", "right"),
    [
        (NOTHING, "socket", (UNIX, STREAM | CLOEXEC, 0), ALLOW),
        (NOTHING, "socket", (UNIX, DGRAM, 0), EPERM),
        (NOTHING, "socket", (INET, STREAM, 0), EPERM),
        (TCP, "socket", (INET, STREAM, 0), ALLOW),
        (TCP, "socket", (INET6, STREAM | CLOEXEC, 6), ALLOW),
        (TCP, "socket", (INET, STREAM, 262), EPERM),
        (TCP, "socket", (INET, STREAM, 132), EPERM),
        (TCP, "socket", (INET, DGRAM, 0), EPERM),
        (TCP, "socket", (INET, RAW, 1), EPERM),
        (UDP, "socket", (INET, DGRAM, 17), ALLOW),
        (UDP, "socket", (INET6, DGRAM, 0), ALLOW),
        (UDP, "socket", (INET, DGRAM, 136), EPERM),
        (UDP, "socket", (NETLINK, RAW, 0), EPERM),
        (UDP, "socket", (PACKET, RAW, 3), EPERM),
        (UDP, "socket", (VSOCK, STREAM, 0), EPERM),
        (UDP, "socketpair", (UNIX, STREAM, 0), ALLOW),
        (UDP, "listen", (3, 1), EPERM),
        (UDP, "bind", (3, 0, 0), ALLOW),
        (TCP, "bind", (3, 0, 0), EPERM),
        (TCP, "sendto", (3, 0, 0, 0x4000, 0, 0), ALLOW),
        (TCP, "sendto", (3, 0, 0, 0x20000000, 0, 0), EPERM),
        (TCP, "sendmsg", (3, 0, 0x20000000), EPERM),
        (TCP, "sendmmsg", (3, 0, 1, 0x20000000), EPERM),
        (NOTHING, "clone", (THREAD,), ALLOW),
        (NOTHING, "clone", (PROCESS,), EPERM),
        (PROGRAMS, "clone", (PROCESS,), ALLOW),
        (PROGRAMS, "clone", (PROCESS | 0x10000000,), EPERM),
        (NOTHING, "clone3", (), 0x00050000 | errno.ENOSYS),
        (NOTHING, "execve", (1, 2, 3), EPERM),
        (NOTHING, "execveat", (1, 2, 3), EPERM),
        (PROGRAMS, "execve", (1, 2, 3), ALLOW),
        (NOTHING, "ioctl", (0, 0x5401), ALLOW),
        (NOTHING, "ioctl", (0, 0x5412), EPERM),
        (NOTHING, "ioctl", (0, 0x100005412), EPERM),
        (NOTHING, "prlimit64", (0, 7, 0, 0), ALLOW),
        (NOTHING, "prlimit64", (4711, 7, 1, 0), EPERM),
        (NOTHING, "setpriority", (0, 0, 5), ALLOW),
        (NOTHING, "setpriority", (0, 4711, 5), EPERM),
        (NOTHING, "sched_setaffinity", (0, 8, 0), ALLOW),
        (Allowed(affinity=False), "sched_setaffinity", (0, 8, 0), EPERM),
        (NOTHING, "io_uring_setup", (), 0x00050000 | errno.ENOSYS),
        (NOTHING, "kill", (1, 9), ALLOW),
    ],
)
def test_a_call_is_judged_alike_on_both_machines(
    machine: str, allowed: Allowed, name: str, arguments: tuple[int, ...], right: int
) -> None:
    assert answer(machine, allowed, name, *arguments) == right


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("name", NEEDED_BY_NONE)
def test_what_no_plugin_needs_is_refused_whatever_is_declared(machine: str, name: str) -> None:
    found = arch(machine)
    assert found
    if name in found.numbers:
        everything = Allowed(tcp=True, udp=True, bind=True, subprocess=True)
        assert ask(program(found, everything), found.audit, found.numbers[name], 1, 2, 3) == EPERM


def test_a_call_of_another_architecture_kills() -> None:
    for one in MACHINES:
        assert ask(program(one, UDP), 0x40000003, 11) == KILL
    assert ask(program(MACHINES[0], UDP), MACHINES[0].audit, 0x40000000 + 59) == KILL


@given(
    st.integers(0, 2), st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**64 - 1), max_size=6)
)
def test_every_call_has_an_answer(which: int, number: int, arguments: list[int]) -> None:
    one = MACHINES[which % 2]
    found = ask(program(one, TCP), one.audit, number, *arguments)

    assert found in (ALLOW, KILL) or found >> 16 == 0x0005


def test_only_the_launchers_own_execve_is_excepted() -> None:
    """Its three arguments are addresses that nobody can guess; each of them, and each half of each, counts."""
    spec = importlib.util.spec_from_file_location(
        "enter", Path(filters.__file__).with_name("enter.py")
    )
    assert spec
    assert spec.loader
    enter = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(enter)
    one = MACHINES[0]
    secrets = [enter.Secret(b"x\0") for _ in range(3)]
    places = [secret.address for secret in secrets]
    whole = enter.exception(one.numbers["execve"], one.audit, secrets) + program(one, NOTHING)

    assert len({*places}) == 3
    assert ask(whole, one.audit, one.numbers["execve"], *places) == ALLOW
    for n in range(3):
        for bit in (0, 3, 12, 31, 32, 37):
            other = [place ^ (1 << bit if k == n else 0) for k, place in enumerate(places)]
            assert ask(whole, one.audit, one.numbers["execve"], *other) == EPERM
    assert ask(whole, 0x40000003, one.numbers["execve"], *places) == KILL
    assert ask(whole, one.audit, one.numbers["socket"], UNIX, STREAM) == ALLOW
