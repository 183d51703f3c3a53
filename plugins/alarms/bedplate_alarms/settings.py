"""The settings of `use: alarms`. What the deployment file may say, and no more."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bedplate.model import AlarmPriority, segment_problem
from bedplate.settings import Duration, TagName

Bound = Annotated[float, Field(allow_inf_nan=False)]
Target = bool | int | float | str
QUESTIONS = {"high": ">", "low": "<", "equals": "=", "not_equals": "≠"}


def _segment(name: str) -> str:
    if problem := segment_problem(name):
        raise ValueError(f"{name!r} can't name a limit: {problem}")
    return name


def _one_question(schema: dict[str, Any]) -> None:
    """JSON Schema for "exactly one of", so that `check` says it without running this code."""
    kinds = {"high": {"type": "number"}, "low": {"type": "number"}}
    value = {"type": ["boolean", "number", "string"]}
    schema["oneOf"] = [
        {"required": [name], "properties": {name: kinds.get(name, value)}} for name in QUESTIONS
    ]


class Limit(BaseModel):
    """One limit: a tag, exactly one question to it, and what an operator should do when it holds."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_one_question)

    tag: TagName = Field(description="The tag that is watched.")
    high: Bound | None = Field(None, description="Alarm above this value.")
    low: Bound | None = Field(None, description="Alarm below this value.")
    equals: Target | None = Field(
        None,
        description="Alarm at this value: a number, true or false, a text, or a state's label.",
    )
    not_equals: Target | None = Field(None, description="Alarm at any other value than this.")
    deadband: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="With high or low: how far the value must come back before it counts as back.",
    )
    on_delay: Duration = Field(0.0, description="How long it must hold before there is an alarm.")
    off_delay: Duration = Field(0.0, description="How long it must be over before it is over.")
    priority: Literal["low", "medium", "high", "highest"] = Field(
        "medium", description="How soon an operator must act."
    )
    do: str = Field("", description="What the operator is asked to do.")
    text: str = Field(
        "", description="What is wrong, in words; by default tag, question and value."
    )

    @model_validator(mode="after")
    def _asks_one_question(self) -> Limit:
        asked = [name for name in QUESTIONS if getattr(self, name) is not None]
        if len(asked) != 1:
            found = " and ".join(asked) or "none of them"
            raise ValueError(f"write exactly one of high, low, equals, not_equals; found {found}")
        if self.deadband and asked[0] not in {"high", "low"}:
            raise ValueError(f"a deadband needs high or low, not {asked[0]}")
        return self

    @property
    def question(self) -> str:
        """high, low, equals or not_equals."""
        return next(name for name in QUESTIONS if getattr(self, name) is not None)

    @property
    def target(self) -> Any:
        """The value it is asked about."""
        return getattr(self, self.question)

    @property
    def level(self) -> AlarmPriority:
        return AlarmPriority[self.priority.upper()]

    @property
    def condition(self) -> str:
        """For people: "temperature > 65"."""
        target = self.target
        if isinstance(target, bool):
            shown = str(target).lower()
        else:
            shown = f"{target:.10g}" if isinstance(target, float) else str(target)
        return f"{self.tag} {QUESTIONS[self.question]} {shown}"


LimitName = Annotated[str, AfterValidator(_segment)]


class AlarmsConfig(BaseModel):
    """Limits on the tags of an asset."""

    model_config = ConfigDict(extra="forbid")

    limits: dict[LimitName, Limit] = Field(
        min_length=1,
        description="Name of each alarm → its limit. The name is its path below the asset.",
    )
    lateness: Duration = Field(
        1.0,
        description="How long a sample may be under way: a delay that runs out in silence is waited for that long.",
    )
