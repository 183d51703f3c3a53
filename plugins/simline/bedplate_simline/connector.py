"""`use: simline`: the bottling line as a connector, in process, without sockets.

Owns: the Bedplate side of the plant, for tutorials and tests.
Rule: the simulators do not import this file, nor Bedplate with it.
Does not simulate; that is `plant.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from bedplate import Bad, Connector, DataType, Node, Refused, Tag
from bedplate.settings import Duration
from bedplate_simline.plant import Plant
from bedplate_simline.tags import ALL_TAGS, Kind, TagSpec, Value

_TYPES = {
    Kind.BOOLEAN: DataType.BOOL,
    Kind.INT32: DataType.INT64,
    Kind.UINT32: DataType.UINT64,
    Kind.UINT64: DataType.UINT64,
    Kind.DOUBLE: DataType.FLOAT64,
    Kind.STRING: DataType.TEXT,
}


def _known(address: str) -> str:
    if address not in ALL_TAGS:
        raise ValueError(f"the line has no {address!r}; filler.speed is one that it has")
    return address


def _possible(seconds: float) -> float:
    if not 10.0 <= seconds <= 7 * 86_400.0:
        raise ValueError("must be 10s to 7d")
    return seconds


class Simline(Connector):
    """The simulated bottling line. The address of a tag is `machine.tag`, such as filler.speed.

    The plant starts anew, at the beginning of a shift, with each session. The values carry no
    time of their own: a read shows the plant as it is then.
    """

    class Config(BaseModel):
        """How the line runs."""

        model_config = ConfigDict(extra="forbid")

        seed: int = Field(7, description="Decides everything random; the same seed, the same day.")
        shift: Annotated[Duration, AfterValidator(_possible)] = Field(
            600.0, description="Real time that an eight-hour shift takes, 10s to 7d."
        )

    Address: ClassVar[Any] = Annotated[
        str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": [*ALL_TAGS]})
    ]

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """`clock` says how many ns have passed since some moment."""
        self._clock = clock

    async def open(self) -> None:
        self._plant = Plant(self.config.seed, self.config.shift)
        self._opened_ns = self._clock()

    async def close(self) -> None:
        """Nothing to release."""

    async def read(self, tags: list[Tag]) -> list[Value | Bad]:
        self._plant.advance_to(self._clock() - self._opened_ns)
        return [self._plant.read(tag.address) for tag in tags]

    async def write(self, tag: Tag, value: float) -> None:
        """Set a speed. Raises Refused for a tag that is read-only or a value out of range."""
        self._plant.advance_to(self._clock() - self._opened_ns)
        try:
            self._plant.write(tag.address, value)
        except (PermissionError, TypeError, ValueError) as error:
            raise Refused(str(error)) from error

    async def browse(self, below: str, depth: int) -> list[Node]:
        """The machines, and their tags from a depth of 2, or the tags of one machine."""
        specs = [spec for spec in ALL_TAGS.values() if not below or _owner(spec) == below]
        if not specs and below not in ALL_TAGS:
            raise Refused(f"the line has no {below!r}")
        owners = dict.fromkeys(_owner(spec) for spec in specs)
        found = [] if below else [_machine(name) for name in owners]
        if below or depth > 1:
            found += [self._node(spec, below) for spec in specs]
        return found

    def _node(self, spec: TagSpec, below: str) -> Node:
        owner, _, name = spec.name.partition(".")
        return Node(
            spec.name,
            name,
            name if below else f"{owner}/{name}",
            data_type=_TYPES[spec.kind],
            unit=spec.unit,
            description=spec.description,
            writable=spec.writable,
            value=str(self._plant.read(spec.name)),
        )


def _owner(spec: TagSpec) -> str:
    return spec.name.partition(".")[0]


def _machine(name: str) -> Node:
    return Node(name, name, name, has_children=True, is_variable=False)
