"""What `bedplate gaps` shows, on wide and narrow screens, and where nobody looks."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.console import Console

from bedplate.cli.missing import blocks, share
from bedplate.cli.samples import local
from bedplate.client.gaps import Completeness, Gap, GapReport

SECOND = 1_000_000_000
NOW = 1_795_411_628 * SECOND
PRESS = "acme/berlin/press-shop/line1/press-07"


def gap(path: str, ago: float, lasted: float, reason: str, missing: int, **more: object) -> Gap:
    since = NOW - round(ago * SECOND)
    until = since + round(lasted * SECOND) if lasted else 0
    text = str(more.get("text", "why"))
    tags, filled = int(str(more.get("tags", 1))), int(str(more.get("filled", 0)))
    return Gap("press-07", path, tags, since, until, reason, text, missing, filled)


def report(*gaps: Gap, complete: tuple[Completeness, ...] = ()) -> GapReport:
    return GapReport(NOW - 86400 * SECOND, NOW, gaps, complete, 0)


def lines(told: GapReport, width: int = 0, **more: bool) -> list[str]:
    console = Console(width=width or 2000, color_system=None, highlight=False)
    with console.capture() as caught:
        for block in blocks(told, width=width, **more):
            console.print(block)
    return [line.rstrip() for line in caught.get().splitlines()]


def test_a_device_is_one_line_and_tags_that_miss_together_are_one() -> None:
    whole = gap(PRESS, 3600, 26, "unreachable", 468, tags=18, text="no route to host")
    pair = [
        gap(f"{PRESS}/{name}", 926, 0, "bad quality", 926) for name in ("pressure", "temperature")
    ]
    shown = lines(report(whole, *pair))
    assert shown[0].startswith("2 gaps · ")
    first, second = shown[3:5]
    assert first.split()[2:] == [
        "26",
        "s",
        PRESS,
        "unreachable",
        "468",
        "no",
        "route",
        "to",
        "host",
    ]
    assert "lasts" in second
    assert "press-07: 2 tags" in second
    assert "1,852" in second


def test_what_was_fetched_afterwards_is_said() -> None:
    shown = lines(report(gap(PRESS, 60, 10, "unreachable", 50, filled=50)))
    assert shown[3].endswith("why; 50 came afterwards")


def test_times_when_nothing_was_expected_are_no_gaps() -> None:
    shown = lines(report(gap(PRESS, 3600, 0, "off", 0), gap(PRESS, 60, 30, "maintenance", 0)))
    assert shown[0].startswith("no gaps · ")
    assert [line.split()[-2] for line in shown[3:]] == ["–", "–"]


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_and_says_whose_tag_it_is(width: int) -> None:
    tag = f"{PRESS}/temperature-of-the-oil-behind-the-pump"
    told = report(
        gap(
            PRESS, 4 * 86400, 3 * 86400, "unreachable", 123_456_789, tags=18, text="no route " * 20
        ),
        gap(tag, 926, 0, "bad quality", 926),
        complete=(Completeness("press-07", tag, 1000, 900, 0.9),),
    )
    shown = lines(told, width)
    assert max(map(cell_len, shown)) <= width
    at = next(number for number, line in enumerate(shown) if line.endswith(" 926"))
    assert "press-07" in shown[at] + shown[at + 1]


def test_devices_are_told_from_the_least_complete_on_and_tags_when_they_are_asked_for() -> None:
    tags = [Completeness("a", f"a/{n}", 100, 100 - n, 1 - n / 100) for n in range(3)]
    told = report(
        complete=(*tags, Completeness("b", "b/x", 0, 0, 1.0), Completeness("c", "c/x", 9, 9, 1.0))
    )
    devices = [line.split() for line in lines(told)[3:]]
    assert devices[0] == ["a", "99", "%", "297", "of", "300"]
    assert devices[1][:3] == ["c", "100", "%"]
    assert devices[2][:2] == ["b", "–"]
    assert [line.split()[0] for line in lines(told, by_tag=True)[3:6]] == ["a/2", "a/1", "a/0"]


def test_100_percent_is_said_only_when_nothing_is_missing() -> None:
    assert [share(one) for one in (1.0, 0.999999, 0.9999, 0.5, 0.0)] == [
        "100 %",
        "99.99 %",
        "99.99 %",
        "50 %",
        "0 %",
    ]


def test_days_other_than_today_are_named() -> None:
    shown = lines(report(gap(PRESS, 2 * 86400, 10, "restart", 5)))
    assert f"{local(NOW - 2 * 86400 * SECOND):%a %d.}" in shown[3]
