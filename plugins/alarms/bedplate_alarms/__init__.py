"""Alarms after ISA-18.2 for Bedplate: limits with deadband and delays, and what an operator said to them.

Reads tags of an asset and acknowledgements, writes alarm events, no samples. Shelving and suppression join later.
"""

from bedplate_alarms.analytic import Alarms

__all__ = ["Alarms"]
