"""A plant to try it on, as a single-file plugin: bedplate run my-thing-line.yaml --plugin sim.py

Every tag is a wave between 0 and 100 that takes ten seconds.
"""

import math
import time

from bedplate import Connector, Tag


class Wave(Connector):
    """Contacts nothing."""

    def read(self, tags: list[Tag]) -> list[float]:
        return [50 + 50 * math.sin(time.time() / 10 * 2 * math.pi) for _ in tags]
