"""A sample as people read it: local time, value with its unit or label, and quality when it is not Good."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.text import Text

from bedplate.model import TagInfo, quality
from bedplate.shown import NONE, unit_text, value_text

CODE = 0xFFFF0000  # of a quality, without its info bits


def local(ns: int) -> datetime:
    """The moment in this machine's time zone."""
    return (
        datetime.fromtimestamp(ns // 1_000_000_000)
        .astimezone()
        .replace(microsecond=ns // 1000 % 1_000_000)
    )


def clock(ns: int) -> str:
    """02:47:10.123, local."""
    return local(ns).strftime("%H:%M:%S.%f")[:-3]


def day(ns: int) -> str:
    return local(ns).strftime("%a %Y-%m-%d")


def value(tag: TagInfo, one: Any, code: int) -> str:
    """The value or its label; – when it is Bad, for then it means nothing; in brackets out of service: whoever works on
    the machine wants to see it, and nobody should count on it."""
    if code & CODE == quality.BAD_OUT_OF_SERVICE and one is not None:
        text = value_text(one, tag.states)
        return f"({text})" if text.strip() else NONE
    return NONE if quality.is_bad(code) else value_text(one, tag.states)


def unit(tag: TagInfo) -> str:
    return unit_text(tag.unit)


def quality_style(code: int) -> str:
    if quality.is_good(code):
        return ""
    return "red" if quality.is_bad(code) else "yellow"


def quality_text(code: int, *, quiet: bool = False) -> Text:
    """The name of a quality in its colour; quiet: nothing for Good."""
    name = "" if quiet and quality.is_good(code) else quality.name(code)
    return Text(name, quality_style(code))
