"""The settings of a Modbus device and of its tags, as the deployment file has them.

Rule: what a tag does not say, its device says; a tag's word always wins.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from bedplate.settings import Duration, format_duration
from bedplate_modbus.address import RegisterType

DataTypeName = Literal[
    "bool", "bit", "int8_high", "int8_low", "uint8_high", "uint8_low", "int16", "uint16", "int32", "uint32", "int64",
    "uint64", "float16", "float32", "float64", "string",
]  # fmt: skip
ByteOrder = Literal["ABCD", "CDAB", "BADC", "DCBA"]
Host = Annotated[str, WithJsonSchema({"type": "string", "x-bedplate-host": True})]
UnitId = Annotated[int, Field(ge=0, le=255)]
Wait = Annotated[Duration, Field(gt=0)]
Rest = Annotated[Duration, Field(ge=0)]


def _duration(seconds: float, description: str) -> Any:
    """A field whose default reads in the schema as it would be written."""
    text = format_duration(round(seconds * 1e9)) if seconds else "0s"
    return Field(seconds, description=description, json_schema_extra={"default": text})


class Config(BaseModel):
    """A device, or one unit behind a gateway. Components with the same host, port and timing share a connection."""

    model_config = ConfigDict(extra="forbid")

    host: Host = Field(description="IP address or name of the device or gateway")
    port: int = Field(502, ge=1, le=65535, description="TCP port")
    unit_id: UnitId = Field(
        1, description="Unit (slave) the tags belong to, unless they say so themselves"
    )
    register_type: RegisterType = Field(
        "holding_register", description="Register type of tags that name none"
    )
    data_type: DataTypeName = Field("uint16", description="Data type of tags that name none")
    byte_order: ByteOrder = Field(
        "ABCD", description="Order of the bytes on the wire, A the most significant; for writes too"
    )
    max_gap: int = Field(
        16,
        ge=0,
        le=2000,
        description="Unused registers (or coils) that one request may span to join tags",
    )
    max_registers: int = Field(125, ge=1, le=125, description="Most registers in one request")
    max_coils: int = Field(
        2000, ge=1, le=2000, description="Most coils or discrete inputs in one request"
    )
    one_request_per_tag: bool = Field(
        False, description="Never join tags, for devices that cannot bear it"
    )
    write_multiple: bool = Field(
        False,
        description="Write single values with functions 15 and 16 too, for devices without 5 and 6",
    )
    connect_timeout: Wait = _duration(5.0, "How long connecting may take")
    request_timeout: Wait = _duration(3.0, "How long a unit may take to answer")
    pause_after_connect: Rest = _duration(0.0, "Rest before the first request")
    time_between_requests: Rest = _duration(0.0, "Rest between an answer and the next request")


def _needs(data_type: str, setting: str) -> dict[str, Any]:
    chosen = {"properties": {"data_type": {"const": data_type}}, "required": ["data_type"]}
    return {"if": chosen, "then": {"required": [setting]}}


def _as_written(schema: dict[str, Any]) -> None:
    """A setting that is left out is left out, never null; some need another."""
    for entry in schema["properties"].values():
        entry.update(entry.pop("anyOf")[0])
        del entry["default"]
    schema["allOf"] = [_needs("string", "length"), _needs("bit", "bit")]


class TagSettings(BaseModel):
    """What one tag has of its own."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_as_written)

    unit_id: UnitId | None = Field(None, description="Unit of this tag")
    register_type: RegisterType | None = Field(None, description="Register type of this tag")
    data_type: DataTypeName | None = Field(None, description="What the registers hold")
    byte_order: ByteOrder | None = Field(None, description="Byte order of this tag")
    length: int | None = Field(
        None, ge=1, le=125, description="Registers of a string, two characters in each"
    )
    bit: int | None = Field(
        None, ge=0, le=15, description="Bit of the register, 0 the least significant"
    )
