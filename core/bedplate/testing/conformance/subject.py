"""What is under test: one offer of one plugin, with what it declares and how it is started."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bedplate.runtime.launch import Launch
from bedplate.testing.runs import Program

_NETWORK = ("host", "port", "url", "address", "endpoint", "server", "broker")


@dataclass(frozen=True)
class Subject:
    """settings, tag, address: JSON Schemas · permissions: None when it has no manifest to declare any · importable:
    this interpreter can import it, so that it can run inline · manifest: the file, None without one ·
    path: the folder or file it lies in, None for one that is installed · dials: it can dial over TLS from elsewhere."""

    use: str
    kind: str
    program: Program
    capabilities: tuple[str, ...] = ()
    replay: str = "none"
    plugin: str = ""
    version: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    tag: Mapping[str, Any] = field(default_factory=dict)
    address: Mapping[str, Any] = field(default_factory=dict)
    inputs: Sequence[str] = ()
    permissions: Any = None
    support: str = ""
    manifest: Path | None = None
    importable: bool = False
    path: Path | None = None
    dials: bool = False

    def properties(self) -> Mapping[str, Any]:
        """Settings by name."""
        found: Mapping[str, Any] = self.settings.get("properties", {})
        return found

    def names_a_network(self) -> bool:
        """Whether a setting looks like the address of something."""
        return any(word in name.lower() for name in self.properties() for word in _NETWORK)


def subject_of(offer: Any, manifest: Path | None) -> Subject:
    """The subject behind an admitted Offer."""
    schema = offer.schema
    return Subject(
        use=offer.use,
        kind=offer.kind,
        program=program_of(offer),
        capabilities=tuple(offer.capabilities),
        replay=offer.replay,
        plugin=offer.plugin,
        version=offer.version,
        settings=schema.settings,
        tag=schema.tag,
        address=schema.address,
        inputs=schema.inputs,
        permissions=offer.permissions if offer.file is None else None,
        support=offer.support,
        manifest=manifest,
        importable=not offer.command and offer.python == sys.executable,
        path=offer.folder or offer.file,
        dials=not offer.command,
    )


def program_of(offer: Any) -> Program:
    """How the kernel would start it, without its confinement."""
    launch = Launch.of(offer, [offer])
    words = {k: v for k, v in launch.words("", "").items() if k not in ("host", "token")}
    return Program(launch.argv(), offer.kind, words)
