"""What a caller means by a selector, a path, or the tail of one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from bedplate.errors import CallError
from bedplate.model import Selector, is_selector, tails

Levels = Callable[[], set[str]]
MOST, LONGEST = 1000, 64 << 10  # selectors of a call; characters of all of them
NAME = 1000  # characters of a name that is compared, and sent back
LISTED = 20  # candidates that are named


def check_size(texts: Sequence[str]) -> None:
    """Raises CallError INVALID_ARGUMENT for more words than are looked up while everybody else waits."""
    if len(texts) > MOST or sum(map(len, texts)) > LONGEST:
        text = f"at most {MOST} selectors, of {LONGEST:,} characters together"
        raise CallError(text, code="INVALID_ARGUMENT")


def selection(texts: Sequence[str], paths: Iterable[str], what: str = "tag") -> Selector:
    """A selector for these words; none mean all.

    Selectors match whole paths or their tails (`filler/*`); a text without `*` must be a path or name exactly one by
    its tail, or name levels that have something below. Raises CallError NOT_FOUND, or INVALID_ARGUMENT with the
    candidates when it names several.
    """
    if not texts:
        return Selector(["**"])
    check_size(texts)
    known = list(paths)
    levels = cache(lambda: _levels(known))  # once for all of them, and only where one is asked for
    chosen: list[str] = []
    for text in dict.fromkeys(texts):
        chosen += _one(text.strip("/"), known, levels, what)
    return Selector(chosen)


def _one(text: str, paths: list[str], levels: Levels, what: str) -> list[str]:
    if is_selector(text):
        try:
            Selector([text])
        except ValueError as error:
            raise CallError(str(error), code="INVALID_ARGUMENT") from error
        return [text] if text.startswith("**") else [text, f"**/{text}"]
    found = tails(text, paths)
    if len(found) == 1:
        return found
    if len(found) > 1:
        raise several(text, f"{what}s", found)
    return _level(text, paths, levels, what)


def _levels(paths: list[str]) -> set[str]:
    return {path.rsplit("/", n)[0] for path in paths for n in range(1, path.count("/") + 1)}


def _level(text: str, paths: list[str], levels: Levels, what: str) -> list[str]:
    """Everything below an asset that the text names."""
    found = tails(text, levels())
    if len(found) == 1:
        return [f"{found[0]}/**"]
    if found:
        raise several(text, "assets", found)
    raise unknown(text, what, [*paths, *levels()])


def several(text: str, whats: str, found: Sequence[str]) -> CallError:
    """It names more than one; with the first of them. whats: such as "tags"."""
    listed = "\n".join(f"  {one}" for one in sorted(found)[:LISTED])
    more = f"\n  and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return CallError(f"{text} names {len(found)} {whats}:\n{listed}{more}", code="INVALID_ARGUMENT")


def unknown(text: str, what: str, names: Iterable[str]) -> CallError:
    """It names nothing; with what was probably meant."""
    near = nearest(text, names, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return CallError(f"no {what} named {text[:NAME]}{hint}", code="NOT_FOUND")


def nearest(text: str, names: Iterable[str], most: int) -> list[str]:
    """Those of the names and of their tails that are most like it."""
    if len(text) > NAME:
        return []
    ends = {name.split("/", n)[-1] for name in names for n in range(name.count("/") + 1) if name}
    return difflib.get_close_matches(text, ends, n=most, cutoff=0.6)
