"""Counts of one source and window as a few bytes: JSON that a person can read with any SQLite shell, {reason: count},
where a count is one number when it is that of all tags, else one for each; compressed when it is long.
"""

from __future__ import annotations

import json
import zlib

import numpy as np
from numpy.typing import NDArray

from bedplate import strict_json
from bedplate.runtime.ledger.reasons import EXPECTED, ROWS, Reason

LONG = 200  # bytes


def packed(counts: NDArray[np.int64]) -> bytes:
    """counts: (ROWS, n + 1), entry 0 of each row unused."""
    written: dict[str, int | list[int]] = {}
    for reason in np.flatnonzero(counts[:, 1:].any(axis=1)).tolist():
        row = counts[reason, 1:]
        same = bool((row == row[0]).all())
        written[str(reason)] = int(row[0]) if same else row.tolist()
    text = json.dumps(written, separators=(",", ":")).encode()
    return text if len(text) <= LONG else zlib.compress(text)


def unpacked(blob: bytes, size: int) -> NDArray[np.int64]:
    """What was packed, of size - 1 tags."""
    counts = np.zeros((ROWS, size), np.int64)
    text = blob if blob[:1] == b"{" else zlib.decompress(blob)
    for reason, row in strict_json.loads(text).items():
        counts[int(reason), 1:] = row
    return counts


def expected(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n + 1,) samples that were expected of each tag: those that came and those that are missing for any reason."""
    total: NDArray[np.int64] = counts[EXPECTED].sum(axis=0)
    return total


def received(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n + 1,) samples that came, those that came afterwards among them."""
    came: NDArray[np.int64] = counts[Reason.RECEIVED] + counts[Reason.FILLED]
    return came
