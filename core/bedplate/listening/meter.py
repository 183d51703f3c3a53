"""What a client of HTTP/2 may send, judged by the heads of its frames alone, before gRPC sees it.

gRPC takes header blocks of megabytes where they are not indexed, whatever `grpc.max_metadata_size` says, and opens and
cancels streams as fast as it is told to. Both cost memory or time before anybody has said who he is; here they end the
connection. Nothing is decoded, and nothing else is looked at: frames are gRPC's business (RFC 9113 §4.1, §10.5).
"""

from __future__ import annotations

from collections.abc import Callable

HEADERS, RST_STREAM, CONTINUATION = 1, 3, 9
HEAD = 9  # bytes of a frame's head
BLOCK = (
    96 << 10
)  # bytes of a header block; gRPC refuses what it counts beyond 16 KiB with a sentence
PARTS = 16  # frames of a header block
RESETS, AGAIN = 400, 100.0  # streams that may be cancelled at once, and more of them each second


class Meter:
    """Of one connection. clock: monotonic, s · objection: what is wrong with what came, empty for nothing · calls: that
    have begun."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._head = b""  # of a frame, as far as it came
        self._left = 0  # bytes of the frame under way
        self._block = self._parts = 0
        self._resets, self._since = 0.0, clock()
        self.objection, self.calls = "", 0

    def read(self, data: bytes, at: int = 0) -> int:
        """Reads on from there to the end, to an objection, or to behind the head of the frame that begins a call. How
        far; without the bytes from there on gRPC can't begin it."""
        end = len(data)
        while at < end:
            if self._left:
                step = min(self._left, end - at)
                self._left -= step
                at += step
                continue
            missing = HEAD - len(self._head)
            self._head += data[at : at + missing]
            at += missing
            if len(self._head) < HEAD:
                break
            head, self._head = self._head, b""
            self._left = int.from_bytes(head[:3], "big")
            if self._stops(head[3], self._left):
                return at
        return end

    def _stops(self, kind: int, size: int) -> bool:
        self.objection = self._frame(kind, size)
        self.calls += kind == HEADERS
        return bool(self.objection) or kind == HEADERS

    def _frame(self, kind: int, size: int) -> str:
        if kind == RST_STREAM:
            return self._reset()
        if kind not in (HEADERS, CONTINUATION):
            return ""
        if kind == HEADERS:
            self._block = self._parts = 0
        self._block += size
        self._parts += 1
        if self._block > BLOCK or self._parts > PARTS:
            return "headers without end"
        return ""

    def _reset(self) -> str:
        now = self._clock()
        self._resets = max(0.0, self._resets - (now - self._since) * AGAIN) + 1
        self._since = now
        return "opens and cancels calls without end" if self._resets > RESETS else ""
