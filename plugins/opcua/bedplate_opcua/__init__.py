"""OPC UA client connector for Bedplate."""
