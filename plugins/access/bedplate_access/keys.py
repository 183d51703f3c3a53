"""The public keys of an issuer: from a file, or by https, kept, and fetched again when an unknown one is met.

Rule: only public asymmetric keys of enough strength get in, none of a manual. A fetch that fails leaves the keys that
are known; at most one a minute, so that tokens of strangers make no traffic.
"""

from __future__ import annotations

import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from bedplate import strict_json
from bedplate_access.certificates import RSA_LEAST
from bedplate_access.settings import Oidc

AGAIN = 60.0  # s between two fetches
FRESH = 3600.0  # s after which known keys are looked at again
WITHIN = 1.5  # s; the kernel waits 2 s for all of it
MOST = 1 << 20  # bytes
# SHA-256 thumbprints (RFC 7638) of keys whose private half is printed in a standard: RFC 7515 A.2, A.3; RFC 7517 A.1.
EXAMPLES = frozenset(
    {
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
        "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
    }
)
Key = RSAKey | ECKey | OKPKey
KINDS: Mapping[str, type[Key]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


class KeysRefused(ValueError):
    """These are no keys to trust; says why."""


class Source(Protocol):
    """Where keys come from. Raises OSError."""

    def __call__(self) -> bytes: ...


class Keys:
    """Of one issuer. Not for the loop: it may wait for the network. Of many threads one waits, the others go by what is
    known."""

    def __init__(self, source: Source, monotonic: Callable[[], float]) -> None:
        self._source, self._monotonic = source, monotonic
        self._keys: dict[str, Key] = {}
        self._fetched = self._tried = -FRESH
        self._fetching = threading.Lock()
        self.problem = ""

    def find(self, kid: str) -> Key | None:
        """The key of this id; "" is the only one there is. None: there is none."""
        now = self._monotonic()
        known = self._pick(kid)
        if (known is None or now - self._fetched >= FRESH) and now - self._tried >= AGAIN:
            if self._fetching.acquire(blocking=False):
                try:
                    self._fetch(now)
                finally:
                    self._fetching.release()
            known = self._pick(kid)
        return known

    def _pick(self, kid: str) -> Key | None:
        if kid:
            return self._keys.get(kid)
        return next(iter(self._keys.values())) if len(self._keys) == 1 else None

    def _fetch(self, now: float) -> None:
        self._tried = now
        try:
            self._keys = keys_of(self._source())
            self._fetched, self.problem = now, ""
        except (OSError, KeysRefused) as error:
            self.problem = f"keys of the issuer: {error}"


def keys_of(content: bytes) -> dict[str, Key]:
    """kid → key, of a JWK Set. Raises KeysRefused."""
    try:
        written = strict_json.loads(content)["keys"]
        chosen = [key for key in written if key["kty"] in KINDS and key.get("use", "sig") == "sig"]
        usable = {str(key.get("kid", "")): _key_of(key) for key in chosen}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, JoseError) as error:
        if isinstance(error, KeysRefused):
            raise
        raise KeysRefused("this is no JWK Set (RFC 7517)") from None
    if not usable:
        raise KeysRefused("holds no public key for signatures")
    return usable


def _key_of(written: Mapping[str, str]) -> Key:
    kid = str(written.get("kid", ""))[:60]
    if "d" in written:
        raise KeysRefused(f"key {kid!r} is private; only its public half belongs here")
    if written["kty"] == "RSA" and 6 * len(written["n"]) < RSA_LEAST:
        raise KeysRefused(f"key {kid!r} is shorter than {RSA_LEAST} bits")
    key = KINDS[written["kty"]].import_key(dict(written))
    if key.thumbprint() in EXAMPLES:
        raise KeysRefused(
            f"key {kid!r} is an example of a standard, so everybody has its private half"
        )
    return key


def source_of(oidc: Oidc, files: Mapping[str, bytes]) -> Source:
    """As the settings say. files: as they were applied; what is too large to be among them is read. Raises OSError."""
    if oidc.jwks is not None:
        applied, file = files.get(oidc.jwks), Path(oidc.jwks)
        return file.read_bytes if applied is None else lambda: applied
    assert oidc.jwks_url is not None
    authority = files.get(oidc.ca or "", b"").decode("ascii", "replace")
    context = ssl.create_default_context(
        cafile=None if authority else oidc.ca, cadata=authority or None
    )
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=context),
        _Straight(),
    )
    url = oidc.jwks_url

    def fetch() -> bytes:
        with opener.open(url, timeout=WITHIN) as answer:
            content: bytes = answer.read(MOST + 1)
        if len(content) > MOST:
            raise OSError(f"{url} sends more than {MOST} bytes")
        return content

    return fetch


class _Straight(urllib.request.HTTPRedirectHandler):
    """Keys come from where the settings say, and from nowhere else."""

    def redirect_request(self, *arguments: Any, **more: Any) -> None:
        raise urllib.error.URLError("it redirects; name the address itself in jwks_url")
