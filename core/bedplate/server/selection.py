"""What a caller means by a selector, a path, or the tail of one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from bedplate.errors import CallError
from bedplate.model import Selector, is_selector, tails


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


def asked(texts: Sequence[str], paths: Iterable[str], what: str = "tag") -> list[str]:
    """What the gate is asked about: the full paths and selectors that `selection` will take these words for.

    A word that names nothing, or several things, becomes a selector that covers all it could mean: a module that
    guards one of them says no before the call tells their names.
    """
    known = list(paths)
    chosen: list[str] = []
    for text in texts or ("**",):
        try:
            chosen += _one(text.strip("/"), known, what)
        except CallError:
            chosen.append(f"**/{text}")
    return chosen


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
        listed = "\n".join(f"  {path}" for path in sorted(found)[:20])
        raise CallError(f"{text} names {len(found)} {what}s:\n{listed}", code="INVALID_ARGUMENT")
    return _level(text, paths, what)


def _level(text: str, paths: list[str], what: str) -> list[str]:
    """Everything below an asset that the text names."""
    levels = {path.rsplit("/", n)[0] for path in paths for n in range(1, path.count("/") + 1)}
    found = tails(text, levels)
    if len(found) == 1:
        return [f"{found[0]}/**"]
    if found:
        listed = "\n".join(f"  {path}" for path in sorted(found)[:20])
        raise CallError(f"{text} names {len(found)} assets:\n{listed}", code="INVALID_ARGUMENT")
    ends = {
        path.split("/", n)[-1] for path in [*paths, *levels] for n in range(path.count("/") + 1)
    }
    near = difflib.get_close_matches(text, ends, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise CallError(f"no {what} named {text}{hint}", code="NOT_FOUND")
