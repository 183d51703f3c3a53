"""Everything that can be done to the store, each in one call with one sentence about it.

Rule: who is taken away stays in the store, so that what they did keeps its name. Nothing here asks who may; the
folder's modes decide that. Raises RegistryError with a sentence for whoever typed it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Sequence

from bedplate import BedplateError
from bedplate.model.selector import compile_selector
from bedplate_access.passwords import Hashing, weakness
from bedplate_access.roster import Certificate, Identity, Roster, Token, check_name
from bedplate_access.settings import ROLES
from bedplate_access.store import Store

DAY = 86_400 * 10**9  # ns
LONGEST = 400 * DAY
TOKEN = "bpt_"  # what each begins with, so that scanners of repositories know it


class RegistryError(BedplateError):
    """It can't be done; says why."""


class Registry:
    """by: who does it, for the table of changes. now: ns UTC."""

    def __init__(self, store: Store, by: str, now: Callable[[], int], hashing: Hashing) -> None:
        self._store, self._by, self._now, self._hashing = store, by, now, hashing

    def roster(self) -> Roster:
        return self._store.roster()

    # --- people and programs ---

    def add(
        self,
        name: str,
        roles: Sequence[str] = (),
        groups: Sequence[str] = (),
        password: str = "",
    ) -> None:
        """Somebody new; without a password they come by certificate or token."""
        checked(name)
        if self.roster().identities.get(name):
            raise RegistryError(f"{name} is known already")
        check_roles(roles)
        kept = self._hashed(name, password) if password else ""
        told = f"{name}: added, {_told_roles(roles, groups)}"
        now = self._now()
        with self._store.change(now, self._by, told) as run:
            run(
                "INSERT INTO identities VALUES (?, ?, ?, ?, 0, ?, 0)",
                *(name, json.dumps(list(roles)), json.dumps(list(groups)), kept, now),
            )

    def set_password(self, name: str, password: str) -> None:
        """Ends the logins that the one before began."""
        self._known(name)
        kept = self._hashed(name, password)
        self._one(
            f"{name}: another password",
            "UPDATE identities SET password = ? WHERE name = ?",
            kept,
            name,
        )

    def set_roles(
        self, name: str, roles: Sequence[str], groups: Sequence[str] | None = None
    ) -> None:
        """Instead of those before. groups: None leaves them."""
        check_roles(roles)
        groups = self._known(name).groups if groups is None else groups
        self._one(
            f"{name}: now {_told_roles(roles, groups)}",
            "UPDATE identities SET roles = ?, groups = ? WHERE name = ?",
            *(json.dumps(list(roles)), json.dumps(list(groups)), name),
        )

    def disable(self, name: str, *, disabled: bool = True) -> None:
        """Whatever they show counts for nothing, until they are enabled again."""
        self._known(name)
        self._one(
            f"{name}: {'disabled' if disabled else 'enabled'}",
            "UPDATE identities SET disabled = ? WHERE name = ?",
            *(int(disabled), name),
        )

    # --- tokens ---

    def create_token(
        self,
        name: str,
        roles: Sequence[str],
        lasts: int,
        paths: Sequence[str] = (),
        bound: str = "",
    ) -> tuple[Token, str]:
        """A new one for somebody known: the row, and the token itself, which nobody can show again. lasts: ns."""
        owner = self._known(name)
        check_roles(roles)
        if not owner.groups and (more := sorted(set(roles) - set(owner.roles))):
            raise RegistryError(
                f"{name} is no {' or '.join(more)}; a token gives no more than its owner has"
            )
        _check_paths(paths)
        if not 0 < lasts <= LONGEST:
            raise RegistryError(
                f"a token lasts longer than nothing and at most {LONGEST // DAY} days"
            )
        secret = TOKEN + secrets.token_urlsafe(32)
        now = self._now()
        token = Token(
            secrets.token_hex(4), name, digest(secret), tuple(roles), tuple(paths), bound,
            now + lasts, False, now,
        )  # fmt: skip
        with self._store.change(
            now, self._by, f"{name}: token {token.id} made{_scope(token)}"
        ) as run:
            run(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, 0)",
                *(token.id, name, token.digest, json.dumps(list(roles)), json.dumps(list(paths))),
                *(bound, token.expires, now),
            )
        return token, secret

    def revoke_token(self, id: str) -> None:
        found = next((one for one in self.roster().tokens.values() if one.id == id), None)
        if found is None:
            raise RegistryError(f"there is no token {id}")
        self._one(
            f"{found.name}: token {id} revoked", "UPDATE tokens SET revoked = 1 WHERE id = ?", id
        )

    # --- certificates ---

    def add_certificate(self, certificate: Certificate) -> None:
        """Issued here, or made known: whoever shows it is this name."""
        self._known(certificate.name)
        one = certificate
        with self._store.change(
            self._now(), self._by, f"{one.name}: certificate {one.fingerprint[:16]} is theirs"
        ) as run:
            run(
                "INSERT OR REPLACE INTO certificates VALUES (?, ?, ?, ?, 0, ?, 0)",
                *(one.fingerprint, one.name, one.serial, one.expires, self._now()),
            )

    def deny(self, fingerprint: str) -> None:
        """Nobody may show this certificate any more, whoever made it."""
        text = f"certificate {fingerprint[:16]} denied"
        found = self.roster().certificates.get(fingerprint)
        with self._store.change(
            self._now(), self._by, f"{found.name}: {text}" if found else text
        ) as run:
            run("INSERT OR IGNORE INTO denied VALUES (?)", fingerprint)
            run("UPDATE certificates SET revoked = 1 WHERE fingerprint = ?", fingerprint)

    def set_authorities(self, pems: Iterable[str], text: str) -> None:
        """The CA's certificates, the newest first."""
        with self._store.change(self._now(), self._by, text) as run:
            run("DELETE FROM authorities")
            for pem in reversed(list(pems)):
                run("INSERT INTO authorities (pem) VALUES (?)", pem)

    # --- everything of somebody ---

    def revoke(self, name: str) -> None:
        """All that somebody has: disabled, tokens and certificates with them."""
        self._known(name)
        text = f"{name}: everything revoked"
        with self._store.change(self._now(), self._by, text) as run:
            run("UPDATE identities SET disabled = 1 WHERE name = ?", name)
            run("UPDATE tokens SET revoked = 1 WHERE name = ?", name)
            run(
                "INSERT OR IGNORE INTO denied SELECT fingerprint FROM certificates WHERE name = ?",
                name,
            )
            run("UPDATE certificates SET revoked = 1 WHERE name = ?", name)

    def _known(self, name: str) -> Identity:
        found = self.roster().identities.get(name)
        if found is None:
            raise RegistryError(f"nobody is called {name[:60]!r}; bedplate access user list")
        return found

    def _hashed(self, name: str, password: str) -> str:
        if why := weakness(password, name):
            raise RegistryError(f"the password {why}")
        return self._hashing.hash(password)

    def _one(self, text: str, statement: str, *values: object) -> None:
        with self._store.change(self._now(), self._by, text) as run:
            run(statement, *values)


def digest(secret: str) -> bytes:
    """What is kept of a token. It has 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def check_roles(roles: Iterable[str]) -> None:
    for role in roles:
        if role not in ROLES:
            raise RegistryError(f"{role!r} is no role; there are {', '.join(ROLES)}")


def checked(name: str) -> str:
    """The name again, when it can be somebody's."""
    try:
        return check_name(name)
    except ValueError as error:
        raise RegistryError(str(error)) from None


def _check_paths(paths: Iterable[str]) -> None:
    for path in paths:
        try:
            compile_selector(path)
        except ValueError as error:
            raise RegistryError(str(error)) from None


def _told_roles(roles: Sequence[str], groups: Sequence[str]) -> str:
    told = ", ".join(roles) or "no role"
    return f"{told}; groups {', '.join(groups)}" if groups else told


def _scope(token: Token) -> str:
    told = f" for {', '.join(token.roles) or 'no role'}"
    if token.paths:
        told += f" within {', '.join(token.paths)}"
    return told + (f", bound to certificate {token.bound[:16]}" if token.bound else "")
