"""Credentials → subjects, by what is in memory: tokens, certificates, and what an issuer claims.

Rule: a name that is disabled is nobody, whatever is shown; a token gives no more than its owner has now; what was bound
to a client certificate counts with that one alone.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence

from cryptography.x509 import Name

from bedplate import Check, Credential, Invalid, Subject
from bedplate_access import certificates
from bedplate_access.issuer import Claimed
from bedplate_access.registry import digest
from bedplate_access.roster import SCOPE, Roster, Token
from bedplate_access.scope import within
from bedplate_access.settings import Config


class Recognition:
    """roster: the newest; the owner sets it. now: ns UTC. Raises Invalid for a subject that is none."""

    def __init__(self, settings: Config, now: Callable[[], int]) -> None:
        self._mapping: Mapping[str, Sequence[str]] = settings.roles
        self._subjects = _subjects(settings)
        self._now = now
        self.roster = Roster()

    def close(self) -> None:
        """Nobody is known."""
        self.roster = Roster()

    def by_token(self, shown: Credential) -> tuple[Token, Subject] | None:
        """Raises nothing: None is nobody."""
        token = self.roster.tokens.get(digest(shown.token))
        if token is None or token.ended(self._now()):
            return None
        if token.bound and not hmac.compare_digest(token.bound, shown.bound.hex()):
            return None
        owner = self.roster.able(token.name)
        if owner is None:
            return None
        has = self._roles(owner.roles, owner.groups)
        groups = (*owner.groups, *(SCOPE + path for path in token.paths))
        roles = tuple(role for role in has if role in token.roles)
        own = f"token:{token.id}"
        subject = Subject(
            owner.name, roles, shown.peer, "token", groups, proof(shown, own), token.expires
        )
        return token, subject

    def by_certificate(self, shown: Credential) -> Subject:
        """Raises certificates.Refusal."""
        now = certificates.moment(self._now())
        found = certificates.judge(shown.certificate, self.roster, self._subjects, now)
        owner = self.roster.identities.get(found.name)
        if (owner and owner.disabled) or (found.roles is None and owner is None):
            raise certificates.Refusal(f"is {found.name}'s, who is not known or disabled")
        roles = owner.roles if owner and found.roles is None else found.roles or ()
        groups = owner.groups if owner else ()
        return Subject(
            found.name, self._roles(roles, groups), shown.peer, "certificate", groups,
            found.fingerprint, found.until,
        )  # fmt: skip

    def by_issuer(self, claimed: Claimed, shown: Credential) -> Subject | None:
        """None: somebody of that name is disabled here."""
        owner = self.roster.identities.get(claimed.name)
        if owner and owner.disabled:
            return None
        roles = self._roles((), claimed.groups)
        own = f"jwt:{digest(shown.token).hex()[:32]}"
        return Subject(
            claimed.name, roles, shown.peer, "jwt", claimed.groups, proof(shown, own), claimed.until
        )

    def subject(self, name: str, shown: Credential, own: str, until: int) -> Subject | None:
        """Somebody of the store who has logged in."""
        owner = self.roster.able(name)
        if owner is None:
            return None
        roles = self._roles(owner.roles, owner.groups)
        return Subject(name, roles, shown.peer, "password", owner.groups, proof(shown, own), until)

    def _roles(self, own: Iterable[str], groups: Iterable[str]) -> tuple[str, ...]:
        mapped = (role for group in groups for role in self._mapping.get(group, ()))
        return tuple(dict.fromkeys((*own, *mapped)))


def _subjects(settings: Config) -> dict[Name, Sequence[str]]:
    found: dict[Name, Sequence[str]] = {}
    for text, roles in settings.certificates.items():
        try:
            found[certificates.subject_of(text)] = roles
        except ValueError:
            pointer = f"/certificates/{text.replace('~', '~0').replace('/', '~1')}"
            said = f"{text!r} is no subject of a certificate; write it as CN=mes,O=Acme"
            raise Invalid(said, pointer=pointer) from None
    return found


def proof(shown: Credential, own: str) -> str:
    """What it was proved by: the client certificate where there was one, so that two tokens on one machine are not two
    people; else the thing itself."""
    return shown.bound.hex() if shown.bound else own


def outside(subject: Subject, check: Check) -> bool:
    """Whether this is beyond the paths that the token of this subject is for."""
    paths = [one.removeprefix(SCOPE) for one in subject.groups if one.startswith(SCOPE)]
    return bool(paths) and not within(check, paths)
