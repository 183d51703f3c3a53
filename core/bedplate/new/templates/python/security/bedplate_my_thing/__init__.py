"""Keeps what is below one path to those who have a role. A module can only say no; what it does not know is denied.

It looks at nothing but what it is asked, so it answers at once: after 500 ms the gate takes silence for a denial.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from bedplate import Check, Decision, SecurityModule, Subject, Verdict

READING = ["live.current", "live.subscribe", "history.query"]


class MyThing(SecurityModule):
    """One area. Everything outside it is none of its business: ABSTAIN."""

    class Config(BaseModel):
        """What the operator sets. Each description stands in the editor, and in what `check` says."""

        model_config = ConfigDict(extra="forbid")

        area: str = Field(pattern="^[^*]+$", description="Full path; all below it is kept.")
        roles: list[str] = Field(description="Any one of these roles may pass.")
        actions: list[str] = Field(READING, description="What they may do that others may not.")

    def authorize(self, subject: Subject, checks: Sequence[Check]) -> list[Decision]:
        return [self.decide(subject, check) for check in checks]

    def decide(self, subject: Subject, check: Check) -> Decision:
        if check.action not in self.config.actions or not within(check.resource, self.config.area):
            return Decision(Verdict.ABSTAIN)
        if set(subject.roles) & set(self.config.roles):
            return Decision(Verdict.ALLOW)
        needed = " or ".join(self.config.roles)
        return Decision(Verdict.DENY, f"{self.config.area} is for {needed}")


def within(path: str, area: str) -> bool:
    """Whether it is the area or lies below it. The kernel asks about full paths, one by one, never about selectors;
    "" stands for the call as such."""
    return f"{path}/".startswith(f"{area}/")
