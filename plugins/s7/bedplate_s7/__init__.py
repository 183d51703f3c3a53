"""S7 connector for Bedplate."""

from bedplate_s7.connector import S7

__all__ = ["S7"]
