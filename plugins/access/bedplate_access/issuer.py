"""A signed token of an issuer (JWT, RFC 7519; OpenID Connect) → a name and groups, or why not. By joserfc.

Rule: the settings say which algorithms count, never the token; what a token says of its key (jku, jwk, x5u, x5c) is
refused, not followed. iss, aud and exp must be there; exp, nbf and iat have 60 s leeway. A token that says which client
certificate it belongs to (RFC 8705 cnf) counts with that one alone.
"""

from __future__ import annotations

import base64
import hmac
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning

from bedplate import strict_json
from bedplate_access.keys import Keys
from bedplate_access.roster import OWN, reserved
from bedplate_access.settings import Oidc

LEEWAY = 60  # s
MOST = 16 << 10  # characters of a token
GROUPS = 200  # that are taken over
ASKS_TO_FOLLOW = ("jku", "jwk", "x5u", "x5c", "crit", "b64", "zip")


class TokenRefusal(ValueError):
    """This token is nobody's; says why."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a token that is in order says. until: ns UTC."""

    name: str
    groups: tuple[str, ...]
    until: int


class Issuer:
    """now: ns UTC. Not for the loop: its keys may have to be fetched."""

    def __init__(self, settings: Oidc, keys: Keys, now: Callable[[], int]) -> None:
        self._settings, self.keys, self._now = settings, keys, now
        self._registry = jws.JWSRegistry(algorithms=list(settings.algorithms))

    def judge(self, token: str, bound: bytes) -> Claimed:
        """Raises TokenRefusal."""
        claims = self._verified(token)
        self._check(claims)
        self._check_bound(claims.get("cnf"), bound)
        return Claimed(self._name(claims), self._groups(claims), self._until(claims))

    def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > MOST:
            raise TokenRefusal("is too long")
        header = _header(token)
        if asked := [name for name in ASKS_TO_FOLLOW if name in header]:
            raise TokenRefusal(f"wants {asked[0]} to be followed")
        if header.get("alg") not in self._settings.algorithms:
            raise TokenRefusal(f"is signed with {str(header.get('alg'))[:20]!r}")
        kid = header.get("kid", "")
        key = self.keys.find(kid) if isinstance(kid, str) else None
        if key is None:
            raise TokenRefusal(self.keys.problem or "is signed by an unknown key")
        try:
            with (
                warnings.catch_warnings()
            ):  # of EdDSA, as most issuers still call Ed25519 (RFC 9864)
                warnings.simplefilter("ignore", SecurityWarning)
                found = jws.deserialize_compact(token, key, registry=self._registry)
        except (JoseError, ValueError, TypeError):
            raise TokenRefusal("has a signature that is wrong") from None
        return _object(found.payload)

    def _check(self, claims: dict[str, Any]) -> None:
        now = self._now() / 1e9
        if claims.get("iss") != self._settings.issuer:
            raise TokenRefusal("is of another issuer")
        audience = claims.get("aud")
        if self._settings.audience not in (audience if isinstance(audience, list) else [audience]):
            raise TokenRefusal("is for somebody else (aud)")
        if _time(claims, "exp", required=True) + LEEWAY <= now:
            raise TokenRefusal("has expired")
        if max(_time(claims, "nbf"), _time(claims, "iat")) - LEEWAY > now:
            raise TokenRefusal("is not valid yet")

    def _check_bound(self, confirmation: Any, bound: bytes) -> None:
        if confirmation is None:
            return
        wanted = confirmation.get("x5t#S256") if isinstance(confirmation, dict) else None
        shown = base64.urlsafe_b64encode(bound).decode().rstrip("=")
        if (
            not isinstance(wanted, str)
            or not bound
            or not hmac.compare_digest(wanted.encode(), shown.encode())
        ):
            raise TokenRefusal("belongs to another client certificate (cnf)")

    def _name(self, claims: dict[str, Any]) -> str:
        name = claims.get(self._settings.name_claim)
        fits = isinstance(name, str) and name.isprintable() and 0 < len(name.encode()) <= 256
        if not fits or reserved(str(name)):
            raise TokenRefusal(f"has no name in {self._settings.name_claim}")
        return str(name)

    def _groups(self, claims: dict[str, Any]) -> tuple[str, ...]:
        found = claims.get(self._settings.groups_claim, [])
        groups: Sequence[Any] = found if isinstance(found, list) else [found]
        texts = (one for one in groups if isinstance(one, str) and one.isprintable() and one)
        return tuple(one[:256] for one in texts if not one.startswith(OWN))[:GROUPS]

    def _until(self, claims: dict[str, Any]) -> int:
        return int((_time(claims, "exp", required=True) + LEEWAY) * 1e9)


def _header(token: str) -> dict[str, Any]:
    head = token.partition(".")[0]
    try:
        return _object(base64.b64decode(head + "=" * (-len(head) % 4), b"-_", validate=True))
    except ValueError:
        raise TokenRefusal("is no JWT") from None


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = strict_json.loads(content)
    except (ValueError, RecursionError):
        raise TokenRefusal("holds no JSON object") from None
    if not isinstance(found, dict):
        raise TokenRefusal("holds no JSON object")
    return found


def _time(claims: dict[str, Any], name: str, *, required: bool = False) -> float:
    """Seconds since 1970; 0 for what is not there."""
    value = claims.get(name)
    if value is None and not required:
        return 0.0
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 2**34:
        raise TokenRefusal(f"has no time in {name}")
    return float(value)
