"""A plugin that tries everything it was not allowed. Every attempt returns when it got through, and raises when not.

Run as a plugin it tries them when it opens and gives the outcomes as a text; run as a program (`python hostile.py
TARGETS`) it does the same without anybody around it, which shows that the attempts are real. Standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {  # x86_64, aarch64
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "io_uring_setup": (425, 425),
    "unshare": (272, 97),
    "keyctl": (250, 219),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
}


def call(name: str, *words: Any) -> int:
    number = NUMBERS[name][os.uname().machine == "aarch64"]
    found = libc.syscall(ctypes.c_long(number), *words)
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(found)


def read(path: str) -> None:
    with open(path, "rb") as file:
        file.read(1)


def through_a_link(path: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "link"
        link.symlink_to(path)
        link.read_bytes()


def write(path: str) -> None:
    with open(path, "wb") as file:
        file.write(b"mine")
    os.unlink(path)


def too_much(size: int) -> None:
    """Fills its temporary folder."""
    with tempfile.TemporaryFile() as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
        file.flush()


def in_many_files(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for n in range(size >> 22):
            (Path(folder) / str(n)).write_bytes(bytes(1 << 22))


def tcp(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 3):
        pass


def fast_open(port: int) -> None:
    """Connects by sending, where no hook of connect is passed."""
    with socket.socket() as one:
        one.sendto(b"x", 0x20000000, ("127.0.0.1", port))


def mptcp(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262) as one:
        one.connect(("127.0.0.1", port))


def udp(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"x", ("127.0.0.1", port))


def make(*kind: int) -> None:
    socket.socket(*kind).close()


def listen(kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            one.listen()


def unix(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)


def execute() -> None:
    subprocess.run(["/bin/true"], check=True)


def fork() -> None:
    """A small bomb: twenty at once."""
    children: list[int] = []
    try:
        for _ in range(20):
            if not (pid := os.fork()):
                time.sleep(30)
                os._exit(0)
            children.append(pid)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def by_the_loader() -> None:
    """The dynamic loader runs any program that can be read."""
    loader = {"x86_64": "/lib64/ld-linux-x86-64.so.2"}.get(
        os.uname().machine, "/lib/ld-linux-aarch64.so.1"
    )
    pid = os.posix_spawn(loader, [loader, "/bin/true"], {})
    if os.waitpid(pid, 0)[1]:
        raise PermissionError(errno.EPERM, "it failed")


def trace(pid: int) -> None:
    call("ptrace", 16, pid, 0, 0)  # attach
    time.sleep(0.05)
    with contextlib.suppress(OSError):
        call("ptrace", 17, pid, 0, 0)


def memory_of(pid: int) -> None:
    vector = (ctypes.c_void_p * 2)(0, 0)
    call(
        "process_vm_readv",
        pid,
        vector,
        ctypes.c_ulong(0),
        vector,
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
    )


def files_of(pid: int) -> None:
    descriptor = call("pidfd_open", pid, 0)
    os.close(call("pidfd_getfd", descriptor, 0, 0))


def limits_of(pid: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_CORE, resource.prlimit(pid, resource.RLIMIT_CORE))


def hurry(pid: int) -> None:
    os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid) + 1)


def ring() -> None:
    call("io_uring_setup", 1, (ctypes.c_char * 120)())


def allocate(size: int) -> None:
    mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000).close()


def many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    kept = []
    try:
        while len(kept) < 10_000:
            kept.append(os.dup(0))
    finally:
        for one in kept:
            os.close(one)


def typed(text: bytes) -> None:
    """Puts words into the terminal's input. Without a terminal the call itself says whether it was let through."""
    import fcntl

    try:
        fcntl.ioctl(0, 0x5412, text)
    except OSError as error:
        if error.errno == errno.EPERM:
            raise


