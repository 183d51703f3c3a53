"""What the deployment file says: secrets that stand in it, and devices that are spoken to in the clear."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bedplate.cli.controls.scene import Proof, Scene, held, told, weak
from bedplate.server.placeholders import placeholders

_NAME = re.compile(
    r"(?<![a-z])(pass(word|wd|phrase|wort)?|kennwort|secret|token|api_?key|access_?key|psk)$", re.I
)
_LOGIN = re.compile(r"://[^/@\s:]+:[^/@\s]+@")
_COMMENT = re.compile(
    r"#.*?\b(password|passwort|kennwort|passphrase|secret|token|api[_-]?key)\b\s*[:=]\s*[^\s{]{4,}",
    re.I,
)
_KEY = "-----BEGIN "
DO = 'put it into a file of mode 0600, write {secret: "file:…"}, and change it: it has been read'

# By the word of `use:`. What they lack is lacking in the protocol: nothing that is written here would help.
CLEAR = {
    "modbus": "Modbus has no login, no encryption, no signature",
    "s7": "S7 (put/get) has no encryption, and its password is no protection",
    "ethernetip": "EtherNet/IP without CIP Security has no login and no encryption",
}


def secrets(scene: Scene) -> Iterator[Proof]:
    """Values of settings, logins in addresses, comments of the file. Never says what it found."""
    tried = "settings, addresses and comments that look like secrets"
    found = [*dict.fromkeys([*_in_settings(scene), *_in_text(scene)])]
    for where in found:
        yield weak("plain-secrets", tried, where, DO)
    for problem in placeholders(scene.deployment):
        yield weak("default-secrets", problem.path, problem.text, "think of one of your own")
    if not found:
        yield held("plain-secrets", tried, "none stands in the file")


def _in_settings(scene: Scene) -> Iterator[str]:
    for component in scene.deployment.components:
        for steps, value in _texts(component.settings, (component.id,)):
            if _NAME.search(steps[-1]) or _LOGIN.search(value) or _KEY in value:
                yield f"{'.'.join(steps)} stands in the file in the clear"
    if _LOGIN.search(scene.deployment.telemetry.otlp):
        yield "telemetry.otlp stands in the file in the clear"


def _texts(value: Any, steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        if set(value) != {"secret"}:
            for key, part in value.items():
                yield from _texts(part, (*steps, str(key)))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part, steps)
    elif isinstance(value, str) and value:
        yield steps, value


def _in_text(scene: Scene) -> Iterator[str]:
    file = Path(scene.deployment.source.file)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for number, line in enumerate(lines, 1):
        if _COMMENT.search(line):
            yield f"{file.name}:{number}: a comment that holds a secret"


def devices(scene: Scene) -> Iterator[Proof]:
    """OPC UA without security is a choice and so a weakness; what a protocol can't do is a fact."""
    sound = []
    for component in scene.deployment.of_kind("connector"):
        if component.use == "opcua":
            settings = component.settings
            if "None" in (settings.get("security_policy"), settings.get("security_mode")):
                tried = f"{component.id}: security_policy"
                do = "take `security_policy: None` away; where the server can't, a zone of its own"
                yield weak("opcua-none", tried, "None: who is in between reads and changes all", do)
            else:
                sound.append(component.id)
    if sound:
        yield held("opcua-none", f"{len(sound)} OPC UA connectors", "signed and encrypted")
    for use, text in CLEAR.items():
        ids = [one.id for one in scene.deployment.of_kind("connector") if one.use == use]
        if ids:
            came = f"{text}: only a zone of its own protects it"
            yield told("clear-protocols", f"{use}: {len(ids)} connectors", came)


def collectors(scene: Scene) -> Iterator[Proof]:
    """What leaves in the clear."""
    syslog = scene.deployment.audit.syslog
    if syslog and not syslog.startswith("tls://"):
        tried = f"audit.syslog is {syslog}"
        do = "audit: {syslog: tls://host:6514, tls: FOLDER}"
        yield weak("syslog", tried, "audit lines go out in the clear", do)
