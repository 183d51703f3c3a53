"""What one tag is in its device: unit, register type, address and format, from its address and settings.

Rule: whatever can be known to be wrong without asking the device is refused here, before anything is contacted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from bedplate import Invalid, Tag
from bedplate_modbus.address import RegisterType, resolve
from bedplate_modbus.codec import Format
from bedplate_modbus.plan import COILS, Limits
from bedplate_modbus.settings import Config, TagSettings

READ_ONLY = ("discrete_input", "input_register")
MAX_WRITE_REGISTERS = 123  # Modbus Application Protocol V1.1b3, 6.12


@dataclass(frozen=True, slots=True)
class Point:
    """address: on the wire, from 0."""

    name: str
    unit: int
    register_type: RegisterType
    address: int
    form: Format

    def where(self) -> str:
        """For people: "holding register 19026, unit 3"."""
        return f"{self.register_type.replace('_', ' ')} {self.address}, unit {self.unit}"


def limits_of(config: Config) -> Limits:
    return Limits(
        config.max_gap, config.max_registers, config.max_coils, config.one_request_per_tag
    )


def point_of(tag: Tag, config: Config) -> Point:
    """The point of a tag. Raises Invalid, naming the tag, when address and settings can't be right."""
    own = tag.settings if isinstance(tag.settings, TagSettings) else TagSettings()
    try:
        register_type, address = resolve(tag.address, own.register_type or config.register_type)
    except ValueError as error:
        raise Invalid(str(error), tag=tag.name) from error
    if own.register_type not in (None, register_type):
        _refuse(
            tag, f'"{tag.address}" is a {register_type}, and register_type says {own.register_type}'
        )
    form = _format(tag, own, config, register_type)
    unit = config.unit_id if own.unit_id is None else own.unit_id
    point = Point(tag.name, unit, register_type, address, form)
    _check_size(tag, point, config)
    return point


def _format(tag: Tag, own: TagSettings, config: Config, register_type: RegisterType) -> Format:
    order = own.byte_order or config.byte_order
    if register_type in COILS:
        if own.data_type not in (None, "bool") or own.bit is not None or own.length is not None:
            _refuse(tag, f"a {register_type} holds one bool; leave out data_type, bit and length")
        return Format("bool", coil=True)
    data_type = own.data_type or ("bit" if own.bit is not None else config.data_type)
    if (own.bit is None) == (data_type == "bit"):
        _refuse(tag, "bit: 0 to 15 and data_type: bit go together")
    if (own.length is None) == (data_type == "string"):
        _refuse(tag, "length: (in registers) and data_type: string go together")
    return Format(data_type, order, length=own.length or 1, bit=own.bit or 0)


def _check_size(tag: Tag, point: Point, config: Config) -> None:
    count, longest = point.form.count, limits_of(config).longest(point.register_type)
    if point.address + count > 65536:
        _refuse(tag, f"{count} registers from {point.address} go beyond 65535")
    if count > longest:
        _refuse(tag, f"needs {count} registers in one request; max_registers is {longest}")
    if tag.writable and point.register_type in READ_ONLY:
        _refuse(tag, f"a {point.register_type} can't be written; leave out write")
    if tag.writable and count > MAX_WRITE_REGISTERS:
        _refuse(tag, f"needs {count} registers; one request writes at most {MAX_WRITE_REGISTERS}")


def _refuse(tag: Tag, why: str) -> NoReturn:
    raise Invalid(why, tag=tag.name)
