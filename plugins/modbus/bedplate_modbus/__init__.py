"""Modbus TCP and RTU connector for Bedplate."""
