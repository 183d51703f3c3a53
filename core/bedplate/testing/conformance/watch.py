"""What a process of a plugin holds, by /proc: descriptors, threads, memory, sockets, files. Of its whole session."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

LISTEN, ESTABLISHED = "0A", "01"
ACCEPTS = 0x00010000  # flags of a listening socket in /proc/net/unix


@dataclass(frozen=True, slots=True)
class Held:
    """rss: KiB."""

    fds: int
    threads: int
    rss: int


def pids(session: int) -> list[int]:
    """All processes of this session: the plugin and what it started. Empty: they are gone."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session and fields[0] != "Z":
                    found.append(int(entry))
    return found


def held(session: int) -> Held:
    """Sums over the session."""
    fds = threads = rss = 0
    for pid in pids(session):
        with contextlib.suppress(OSError):
            fds += len(os.listdir(f"/proc/{pid}/fd"))
            status = Path(f"/proc/{pid}/status").read_text()
            values = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            threads += int(values["Threads"])
            rss += int(values.get("VmRSS", "0 kB").split()[0])
    return Held(fds, threads, rss)


def _links(session: int) -> dict[str, tuple[int, str]]:
    """What its descriptors lead to → (pid, number)."""
    found = {}
    for pid in pids(session):
        with contextlib.suppress(OSError):
            for number in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    found[os.readlink(f"/proc/{pid}/fd/{number}")] = (pid, number)
    return found


def _inodes(session: int) -> set[str]:
    return {
        link.removeprefix("socket:[").rstrip("]")
        for link in _links(session)
        if link.startswith("socket:[")
    }


def listening(session: int) -> list[str]:
    """Sockets at which it accepts: "tcp 127.0.0.1:8080", "unix /run/x"."""
    mine = _inodes(session)
    found = [f"tcp {_address(row[1])}" for row in _tcp() if row[3] == LISTEN and row[9] in mine]
    for row in _rows("/proc/net/unix"):
        if int(row[3], 16) & ACCEPTS and row[6] in mine:
            found.append(f"unix {row[7] if len(row) > 7 else '(unnamed)'}")
    return found


def connected(session: int) -> list[tuple[str, int]]:
    """Peers of its TCP connections: (address, port)."""
    mine = _inodes(session)
    peers = []
    for row in _tcp():
        if row[3] == ESTABLISHED and row[9] in mine:
            host, _, port = _address(row[2]).rpartition(":")
            peers.append((host, int(port)))
    return peers


def written(session: int) -> list[str]:
    """Files that it has open for writing. Pipes, sockets, devices and deleted files do not count."""
    found = []
    for link, (pid, number) in _links(session).items():
        if not link.startswith("/") or link.startswith(("/dev/", "/proc/")) or "(deleted)" in link:
            continue
        with contextlib.suppress(OSError, ValueError):
            info = Path(f"/proc/{pid}/fdinfo/{number}").read_text()
            flags = next(line.split()[1] for line in info.splitlines() if line.startswith("flags"))
            if int(flags, 8) & os.O_ACCMODE:
                found.append(link)
    return found


def _tcp() -> list[list[str]]:
    return _rows("/proc/net/tcp") + _rows("/proc/net/tcp6")


def _rows(file: str) -> list[list[str]]:
    try:
        return [line.split() for line in Path(file).read_text().splitlines()[1:]]
    except OSError:
        return []


def _address(text: str) -> str:
    """ "0100007F:1F90" as 127.0.0.1:8080."""
    raw, _, port = text.partition(":")
    data = bytes.fromhex(raw)
    if len(data) == 4:
        host = ".".join(str(b) for b in reversed(data))
    else:
        words = b"".join(data[i : i + 4][::-1] for i in range(0, 16, 4))
        mapped = words[:12] == bytes(10) + b"\xff\xff"
        host = ".".join(map(str, words[12:])) if mapped else _six(words)
    return f"{host}:{int(port, 16)}"


def _six(words: bytes) -> str:
    import ipaddress

    return str(ipaddress.IPv6Address(words))