def attempts(at: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """name → what is tried. at: whom and what it is tried on."""
    pid = at["pid"]
    return {
        "read /etc/shadow": lambda: read("/etc/shadow"),
        "read /etc/passwd": lambda: read("/etc/passwd"),
        "read the kernel's token": lambda: read(at["token"]),
        "read the kernel's journal": lambda: os.listdir(at["journal"]),
        "read another plugin's folder": lambda: read(at["other"]),
        "read by a link": lambda: through_a_link(at["token"]),
        "find the sockets of others": lambda: read("/proc/self/net/unix"),
        "find the sockets of others by a thread": lambda: read("/proc/thread-self/net/unix"),
        "find the sockets of others by the machine": lambda: read("/proc/net/unix"),
        "read the kernel's environment": lambda: read(f"/proc/{pid}/environ"),
        "read the kernel's memory": lambda: read(f"/proc/{pid}/maps"),
        "write outside": lambda: write(at["outside"]),
        "write to /tmp": lambda: write(f"/tmp/hostile-{os.getpid()}"),
        "write to its own code": lambda: write(f"{Path(__file__).parent}/more.py"),
        "fill the disk by one file": lambda: too_much(80 << 20),
        "fill the disk by many files": lambda: in_many_files(80 << 20),
        "connect to an undeclared port": lambda: tcp(at["undeclared"]),
        "connect by TCP fast open": lambda: fast_open(at["undeclared"]),
        "connect by MPTCP": lambda: mptcp(at["undeclared"]),
        "send by UDP": lambda: udp(at["undeclared"]),
        "make a raw socket": lambda: make(socket.AF_INET, socket.SOCK_RAW, 1),
        "make a packet socket": lambda: make(socket.AF_PACKET, socket.SOCK_RAW, 3),
        "make a netlink socket": lambda: make(socket.AF_NETLINK, socket.SOCK_RAW, 0),
        "listen on TCP": lambda: listen(socket.SOCK_STREAM),
        "listen on UDP": lambda: listen(socket.SOCK_DGRAM),
        "reach an abstract socket": lambda: unix(at["abstract"]),
        "reach another program's socket": lambda: unix(at["socket"]),
        "start a program": execute,
        "start a program by the loader": by_the_loader,
        "fork": fork,
        "kill the kernel": lambda: os.kill(pid, 0),
        "stop the kernel's group": lambda: os.killpg(os.getpgid(pid), 0),
        "trace the kernel": lambda: trace(at["victim"]),
        "look into the kernel's memory": lambda: memory_of(pid),
        "take the kernel's files": lambda: files_of(pid),
        "change the kernel's limits": lambda: limits_of(pid),
        "slow the kernel down": lambda: hurry(at["victim"]),
        "make an io_uring": ring,
        "make a namespace": lambda: call("unshare", 0x10000000),
        "type into a terminal": lambda: typed(b"x"),
        "allocate 4 GiB": lambda: allocate(4 << 30),
        "open 10,000 files": many_files,
    }


ALLOWED: dict[str, Callable[[dict[str, Any]], object]] = {
    "connect to its own port": lambda at: tcp(at["declared"]),
    "write to its own folder": lambda at: write(f"{at['folder']}/mine"),
    "have a temporary file": lambda at: too_much(1 << 20),
    "start threads": lambda at: [
        threading.Thread(target=time.sleep, args=(0,)).start() for _ in range(20)
    ],
}


def outcomes(at: dict[str, Any]) -> dict[str, str]:
    """name → "done", or why not."""
    told = {}
    allowed = {name: (lambda act=act: act(at)) for name, act in ALLOWED.items()}  # type: ignore[misc]
    for name, act in {**attempts(at), **allowed}.items():
        try:
            act()
            told[name] = "done"
        except (OSError, MemoryError, RuntimeError, subprocess.SubprocessError) as error:
            number = getattr(error, "errno", None)
            told[name] = errno.errorcode.get(number, "") if number else type(error).__name__
    told["environment"] = os.environ.get("SECRET_OF_THE_KERNEL", "")
    return told


if __name__ == "__main__":
    print(json.dumps(outcomes(json.loads(sys.argv[1]))))
