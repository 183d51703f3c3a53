"""An issuer that does not answer, and strangers who make us ask it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from plugins.access.tests.driving import Clock, opened

from bedplate_access import module as ours

OIDC = {"issuer": "i", "audience": "a", "jwks_url": "https://127.0.0.1:1/jwks"}


def token(key: RSAKey, kid: str) -> str:
    claims = json.dumps({"iss": "i", "aud": "a", "sub": "vera", "exp": int(time.time()) + 600})
    return jws.serialize_compact({"alg": "RS256", "kid": kid}, claims, key, algorithms=["RS256"])


async def test_a_strangers_unknown_key_does_not_keep_out_those_whose_key_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that hangs is waited for longer than a call has; whoever can be judged must not stand behind it."""
    key, answers, asked = RSAKey.generate_key(2048, {"kid": "k"}), threading.Event(), []
    content = json.dumps({"keys": [key.as_dict(private=False)]}).encode()

    def source() -> bytes:
        asked.append(1)
        assert len(asked) == 1 or answers.wait(10)
        return content

    monkeypatch.setattr(ours, "source_of", lambda oidc, files: source)
    clock = Clock()
    async with opened(tmp_path / "access", clock, oidc=OIDC) as access:
        try:
            assert await access.by_token(token(key, "k"))
            clock.goes_on(61)
            strangers = [asyncio.create_task(access.by_token(token(key, "x"))) for _ in range(3)]
            while len(asked) < 2:
                await asyncio.sleep(0.01)
            clock.goes_on(61)
            strangers.append(asyncio.create_task(access.by_token(token(key, "y"))))
            await asyncio.sleep(0.05)
            assert await access.by_token(token(key, "k")), "judged though the issuer is silent"
            assert await asyncio.gather(*strangers) == [None] * 4
        finally:
            answers.set()
