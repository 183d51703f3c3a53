import hashlib
import hmac

from bedplate import Decision, SecurityModule, Subject, Verdict
from bedplate.settings import FileName
from pydantic import BaseModel


class Badges(SecurityModule):
    """Tokens that stand in a file, each as its SHA-256, then the name and the roles of whoever has it."""

    class Config(BaseModel):
        known: FileName

    def open(self):
        lines = self.files[self.config.known].decode().splitlines()
        self.known = [line.split() for line in lines if line.strip()]

    def authenticate(self, credential):
        shown = hashlib.sha256(credential.token.encode()).hexdigest()
        for digest, name, *roles in self.known:
            if credential.token and hmac.compare_digest(digest, shown):
                return Subject(name, tuple(roles), credential.peer, "token", credential=shown[:16])
        return None

    def authorize(self, subject, checks):
        return [Decision(Verdict.ABSTAIN, remember=3600)] * len(checks)
