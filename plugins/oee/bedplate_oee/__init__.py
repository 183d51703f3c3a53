"""Overall equipment effectiveness after ISO 22400 for Bedplate.

Reads the state and the counters of an asset, writes availability, performance, quality and OEE of the shift so far.
"""

from bedplate_oee.analytic import Oee

__all__ = ["Oee"]
