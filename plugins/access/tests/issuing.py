"""A real issuer in a process of its own (oidc-provider, Node), and tokens that somebody has tampered with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PEERS = HERE.parents[2] / "tests/peers"
CLIENTS = ("press-rs256", "press-es256")


class Provider:
    """address: its `iss`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.jwks_url = f"{address}/jwks"

    def token(self, client: str = "press-rs256") -> str:
        request = urllib.request.Request(f"{self.address}/token", b"grant_type=client_credentials")
        known = base64.b64encode(f"{client}:of-the-test-alone".encode()).decode()
        request.add_header("authorization", f"Basic {known}")
        return str(json.loads(_read(request))["access_token"])

    def keys(self) -> bytes:
        return _read(urllib.request.Request(self.jwks_url))

    def rotate(self) -> None:
        """Other keys from now on."""
        _read(urllib.request.Request(f"{self.address}/rotate"))


@contextmanager
def provider() -> Iterator[Provider]:
    node = shutil.which("node")
    if not node or not (PEERS / "node_modules/oidc-provider").exists():
        reason = "oidc-provider is not installed; run .make/peers"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    running = subprocess.Popen(
        [node, str(HERE / "issuer.mjs"), str(PEERS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert running.stdout
        yield Provider(running.stdout.readline().strip())
    finally:
        running.kill()
        running.communicate()


def _read(request: urllib.request.Request) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        content: bytes = answer.read()
    return content


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Header, claims, signature."""
    header, claims, signature = token.split(".")
    return json.loads(unbase(header)), json.loads(unbase(claims)), signature


def unbase(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def base(content: bytes | dict[str, Any]) -> str:
    whole = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(whole).decode().rstrip("=")


def hs256(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """Signed with a secret that everybody has: the public key of the issuer."""
    said = f"{base(header)}.{base(claims)}"
    return f"{said}.{base(hmac.new(secret, said.encode(), hashlib.sha256).digest())}"
