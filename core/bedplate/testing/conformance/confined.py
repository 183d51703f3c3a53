"""The plugin under test as the kernel would start it on this machine: held to its manifest by the operating system.

Works out how, by the kernel's own code; starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bedplate.isolation import Level, Wanted, confine, grant, this_machine
from bedplate.isolation.grants import defaults
from bedplate.testing.conformance.subject import Subject
from bedplate.testing.runs import Program


def why_not(subject: Subject) -> str:
    """Why it can't be confined here; empty when it can."""
    if subject.permissions is None:
        return "it has no manifest to hold it to"
    return this_machine().why_not.get(Level.L2, "")


def confined(
    subject: Subject, settings: Mapping[str, Any], folder: Path, sockets: Path
) -> tuple[Program, str]:
    """settings: which its permissions name · folder: where it works · sockets: the folder of the kit's socket. Its
    program, and the level in words. Raises BedplateError for what can't be granted, OSError for a folder."""
    known = defaults(subject.settings) | dict(settings)
    wanted = Wanted(
        name=f"conformance/{subject.plugin}/{subject.use}",
        grant=grant(subject.permissions, known, folder),
        command=subject.program.command,
        code=[subject.path] if subject.path else [],
        folder=folder,
        sockets=sockets,
    )
    found = confine(this_machine(), Level.L0, wanted)
    return replace(subject.program, command=found.command), str(found.level)
