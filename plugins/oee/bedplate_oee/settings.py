"""The settings of `use: oee`. What the deployment file may say, and no more."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bedplate.settings import CalendarName, Duration, TagName

StateName = int | str


class IdealRate(BaseModel):
    """The ideal rate as a tag."""

    model_config = ConfigDict(extra="forbid")

    tag: TagName = Field(description="Tag that holds the ideal rate in parts per minute.")


class OeeConfig(BaseModel):
    """Which tags say what the machine does, and when work is planned."""

    model_config = ConfigDict(extra="forbid")

    state: TagName = Field(description="Tag with the state of the machine: a number or a text.")
    total: TagName = Field(description="Counter of all parts, good and bad.")
    good: TagName = Field(description="Counter of the good parts.")
    running: list[StateName] = Field(
        min_length=1,
        description="States in which it produces: labels of the state tag, or numbers.",
    )
    ideal_rate: IdealRate | Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        description="Parts per minute at best: a number, or {tag: …}."
    )
    calendar: CalendarName = Field(
        description="Calendar whose shifts, without breaks, are planned."
    )
    planned_stops: list[StateName] = Field(
        default_factory=list,
        description="States that are planned downtime and do not count: labels or numbers.",
    )
    every: Duration = Field(10.0, description="How often results are written, by the clock.")
    silence: Duration = Field(
        3600.0,
        description="How long no input at all may say anything before the state counts as unknown.",
    )
    lateness: Duration = Field(
        1.0, description="How long a sample may be under way; results come that much later."
    )

    @model_validator(mode="after")
    def _means_something(self) -> OeeConfig:
        if both := set(self.running) & set(self.planned_stops):
            raise ValueError(f"{min(map(str, both))} can't be both running and a planned stop")
        if self.every < 1:
            raise ValueError("every: at least 1s")
        return self
