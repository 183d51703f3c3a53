"""Versions: of the distribution, and of the contracts in Python."""

__version__ = "0.1.0"
API = "1.0"  # `requires_api` of a manifest is a range over it
SERVED = (API,)  # and the last of each older major that remote/majors.py has an adapter for
