"""What of HTTP/2 is judged by the heads of frames, and that it does not matter how the bytes arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.door import frames

from bedplate.listening.meter import AGAIN, BLOCK, PARTS, RESETS, Meter

RESET = frames.frame(frames.RST, 0, 1, b"\0\0\0\x08")
KINDS = st.tuples(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=300))


def judged(data: bytes, cuts: list[int]) -> str:
    """Whole, or cut at these places."""
    meter, at = Meter(lambda: 0.0), 0
    for cut in [*sorted(cuts), len(data)]:
        if found := objection(meter, data[at : max(at, cut)]):
            return found
        at = max(at, cut)
    return ""


def objection(meter: Meter, data: bytes) -> str:
    at = 0
    while at < len(data) and not meter.objection:
        at = meter.read(data, at)
    return meter.objection


@given(st.lists(KINDS, max_size=60), st.lists(st.integers(0, 5000), max_size=20))
def test_frames_mean_the_same_however_they_are_cut(
    many: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    data = b"".join(frames.frame(kind, flags, 1, payload) for kind, flags, payload in many)
    assert judged(data, cuts) == judged(data, [])


@given(st.binary(max_size=3000))
def test_bytes_that_are_no_frames_do_no_harm(data: bytes) -> None:
    judged(data, [*range(0, len(data), 7)])


def test_what_callers_send_is_nothing_to_object_to() -> None:
    call = frames.call(1, "/a/b", "t" * 8000) + frames.message(1, b"x" * (1 << 20))
    assert judged(call * 100 + RESET * 100, []) == ""


def test_headers_without_end_are() -> None:
    most = frames.frame(frames.HEADERS, 0, 1, bytes(16_384))
    for count in range(1, BLOCK // 16_384):
        most += frames.frame(frames.CONTINUATION, 0, 1, bytes(16_384))
        assert judged(most, []) == "", count
    assert judged(most + frames.frame(frames.CONTINUATION, 4, 1, b"x"), []) == "headers without end"
    empty = frames.frame(frames.HEADERS, 0, 1) + frames.frame(frames.CONTINUATION, 0, 1) * PARTS
    assert judged(empty, []) == "headers without end"


def test_cancelled_calls_are_counted_and_forgiven_with_time() -> None:
    now = [0.0]
    meter = Meter(lambda: now[0])
    assert objection(meter, RESET * RESETS) == ""
    now[0] += 1.0
    assert objection(meter, RESET * int(AGAIN)) == ""
    assert "opens and cancels" in objection(meter, RESET * 2)
