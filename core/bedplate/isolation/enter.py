"""The launcher: takes away from itself what a plugin must not have, then becomes the plugin's program.

Run by a bare interpreter (`python -I -S enter.py PROFILE COMMAND…`), so that nothing but the standard library is there,
and of that little, since each plugin waits for it. It decides nothing: profile.py has worked out every number. The
order matters: what needs rights first, then the rights, then paths, then calls. When a step fails it ends with 78 and
one sentence on stderr; it never goes on with less than it was told.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing alone takes as long as all the rest
    from typing import Any, NoReturn

DO_NOT_RETRY = 78
NO_NEW_PRIVS, SECCOMP_FILTER = 38, 1
PDEATHSIG, CAPBSET_DROP, CHILD_SUBREAPER = 1, 24, 36
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PATH_BENEATH, NET_PORT = 1, 2
OF_FILES = (
    1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
)  # rights that a file can have; others are a folder's
CLONE_NEWNS, MS_SLAVE, MS_REC = 0x20000, 1 << 19, 1 << 14
NOSUID_NODEV_NOEXEC = 2 | 4 | 8
NR, ARCH, ARGS = 0, 4, 16

libc: Any = ctypes.CDLL(None, use_errno=True)


def done(result: int, what: str) -> int:
    """Raises OSError when a call of libc failed."""
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def syscall(what: str, number: int, *words: Any) -> int:
    return done(libc.syscall(ctypes.c_long(number), *words), what)


def own_temporary(path: str, size: int, uid: int) -> None:
    """A temporary folder of limited size that nobody else sees, and that is gone with the process."""
    done(libc.unshare(CLONE_NEWNS), "unshare")
    done(libc.mount(None, b"/", None, ctypes.c_ulong(MS_SLAVE | MS_REC), None), "mount")
    told = f"size={size},nr_inodes=4096,mode=0700,uid={uid},gid={uid}".encode()
    flags = ctypes.c_ulong(NOSUID_NODEV_NOEXEC)
    done(libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", flags, told), f"mount {path}")


def limit(which: int, value: int) -> None:
    pair = (ctypes.c_uint64 * 2)()
    done(libc.getrlimit(which, pair), "getrlimit")
    pair[0] = pair[1] = min(value, pair[1])  # never above what we may
    done(libc.setrlimit(which, pair), "setrlimit")


def become(uid: int, groups: list[int]) -> None:
    os.setgroups(groups)
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def drop_capabilities(kept: int, number: int) -> None:
    """kept: mask of those that stay, so that what is started later has no others either."""
    for capability in range(64):
        if not kept >> capability & 1 and libc.prctl(CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break  # beyond the last, or not ours to drop: then we have none to pass on
    low, high = kept & 0xFFFFFFFF, kept >> 32
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)
    syscall("capset", number, header, sets)


def landlock(wanted: dict[str, Any]) -> None:
    masks = (ctypes.c_uint64 * 3)(wanted["fs"], wanted["net"], wanted["scope"])
    size = ctypes.c_size_t(wanted["size"])
    ruleset = syscall("landlock", CREATE_RULESET, masks, size, ctypes.c_uint(0))
    for path, rights in wanted["paths"]:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what is not there, or not for it, is not granted
        allowed = (rights if os.path.isdir(path) else rights & OF_FILES) & wanted["fs"]
        rule = ctypes.create_string_buffer(
            allowed.to_bytes(8, sys.byteorder) + place.to_bytes(4, sys.byteorder), 12
        )
        syscall(f"landlock {path}", ADD_RULE, ruleset, PATH_BENEATH, rule, ctypes.c_uint(0))
        os.close(place)
    for port, rights in wanted["ports"]:
        pair = (ctypes.c_uint64 * 2)(rights, port)
        syscall(f"landlock port {port}", ADD_RULE, ruleset, NET_PORT, pair, ctypes.c_uint(0))
    syscall("landlock", RESTRICT_SELF, ruleset, ctypes.c_uint(0))
    os.close(ruleset)


class Secret:
    """Memory at an address that nobody can guess. Three of them are the key to the one execve that is allowed."""

    def __init__(self, content: bytes) -> None:
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        size = (len(content) | 4095) + 1 + 4096
        for _ in range(100):
            page = int.from_bytes(os.urandom(4), "big") % (1 << 26) << 12 | 1 << 36
            place = libc.mmap(page, size, 3, 0x22 | 0x100000, -1, 0)  # fixed, never over another
            if place == page:
                break
        else:
            raise OSError("no room for the key of execve")
        self.address = page + int.from_bytes(os.urandom(2), "big") % 512 * 8
        ctypes.memmove(self.address, content, len(content))


def op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return code.to_bytes(2, sys.byteorder) + bytes((yes, no)) + value.to_bytes(4, sys.byteorder)


def exception(execve: int, audit: int, secrets: list[Secret]) -> bytes:
    """Allows the one execve whose three arguments are these addresses."""
    checks = []
    for index, secret in enumerate(secrets):
        low = ARGS + 8 * index
        checks += [(low, secret.address & 0xFFFFFFFF), (low + 4, secret.address >> 32)]
    checks = [(ARCH, audit), (NR, execve), *checks]
    code = b""
    for left, (offset, value) in zip(range(len(checks), 0, -1), checks, strict=True):
        code += op(0x20, offset) + op(0x15, value, 0, 2 * left - 1)
    return code + op(0x06, 0x7FFF0000)


def seccomp(number: int, code: bytes) -> None:
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    kept = ctypes.create_string_buffer(code, len(code))
    told = Program(len(code) // 8, ctypes.addressof(kept))
    syscall("seccomp", number, ctypes.c_uint(SECCOMP_FILTER), ctypes.c_uint(0), ctypes.byref(told))


def addresses(words: list[bytes]) -> tuple[bytes, list[Any]]:
    """A null-terminated array of pointers, and what it points to."""
    kept = [ctypes.create_string_buffer(word) for word in words]
    pointers = (ctypes.c_void_p * (len(kept) + 1))(*map(ctypes.addressof, kept), None)
    return bytes(pointers), kept


def confine(profile: dict[str, Any]) -> None:
    """Everything but the filter."""
    if profile["tmpfs"]:
        own_temporary(profile["tmpfs"], profile["temporary"], profile["uid"] or 0)
    if profile["processors"]:
        os.sched_setaffinity(0, profile["processors"])
    for which, value in profile["limits"]:
        limit(which, value)
    if profile["uid"] is not None:
        become(profile["uid"], profile["groups"])
    if profile["capset"]:
        drop_capabilities(profile["capabilities"], profile["capset"])
    done(libc.prctl(PDEATHSIG, 9, 0, 0, 0), "prctl")  # outlives the kernel in no language
    libc.prctl(CHILD_SUBREAPER, 1, 0, 0, 0)  # whoever leaves his parent stays a descendant
    done(libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    os.environ.update(profile["environment"])
    if profile["landlock"]:
        landlock(profile["landlock"])


def become_program(profile: dict[str, Any], command: list[str]) -> NoReturn:
    """The filter goes on at the last moment, and with it every execve but this one is refused."""
    program, filtered = os.fsencode(command[0]), profile["seccomp"]
    arguments, _kept = addresses([*map(os.fsencode, command)])
    variables, _also_kept = addresses([k + b"=" + v for k, v in os.environb.items()])
    import _signal  # type: ignore[import-not-found]  # cheaper than signal

    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)  # python ignores it, and its heir would too
    if filtered:
        secrets = [Secret(program + b"\0"), Secret(arguments), Secret(variables)]
        head = exception(filtered["execve"], filtered["audit"], secrets)
        path, argv, envp = (ctypes.c_void_p(secret.address) for secret in secrets)
        seccomp(filtered["number"], head + filtered["program"])
        libc.syscall(ctypes.c_long(filtered["execve"]), path, argv, envp)
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.execve(program, command, os.environ)


def main() -> NoReturn:
    profile: dict[str, Any] = marshal.loads(bytes.fromhex(sys.argv[1]))
    what = "can't be confined"
    try:
        confine(profile)
        what = f"can't start {sys.argv[2]}"
        become_program(profile, sys.argv[2:])
    except OSError as error:
        print(f"{what}: {error.strerror or error}", file=sys.stderr, flush=True)
        os._exit(DO_NOT_RETRY)


if __name__ == "__main__":
    main()
