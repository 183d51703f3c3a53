"""A platform whose callers a small security module knows by a file that the test may change at any time."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bedplate.endpoints import Endpoint, find
from bedplate.server.platform import Platform, prepare

ROSTER = '''import json, time
from hashlib import sha256
from pathlib import Path
from bedplate import Connector, Decision, LoggedIn, SecurityModule, Subject, Verdict


class Wave(Connector):
    """Contacts nothing."""

    def read(self, tags):
        return [time.time() for tag in tags]


class Roster(SecurityModule):
    """Knows whom its file names: by token, by the fingerprint of a certificate, by password."""

    def authenticate(self, credential):
        known = json.loads(Path("ROSTER").read_text())
        if known.get("silent"):
            time.sleep(known["silent"])
        if credential.name:
            if known.get("passwords", {}).get(credential.name) != credential.password:
                return None
            return LoggedIn(Subject(credential.name, ("viewer",), "", "password"), "token-of-" + credential.name)
        shown = sha256(credential.certificate).hexdigest() if credential.certificate else credential.token
        found = known["who"].get(shown)
        if found is None or found.get("bound", credential.bound.hex()) != credential.bound.hex():
            return None
        roles = tuple(found.get("roles", ["viewer"]))
        return Subject(found["id"], roles, "", "token", (), shown[:8], found.get("until", 0))

    def authorize(self, subject, checks):
        return [Decision(Verdict.ABSTAIN) for check in checks]
'''


class Plant:
    """One that runs. roster: what the module knows."""

    def __init__(self, folder: Path, platform: Platform, address: str) -> None:
        self.folder, self.platform, self.address = folder, platform, address

    @property
    def here(self) -> Endpoint:
        """As clients of the same user find it."""
        return find()

    @property
    def problems(self) -> str:
        assert self.platform.api
        return "\n".join(self.platform.api.problems())

    def know(self, **known: Any) -> None:
        know(self.folder, **known)


def know(folder: Path, **known: Any) -> None:
    file = folder / "roster.json"
    (folder / "roster.new").write_text(json.dumps({"who": {}, **known}))
    (folder / "roster.new").replace(file)


def fingerprint(folder: Path) -> str:
    der = ssl.PEM_cert_to_DER_cert((folder / "cert.pem").read_text())
    return hashlib.sha256(der).hexdigest()


def written(
    folder: Path,
    *,
    tls: Path | None = None,
    module: bool = True,
    placement: str = "inline",
    more: str = "",
) -> Path:
    """The deployment file."""
    know(folder)
    (folder / "roster.py").write_text(ROSTER.replace("ROSTER", str(folder / "roster.json")))
    api = f"api: {{tls: '{tls}'}}\n" if tls else ""
    guard = f"security: {{guard: {{use: roster, placement: {placement}}}}}\n" if module else ""
    file = folder / "plant.yaml"
    file.write_text(
        f"bedplate: 1\nname: plant\n{api}{guard}"
        "scan_classes: {fast: 100ms}\nconnectors:\n"
        "  oven: {use: wave, path: plant/oven, placement: inline,"
        f" tags: {{heat: {{scan: fast}}}}}}\n{more}"
    )
    return file


@asynccontextmanager
async def plant(
    folder: Path,
    *,
    tls: Path | None = None,
    module: bool = True,
    placement: str = "inline",
    listen: str = "127.0.0.1:0",
    more: str = "",
) -> AsyncIterator[Plant]:
    file = written(folder, tls=tls, module=module, placement=placement, more=more)
    running = Platform(prepare(file, [folder / "roster.py"]))
    address = await running.start(listen)
    try:
        if module:
            await until(lambda: running.kernel.components["guard"].life.state == "up", 30)
        yield Plant(folder, running, address)
    finally:
        await running.stop()
    assert not [*Path(os.environ["BEDPLATE_HOME"], "run").glob("*")], "nothing is left behind"


async def until(condition: Callable[[], Any], within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "did not come about in time"
        await asyncio.sleep(0.02)
