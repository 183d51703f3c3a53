"""Bedplate: the industrial internet platform as a microkernel."""

__version__ = "0.1.0"
