"""Alarms after ISA-18.2 for Bedplate."""
