"""The seccomp filter of a plugin's process, as bytes of classic BPF.

It closes what Landlock leaves open (UDP, MPTCP, raw and odd sockets, TCP fast open, listening) and what no plugin
needs (ptrace, mounts, modules, io_uring, namespaces, other processes' limits). A refused call fails with EPERM; a
call of a foreign architecture kills the process, since nothing legitimate makes one.

The first execve is the launcher's own: it puts an exception before this filter that nobody can guess (enter.py).
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bedplate.isolation.syscalls import ABSENT, NEEDED_BY_NONE, Arch

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
X32 = 0x40000000
NR, ARCH, ARGS = 0, 4, 16  # offsets in struct seccomp_data
LD, AND, JEQ, JGE, JSET, RET = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
AF_UNIX, AF_INET, AF_INET6, STREAM, DGRAM = 1, 2, 10, 1, 2
CLONE_THREAD, CLONE_NEW = 0x10000, 0x7E020000
MSG_FASTOPEN = 0x20000000
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
WRITES_TO_OTHERS = {  # which argument says whose; 0 is oneself
    "prlimit64": 0,
    "sched_setaffinity": 0,
    "sched_setattr": 0,
    "sched_setparam": 0,
    "sched_setscheduler": 0,
    "setpriority": 1,
    "ioprio_set": 1,
}

Step = tuple[str, int, str, str]  # instruction, operand, label if true, label if not


@dataclass(frozen=True, slots=True)
class Allowed:
    """tcp, udp: may make such sockets · bind: may take a local address (UDP needs it) · subprocess: may start
    programs · affinity: may choose its processors."""

    tcp: bool = False
    udp: bool = False
    bind: bool = False
    subprocess: bool = False
    affinity: bool = True


def program(arch: Arch, allowed: Allowed) -> bytes:
    """The filter: struct sock_filter after struct sock_filter."""
    head = [_op(LD, ARCH), _jump(JEQ, arch.audit, 1, 0), _op(RET, KILL), _op(LD, NR)]
    if arch.name == "x86_64":
        head += [_jump(JGE, X32, 0, 1), _op(RET, KILL)]
    body = [part for name, steps in _rules(allowed) for part in _rule(arch, name, steps)]
    return b"".join((*head, *body, _op(RET, ALLOW)))


def _rules(allowed: Allowed) -> Iterator[tuple[str, list[Step]]]:
    refuse = _refuse(errno.EPERM)
    for name in NEEDED_BY_NONE:
        yield name, refuse
    for name in ABSENT:
        yield name, _refuse(errno.ENOSYS)
    yield "clone3", _refuse(errno.ENOSYS)  # its flags lie in memory; clone's can be looked at
    yield "clone", _clone(allowed.subprocess)
    if not allowed.subprocess:
        for name in ("fork", "vfork", "execve", "execveat"):
            yield name, refuse
    yield "socket", _socket(allowed)
    yield "socketpair", [*_is(0, AF_UNIX), *_refuse(errno.EPERM)]
    for name in ("listen", "accept", "accept4", *(() if allowed.bind else ("bind",))):
        yield name, refuse
    for name, flags in (("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)):
        yield name, _without(flags, MSG_FASTOPEN)  # connects where Landlock does not look
    yield "ioctl", [("ld", 1, "", ""), *_neither(TIOCSTI, TIOCLINUX)]
    for name, whose in WRITES_TO_OTHERS.items():
        if name != "sched_setaffinity" or allowed.affinity:
            yield name, [*_is(whose, 0), *refuse]
        else:
            yield name, refuse


def _refuse(code: int) -> list[Step]:
    return [("ret", ERRNO | code, "", "")]


def _is(argument: int, value: int) -> list[Step]:
    """Allows the call when an argument has this value."""
    return [
        ("ld", argument, "", ""),
        ("eq", value, "", "other"),
        ("ret", ALLOW, "", ""),
        ("label", 0, "other", ""),
    ]


def _without(argument: int, flags: int) -> list[Step]:
    """Refuses the call when an argument has one of these flags."""
    return [
        ("ld", argument, "", ""),
        ("set", flags, "", "fine"),
        *_refuse(errno.EPERM),
        ("label", 0, "fine", ""),
        ("ret", ALLOW, "", ""),
    ]


def _neither(*values: int) -> list[Step]:
    return [
        *(("eq", value, "no", "") for value in values),
        ("ret", ALLOW, "", ""),
        ("label", 0, "no", ""),
        *_refuse(errno.EPERM),
    ]


def _clone(subprocess: bool) -> list[Step]:
    """Threads always, processes where programs may be started, namespaces never."""
    return [
        ("ld", 0, "", ""),
        ("set", CLONE_NEW, "no", ""),
        *([] if subprocess else [("set", CLONE_THREAD, "", "no")]),
        ("ret", ALLOW, "", ""),
        ("label", 0, "no", ""),
        *_refuse(errno.EPERM),
    ]


def _socket(allowed: Allowed) -> list[Step]:
    """unix streams, since it must reach the kernel; tcp and udp proper where they are declared; nothing else."""
    kinds = [(STREAM, 6)] * allowed.tcp + [(DGRAM, 17)] * allowed.udp
    steps: list[Step] = [
        ("ld", 0, "", ""),
        ("eq", AF_UNIX, "unix", ""),
        ("eq", AF_INET, "inet", ""),
        ("eq", AF_INET6, "inet", "no"),
        ("label", 0, "unix", ""),
        ("ld", 1, "", ""),
        ("and", 0xF, "", ""),
        ("eq", STREAM, "yes", "no"),
        ("label", 0, "inet", ""),
        ("ld", 1, "", ""),
        ("and", 0xF, "", ""),
        *(("eq", kind, f"of {kind}", "") for kind, _ in kinds),
        *_refuse(errno.EPERM),
    ]
    for kind, protocol in kinds:
        steps += [("label", 0, f"of {kind}", ""), ("ld", 2, "", "")]
        steps += [("eq", 0, "yes", ""), ("eq", protocol, "yes", "no")]
    steps += [("label", 0, "yes", ""), ("ret", ALLOW, "", ""), ("label", 0, "no", "")]
    return [*steps, *_refuse(errno.EPERM)]


def _rule(arch: Arch, name: str, steps: list[Step]) -> list[bytes]:
    """The steps, taken when the call has this name; nothing on a machine that has no such call."""
    if name not in arch.numbers:
        return []
    body = _assemble(steps)
    return [_jump(JEQ, arch.numbers[name], 0, len(body)), *body]


def _assemble(steps: list[Step]) -> list[bytes]:
    places: dict[str, int] = {}
    at = 0
    for what, _, label, _ in steps:
        if what == "label":
            places[label] = at
        else:
            at += 1
    code: list[bytes] = []
    for what, value, yes, no in steps:
        if what == "label":
            continue
        after = len(code) + 1
        to = [places[label] - after if label else 0 for label in (yes, no)]
        match what:
            case "ld":
                code.append(_op(LD, ARGS + 8 * value))
            case "and":
                code.append(_op(AND, value))
            case "ret":
                code.append(_op(RET, value))
            case _:
                code.append(_jump(JEQ if what == "eq" else JSET, value, to[0], to[1]))
    return code


def _op(code: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, value)


def _jump(code: int, value: int, yes: int, no: int) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
