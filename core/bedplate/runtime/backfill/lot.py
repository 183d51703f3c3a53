"""Tags whose missed times are fetched together, as they are kept in the journal until that is done."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, replace

from bedplate import strict_json

MOST = 100  # tags


@dataclass
class Lot:
    """missed: by path, the source times between which samples are missing, both of them there, ns UTC; the first rises
    as samples come · first, last: the whole time that was missed · samples: that came by now."""

    key: str
    missed: dict[str, tuple[int, int]]
    first: int
    last: int
    samples: int = 0

    @classmethod
    def of(cls, key: str, missed: dict[str, tuple[int, int]]) -> Lot:
        since, until = zip(*missed.values(), strict=True)
        return cls(key, missed, min(since) + 1, max(until))

    @property
    def times(self) -> tuple[int, int]:
        """What is still to be asked for: from (inclusive), to (exclusive)."""
        since, until = zip(*self.missed.values(), strict=True)
        return min(since) + 1, max(until)

    def risen(self, newest: dict[str, int], samples: int) -> Lot:
        """The same after a page."""
        missed = {path: (max(a, newest.get(path, 0)), b) for path, (a, b) in self.missed.items()}
        return replace(self, missed=missed, samples=self.samples + samples)

    def encode(self) -> bytes:
        kept = [self.first, self.last, self.samples, self.missed]
        return zlib.compress(json.dumps(kept).encode())

    @classmethod
    def decode(cls, key: str, kept: bytes) -> Lot | None:
        """None for what can't be read: then it is not fetched."""
        try:
            first, last, samples, missed = strict_json.loads(zlib.decompress(kept))
            times = {str(path): (int(a), int(b)) for path, (a, b) in missed.items()}
            return cls(key, times, int(first), int(last), int(samples))
        except (zlib.error, ValueError, TypeError, AttributeError):
            return None
