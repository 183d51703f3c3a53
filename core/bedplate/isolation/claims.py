"""Who holds a plugin to each of its permissions: the kernel, the operating system, or nobody. For people.

Rule: what is only declared is said to be only declared. Each line that says otherwise has a hostile plugin in
tests/hostile that tries it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bedplate.admission.permissions import MEMORY, Permissions
from bedplate.isolation.machine import NETWORK_ABI, SCOPE_ABI, Level
from bedplate.isolation.profile import FILES

KERNEL, SYSTEM, NOBODY = "the kernel", "the OS", "declared only"


@dataclass(frozen=True, slots=True)
class Claim:
    """permission: its name in the manifest, or what it may never do · what: the entry · by: KERNEL, SYSTEM or NOBODY ·
    how: the means, and what they leave open."""

    permission: str
    what: str
    by: str
    how: str = ""


def claims(permissions: Permissions, level: Level, abi: int) -> list[Claim]:
    """How it stands at this level, with this version of Landlock (0: none)."""
    if level is Level.L0:
        told = [*permissions.entries()] or [("nothing", "")]
        return [Claim(name, what, NOBODY, "inline is full trust") for name, what in told]
    confined = level >= Level.L2
    found = [*_network(permissions, confined, abi), *_files(permissions, confined)]
    found += [*_programs(permissions, confined), *_resources(permissions, confined)]
    found += [*_kernels(permissions), *_never(level, abi)]
    return found


def _network(permissions: Permissions, confined: bool, abi: int) -> Iterator[Claim]:
    if not confined:
        yield from (Claim("network", what, NOBODY) for what in permissions.network or ("none",))
        return
    if not permissions.network:
        yield Claim("network", "none", SYSTEM, "seccomp: no socket but the one to the kernel")
    for what in permissions.network:
        yield from _address(what, abi)
    if any("$" in what for what in permissions.network):
        how = "seccomp lets UDP, to anywhere, when a host is given by name: names must be asked for"
        yield Claim("network", "names", SYSTEM, how)


def _address(what: str, abi: int) -> Iterator[Claim]:
    """Ports and hosts of one entry are held to by different means, or by none."""
    if what.startswith("udp:"):
        yield Claim("network", what, SYSTEM, "seccomp lets UDP")
        yield Claim("network", f"{what}: host, port", NOBODY, "no means for UDP in Landlock 7")
    elif what.endswith(":*"):
        yield Claim("network", what, SYSTEM, "seccomp lets TCP, to any port")
    elif abi >= NETWORK_ABI:
        yield Claim("network", what, SYSTEM, "TCP to this port, by Landlock")
        yield Claim("network", f"{what}: host", NOBODY, "Landlock knows ports, not hosts")
    else:
        yield Claim("network", what, SYSTEM, "seccomp lets TCP")
        yield Claim("network", f"{what}: host, port", NOBODY, "this Landlock knows no ports")


def _files(permissions: Permissions, confined: bool) -> Iterator[Claim]:
    by, how = (SYSTEM, "Landlock") if confined else (NOBODY, "modes of files alone")
    for what in permissions.files:
        read = what.startswith("read:")
        yield Claim("files", what, by, f"{how}: {'to read' if read else 'to read and write'}")
    for what in permissions.devices:
        yield Claim("devices", what, by, how)
    if confined:
        least = "its own code, system libraries, a temporary folder of its own"
        yield Claim("files", "else", by, f"Landlock: {least}")


def _programs(permissions: Permissions, confined: bool) -> Iterator[Claim]:
    if permissions.subprocess:
        how = "what it starts is confined as it is" if confined else ""
        yield Claim("subprocess", "", SYSTEM if confined else NOBODY, how)
    elif confined:
        yield Claim("subprocess", "none", SYSTEM, "seccomp: no process, no program; threads only")
    else:
        yield Claim("subprocess", "none", NOBODY)


def _resources(permissions: Permissions, confined: bool) -> Iterator[Claim]:
    told = permissions.memory or f"{MEMORY}, as none is declared"
    yield Claim("memory", told, KERNEL, "ends it, with all it started, within seconds")
    yield Claim("memory", "much more", SYSTEM, "refused: more than twice as much and 512 MiB")
    if permissions.cpu:
        by = SYSTEM if confined else NOBODY
        yield Claim(
            "cpu", f"{permissions.cpu:g}", by, "tied to so many processors" if confined else ""
        )
    yield Claim("open files", f"{FILES:,}", SYSTEM, "limit of the process")


def _kernels(permissions: Permissions) -> Iterator[Claim]:
    publish = ", ".join(permissions.tags.publish or ()) or "its own"
    if permissions.tags.publish == ():
        publish = "none"
    yield Claim(
        "tags.publish", publish, KERNEL, "only tags of its own components, by its own stream"
    )
    given = permissions.tags.subscribe
    subscribe = "what the file gives" if given is None else ", ".join(given) or "none"
    yield Claim("tags.subscribe", subscribe, KERNEL, "refused at check; nothing else is sent to it")
    commands = "yes" if permissions.commands else "none"
    yield Claim("commands", commands, KERNEL, "refused at check; the kernel alone asks for them")
    secrets = permissions.secrets
    told = "those of its settings" if secrets is None else ", ".join(secrets) or "none"
    yield Claim("secrets", told, KERNEL, "its own alone, when it opens; none in its environment")
    yield Claim("state", "its own", KERNEL, "by the name of its component")


def _never(level: Level, abi: int) -> Iterator[Claim]:
    if level < Level.L2:
        yield Claim("never", "listening, ptrace, other sockets", NOBODY)
        return
    yield Claim("never", "listening", SYSTEM, "seccomp: no plugin needs to")
    yield Claim("never", "ptrace, mounts, modules, clocks", SYSTEM, "seccomp, and no capabilities")
    if abi >= SCOPE_ABI:
        yield Claim("never", "signals to others", SYSTEM, "Landlock")
    else:
        yield Claim("never", "signals to others", NOBODY, "unless it has a user of its own")
    if level is Level.L3:
        yield Claim("never", "unix sockets of others", SYSTEM, "bubblewrap: it does not see them")
    else:
        yield Claim(
            "never", "unix sockets of others", NOBODY, "modes of files alone; L3 hides them"
        )
