"""A simulated bottling line on OPC UA and Modbus for Bedplate, and `use: simline` without either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bedplate_simline.connector import Simline

__all__ = ["Simline"]


def __getattr__(name: str) -> Any:
    """Import the connector, and Bedplate with it, only for who asks: the simulators do not."""
    if name != "Simline":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bedplate_simline.connector import Simline

    return Simline
