"""conformance.toml: what an author says of his plugin so that the kit can try it. All of it has defaults but settings.

`{port}` and `{host}` in settings are filled in: they lead through the kit's proxy to the simulator.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bedplate.errors import BedplateError

NAME = "conformance.toml"
_STRICT = ConfigDict(extra="forbid", frozen=True)


class TagEntry(BaseModel):
    """One tag. More keys are the plugin's own settings of a tag."""

    model_config = ConfigDict(extra="allow", frozen=True)

    address: Any = Field("", description="as `address` of a tag in a deployment file")
    data_type: str = Field(
        "", description="float64, int64, uint64, bool, text, blob, or the plugin's own"
    )
    value: Any = Field(None, description="what the simulator holds there")
    between: list[float] = Field([], description="[least, most], where `value` moves", max_length=2)
    write: Any = Field(None, description="a value that may be written there")
    missing: bool = Field(False, description="a legal address that the device does not have")
    read_only: bool = Field(False, description="the device refuses to write it, or `write` to it")

    @property
    def known(self) -> bool:
        return self.value is not None or len(self.between) == 2

    def message(self, *, own_type: bool = False) -> dict[str, Any]:
        """As `open_message` takes it. own_type: data_type is a setting of the plugin too."""
        own = {"address": self.address, **(self.model_extra or {})}
        if self.data_type:
            own["data_type"] = self.data_type
        if own_type and self.data_type:
            own["settings"] = {"data_type": self.data_type}
        return own | {"writable": self.write is not None or self.read_only}


class Mistake(BaseModel):
    """Settings that must be refused. pointer: what the plugin must point at."""

    model_config = _STRICT

    settings: dict[str, Any] = Field(description="settings in place of the valid ones")
    pointer: str = Field("", description="JSON pointer into the settings that the answer must name")


class InputEntry(BaseModel):
    """An input of an analytic: the values it gets, over and over, one a second."""

    model_config = _STRICT

    values: list[Any] = Field(description="samples that repeat, one a second")
    data_type: str = Field("", description="unless it can be told from the values")
    labels: dict[str, str] = Field({}, description="labels of an enumeration: number → text")


class Question(BaseModel):
    """A decision that the author knows."""

    model_config = _STRICT

    subject: str = Field("somebody", description="who asks")
    roles: list[str] = Field([], description="roles of who asks")
    action: str = Field(description="what for, such as live.subscribe")
    resource: str = Field("", description="on what")
    verdict: str = Field(description="allow, deny or abstain")


class OfferProfile(BaseModel):
    """What is known of one offer."""

    model_config = _STRICT

    settings: dict[str, Any] = Field({}, description="valid settings")
    tags: dict[str, TagEntry] = Field({}, description="tags of a connector, by name")
    invalid: list[Mistake] = Field([], description="settings that must be refused")
    asset: str = Field("kit/asset", description="the asset an analytic works on")
    inputs: dict[str, InputEntry] = Field(
        {}, description="inputs of an analytic, by the name the settings use"
    )
    decisions: list[Question] = Field(
        [], description="decisions of a security module that are known"
    )
    network: bool | None = Field(None, description="false: it has no device behind a network")
    every_address: bool = Field(False, description="it takes any address: none can be missing")
    most_tags: int = Field(0, description="how many tags one component can have; 0: no limit")
    writes_to: list[str] = Field(
        [], description="files and folders it may write, beside its run folder"
    )


class Profile(OfferProfile):
    """The whole file. What is said outside [offers.NAME] holds for every offer."""

    sim: str = Field(
        "", description="command of a simulator; {port} is filled in, {python} is this interpreter"
    )
    allow_writes: bool = Field(False, description="write to what `write` names, as --allow-writes")
    remote: bool = Field(
        False, description="a program of [run] can dial with certificates, so that `remote` applies"
    )
    failed_connects: int = Field(2000, description="how many times CON-089 fails to connect", ge=10)
    cycles: int = Field(50, description="how many times PLG-023 opens and closes", ge=10)
    offers: dict[str, OfferProfile] = Field(
        {}, description="what differs for one offer, by the name of `use:`"
    )

    def of(self, use: str) -> OfferProfile:
        """What holds for this offer."""
        own = self.offers.get(use)
        if own is None:
            return self
        shared = {name: getattr(self, name) for name in OfferProfile.model_fields}
        return OfferProfile.model_validate(
            shared | {n: getattr(own, n) for n in own.model_fields_set}
        )


def read_profile(file: Path | None) -> Profile:
    """The file, or all defaults without one. Raises BedplateError with every mistake."""
    if file is None:
        return Profile()
    try:
        return Profile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise BedplateError(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BedplateError(f"{file}: is no TOML: {error}") from None
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BedplateError(f"{file}: {told}") from None
