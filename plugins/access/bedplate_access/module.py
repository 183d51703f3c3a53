"""The security module: who somebody is, and whether they may."""

from __future__ import annotations

from collections.abc import Sequence

from bedplate import Check, Credential, Decision, LoggedIn, SecurityModule, Subject, Verdict
from pydantic import BaseModel, ConfigDict


class Access(SecurityModule):
    """Knows nobody yet, and has nothing against anybody."""

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def authenticate(self, credential: Credential) -> Subject | LoggedIn | None:
        return None

    def authorize(self, subject: Subject, checks: Sequence[Check]) -> list[Decision]:
        return [Decision(Verdict.ABSTAIN)] * len(checks)
