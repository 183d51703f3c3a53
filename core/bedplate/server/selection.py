"""What a caller means by a selector, a path, or the tail of one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from bedplate.errors import CallError
from bedplate.model import Selector, is_selector, tails

LISTED = 20  # candidates that are named


def selection(texts: Sequence[str], paths: Iterable[str], what: str = "tag") -> Selector:
    """A selector for these words; none mean all.

    Selectors match whole paths or their tails (`filler/*`); a text without `*` must be a path or name exactly one by
    its tail, or name levels that have something below. Raises CallError NOT_FOUND, or INVALID_ARGUMENT with the
    candidates when it names several.
    """
    if not texts:
        return Selector(["**"])
    known = list(paths)
    chosen: list[str] = []
    for text in texts:
        chosen += _one(text.strip("/"), known, what)
    return Selector(chosen)


def _one(text: str, paths: list[str], what: str) -> list[str]:
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
    return _level(text, paths, what)


def _level(text: str, paths: list[str], what: str) -> list[str]:
    """Everything below an asset that the text names."""
    levels = {path.rsplit("/", n)[0] for path in paths for n in range(1, path.count("/") + 1)}
    found = tails(text, levels)
    if len(found) == 1:
        return [f"{found[0]}/**"]
    if found:
        raise several(text, "assets", found)
    raise unknown(text, what, [*paths, *levels])


def several(text: str, whats: str, found: Sequence[str]) -> CallError:
    """It names more than one; with the first of them. whats: such as "tags"."""
    listed = "\n".join(f"  {one}" for one in sorted(found)[:LISTED])
    more = f"\n  and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return CallError(f"{text} names {len(found)} {whats}:\n{listed}{more}", code="INVALID_ARGUMENT")


def unknown(text: str, what: str, names: Iterable[str]) -> CallError:
    """It names nothing; with what was probably meant."""
    near = nearest(text, names, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return CallError(f"no {what} named {text}{hint}", code="NOT_FOUND")


def nearest(text: str, names: Iterable[str], most: int) -> list[str]:
    """Those of the names and of their tails that are most like it."""
    ends = {name.split("/", n)[-1] for name in names for n in range(name.count("/") + 1) if name}
    return difflib.get_close_matches(text, ends, n=most, cutoff=0.6)
