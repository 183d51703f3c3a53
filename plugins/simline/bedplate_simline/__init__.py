"""A simulated bottling line on OPC UA and Modbus for Bedplate."""
