"""Modbus TCP connector for Bedplate."""

from bedplate_modbus.codec import decode_all
from bedplate_modbus.connector import Modbus

__all__ = ["Modbus", "decode_all"]
