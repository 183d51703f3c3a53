"""OPC UA client connector for Bedplate."""

from bedplate_opcua.connector import OpcUa

__all__ = ["OpcUa"]
