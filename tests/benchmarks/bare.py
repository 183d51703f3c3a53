"""The work of a pipeline in bare numpy, with nothing around it: what the platform's figures are held against."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNALS = 1000
LOW, HIGH = -1e6, 1e6
SECOND = 1_000_000_000


@dataclass
class ThreeStages:
    """Scale per signal → quality and range filter → count, sum, minimum, maximum per signal in tumbling windows of a
    second, for 1,000 signals."""

    gain: NDArray[Any] = field(default_factory=lambda: np.full(SIGNALS, 0.5))
    offset: NDArray[Any] = field(default_factory=lambda: np.full(SIGNALS, 1.0))
    windows: list[Any] = field(default_factory=list)
    window: int = -1

    def take(self, signal: Any, time: Any, value: Any, quality: Any) -> None:
        value = value * self.gain[signal] + self.offset[signal]
        keep = (quality == 0) & (value >= LOW) & (value <= HIGH)
        if not keep.all():
            signal, time, value = signal[keep], time[keep], value[keep]
        second = time // SECOND
        if second[0] == second[-1]:
            self._add(int(second[0]), signal, value)
            return
        edges = np.flatnonzero(np.diff(second)) + 1
        parts = zip(
            np.split(second, edges), np.split(signal, edges), np.split(value, edges), strict=True
        )
        for one, signals, values in parts:
            self._add(int(one[0]), signals, values)

    def _add(self, second: int, signal: Any, value: Any) -> None:
        if second != self.window:
            if self.window >= 0:
                self.windows.append((self.count, self.sum, self.low, self.high))
                del self.windows[:-10]
            self.window = second
            self.count, self.sum = np.zeros(SIGNALS, np.int64), np.zeros(SIGNALS)
            self.low, self.high = np.full(SIGNALS, np.inf), np.full(SIGNALS, -np.inf)
        self.count += np.bincount(signal, minlength=SIGNALS)
        self.sum += np.bincount(signal, value, minlength=SIGNALS)
        np.minimum.at(self.low, signal, value)
        np.maximum.at(self.high, signal, value)


class KernelWork:
    """What the kernel does to a publication, call by call: columns out of bytes, scale, range, journal handles, newest
    value of each tag, columns back to bytes, checksum."""

    def __init__(self) -> None:
        n = SIGNALS + 1
        self.gain, self.offset = np.full(n, 0.5), np.full(n, 1.0)
        self.low, self.high = np.full(n, LOW), np.full(n, HIGH)
        self.handle = np.arange(n, dtype=np.uint32)
        self.value, self.time = np.zeros(n), np.zeros(n, np.int64)
        self.quality = np.zeros(n, np.uint32)
        self.received, self.position = np.zeros(n, np.int64), np.zeros(n, np.uint64)
        self.records: list[tuple[int, int, bytes]] = []

    def take(self, tags: bytes, times: bytes, values: bytes, received: int) -> None:
        local = np.frombuffer(tags, np.uint32)
        time = np.frombuffer(times, np.int64)
        value = np.frombuffer(values, np.float64)
        value = value * self.gain[local] + self.offset[local]
        outside = (value < self.low[local]) | (value > self.high[local])
        if outside.any():
            raise AssertionError("the benchmark's values are within their range")
        tag = self.handle[local]
        position = len(self.records) + 1
        self.value[tag], self.time[tag], self.quality[tag] = value, time, 0
        self.received[tag], self.position[tag] = received, position
        payload = b"".join((tag.tobytes(), time.tobytes(), value.tobytes()))
        self.records.append((position, zlib.crc32(payload), payload))
        if len(self.records) > 100:
            del self.records[:50]
