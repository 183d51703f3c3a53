"""Which Bedplate a client talks to, and with what token. The standard library alone: the command line starts with it.

A running kernel leaves `endpoints/<host>_<port>.json` in the user's configuration folder, readable by its owner only,
and takes it away when it stops. How to reach one elsewhere stands in `remembered/<host>_<port>.json`, from the last
login there. The kernel (gate/announcement.py) and the client (client/remembered.py) write them; here they are read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bedplate import strict_json
from bedplate.errors import BedplateError, CallError

DEFAULT = "127.0.0.1:7443"
DEFAULT_PORT = 7443
ANNOUNCED, REMEMBERED = "endpoints", "remembered"  # folders
GIVEN = ("token", "ca", "cert", "key")  # in the environment


@dataclass(frozen=True, slots=True)
class Endpoint:
    """address: host:port, or unix:path · token: empty when none is known · name: of the deployment · pid: of its
    kernel · started: ns UTC · socket: its local admin socket · tls: it speaks TLS · ca: PEM file of who made its
    certificate · cert, key: PEM files of ours."""

    address: str
    token: str = field(default="", repr=False)
    name: str = ""
    pid: int = 0
    started: int = 0
    socket: str = ""
    tls: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""

    @property
    def proves(self) -> bool:
        """Whether it has more to show than that it is the same user."""
        return bool(self.cert or self.ca)


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of tokens and endpoints: $BEDPLATE_HOME, $XDG_CONFIG_HOME/bedplate or ~/.config/bedplate.

    Raises BedplateError when there is no telling.
    """
    if environ.get("BEDPLATE_HOME"):
        return Path(environ["BEDPLATE_HOME"]).absolute()
    if os.path.isabs(environ.get("XDG_CONFIG_HOME", "")):
        return Path(environ["XDG_CONFIG_HOME"]) / "bedplate"
    if os.path.isabs(environ.get("HOME", "")):
        return Path(environ["HOME"]) / ".config" / "bedplate"
    raise BedplateError("no folder for tokens: neither BEDPLATE_HOME nor HOME is set")


def find(endpoint: str | None = None, environ: Mapping[str, str] = os.environ) -> Endpoint:
    """The Bedplate to talk to: the one named, or $BEDPLATE_ENDPOINT, or the one on 127.0.0.1:7443, or the only one that
    runs. $BEDPLATE_TOKEN, $BEDPLATE_CA, $BEDPLATE_CERT and $BEDPLATE_KEY go before what the endpoint left or what is
    remembered of it; to an address that left no token none is sent. One of this machine that speaks TLS is reached over
    its admin socket, unless something is to be shown to it.

    Raises CallError: INVALID_ARGUMENT for what is no address and when several run, UNAVAILABLE when none does;
    BedplateError when others could have read the token.
    """
    named = endpoint or environ.get("BEDPLATE_ENDPOINT", "")
    found = _named(normalise(named), environ) if named else _running(environ)
    given = {word: environ.get(f"BEDPLATE_{word.upper()}", "") for word in GIVEN}
    if found.token and not given["token"]:
        _refuse_open_to_others(file_of(found.address, environ, REMEMBERED))
        _refuse_open_to_others(file_of(found.address, environ))
    if given["cert"] and not given["token"]:
        found = replace(found, token="")  # of whom the certificate is, not of this machine
    for word, value in given.items():
        found = replace(found, **{word: value}) if value else found  # type: ignore[arg-type]
    if found.tls and found.socket and not (given["token"] or found.proves):
        return replace(found, address=f"unix:{found.socket}", tls=False)
    return found


def normalise(address: str) -> str:
    """host:port with the default port filled in; localhost is 127.0.0.1. Raises CallError."""
    text = address.strip()
    if text.startswith("unix:"):
        return text
    if re.fullmatch(r":?[0-9]{1,5}", text):
        text = f"127.0.0.1:{text.lstrip(':')}"
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+)(?::([0-9]{1,5}))?", text)
    port = int(match[2] or DEFAULT_PORT) if match else 0
    if match is None or not 0 < port < 65536:
        raise CallError(
            f"{address!r} is no endpoint; write host:port, such as {DEFAULT}",
            code="INVALID_ARGUMENT",
        )
    return f"{'127.0.0.1' if match[1] == 'localhost' else match[1]}:{port}"


def file_of(address: str, environ: Mapping[str, str] = os.environ, folder: str = ANNOUNCED) -> Path:
    """Where the kernel at this address leaves its endpoint, or where it is remembered."""
    host, _, port = address.rpartition(":")
    return home(environ) / folder / f"{re.sub(r'[^0-9A-Za-z.-]', '-', host)}_{port}.json"


def announced(environ: Mapping[str, str] = os.environ) -> list[Endpoint]:
    """Every kernel of this user that runs here, by address."""
    folder = home(environ) / "endpoints"
    found = map(_read, sorted(folder.glob("*.json")))
    return [endpoint for endpoint in found if endpoint and is_alive(endpoint.pid)]


def is_alive(pid: int) -> bool:
    """Whether there is such a process, whosesoever it is."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return pid > 0


def _named(address: str, environ: Mapping[str, str]) -> Endpoint:
    if address.startswith("unix:"):
        return Endpoint(address)
    remembered = _read(file_of(address, environ, REMEMBERED))
    announced = _read(file_of(address, environ))
    if announced and is_alive(announced.pid):
        more = remembered or Endpoint(address)
        return replace(announced, ca=more.ca, cert=more.cert, key=more.key)
    return remembered or announced or Endpoint(address)


def _running(environ: Mapping[str, str]) -> Endpoint:
    live = announced(environ)
    for endpoint in live:
        if endpoint.address == DEFAULT or len(live) == 1:
            return endpoint
    if not live:
        raise CallError(
            "no Bedplate of yours runs here; start one with `bedplate run FILE`,"
            " or name another with BEDPLATE_ENDPOINT=host:port",
            code="UNAVAILABLE",
        )
    names = ", ".join(f"{endpoint.address} ({endpoint.name})" for endpoint in live)
    raise CallError(
        f"several Bedplates run here: {names}; choose one with BEDPLATE_ENDPOINT=host:port",
        code="INVALID_ARGUMENT",
    )


def _read(file: Path) -> Endpoint | None:
    try:
        content: Any = strict_json.loads(file.read_bytes())
        return Endpoint(
            str(content["address"]),
            str(content["token"]),
            str(content["name"]),
            int(content["pid"]),
            int(content["started"]),
            str(content["socket"]),
            content.get("tls") is True,
            *(str(content.get(word, "")) for word in ("ca", "cert", "key")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _refuse_open_to_others(file: Path) -> None:
    try:
        mode = file.stat().st_mode & 0o777
    except OSError:
        return  # gone since: its Bedplate has just stopped
    if mode & 0o077:
        raise BedplateError(
            f"{file} is open to others (mode {mode:04o}), so its token may be known: restart that Bedplate,"
            " or log in anew"
        )
