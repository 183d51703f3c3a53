"""What a question to the history is about: tags of today by their names, and what it alone still knows.

Rule: who may see every tag of today asks with selectors, so that tags of long ago are found too, and those that may not
be seen are taken out of the answer. Who may not asks for the tags that he may see, one by one, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

import numpy as np

from bedplate.errors import CallError
from bedplate.model import Selector, is_selector
from bedplate.server.selection import check_size, selection
from bedplate.wire import decode_batch, encode_batch

Ask = Callable[[Collection[str]], Awaitable[Collection[str]]]
NOBODY = "#"  # no path can be this


class Sought:
    """Of one caller. seen: of the tags of today · here: of these and of what was moved away, what goes by a name now ·
    whole: nothing of it is hidden."""

    def __init__(
        self, seen: Collection[str], here: Sequence[str], ask: Ask, *, whole: bool
    ) -> None:
        self._seen, self.here, self._ask, self._whole = seen, here, ask, whole
        self._met: list[tuple[int, str]] = []  # tags of the page before
        self._hidden: set[int] = set()  # handles in the answer

    def selectors(self, texts: Sequence[str]) -> list[str]:
        """What the history is asked for. Raises CallError as `selection`."""
        chosen: list[str] = []
        check_size(texts)
        for text in dict.fromkeys(texts or ("**",)):
            chosen += self._selector(text) if is_selector(text) else self._named(text)
        return chosen or [NOBODY]

    def _selector(self, text: str) -> list[str]:
        if self._whole:
            return [text, f"**/{text}"]
        wanted = Selector(selection([text], self.here).texts)
        return [path for path in self.here if wanted.matches(path)]

    def _named(self, text: str) -> list[str]:
        """What there is now goes before what was moved away."""
        try:
            found = selection([text], self.here)
        except CallError as error:
            if error.code != "NOT_FOUND":
                raise
            found = selection([text], self._seen)
        if self._whole:
            return list(found.texts)
        among = dict.fromkeys([*self.here, *self._seen])
        return [path for path in among if found.matches(path)]

    def still(self, now: Sought) -> bool:
        """Whether all of this may be seen now; what only the history knows is asked about anew."""
        self._met = []
        seen, here = set(now._seen), set(now.here)
        whole = now._whole or not self._whole
        return whole and seen.issuperset(self._seen) and here.issuperset(self.here)

    async def leave_out(self, page: Any) -> None:
        """Takes out of a page what only the history knows, and the caller may not see."""
        tags = page.tags
        met = [(tag.handle, tag.path) for tag in tags] or self._met
        if met != self._met:
            self._met = met
            await self._meet(tags)
        if self._hidden:
            shown = [tag for tag in tags if tag.handle not in self._hidden]
            batches = [kept for one in page.batches if (kept := self._kept(one))]
            del page.tags[:], page.batches[:]
            page.tags.extend(shown)
            page.batches.extend(batches)

    async def _meet(self, tags: Sequence[Any]) -> None:
        known = {*self._seen, *self.here}
        old = dict.fromkeys(tag.path for tag in tags if tag.path not in known)
        allowed = await self._ask(old)
        self._hidden.difference_update(tag.handle for tag in tags)
        if allowed is not old:
            hidden = [t.handle for t in tags if t.path in old and t.path not in allowed]
            self._hidden.update(hidden)

    def _kept(self, encoded: bytes) -> bytes:
        batch = decode_batch(encoded)
        keep = ~np.isin(batch.tags(), list(self._hidden))
        if keep.all():
            return encoded
        return encode_batch(batch.take(keep)) if keep.any() else b""
