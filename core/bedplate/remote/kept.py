"""Publications of one component that left and are not known to be on the kernel's disk.

Rule: a number once given to a publication is never given to another one while the program lives, so that the kernel
can tell what comes again. As many are kept as the kernel gave credit for and has not synced: it grants to those who
keep only what is on disk. A program whose stream is its whole life keeps nothing, and only numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bedplate.connector.v1 import connector_pb2
from bedplate.wire import decode_batch, encode_batch, twin

_Publication = twin(connector_pb2.Publication)


class Kept:
    """Numbers publications, and keeps them until they are synced."""

    def __init__(self, component: str, *, keeps: bool) -> None:
        self._component = component
        self._keeps = keeps
        self._seq = 0
        self._names: Mapping[int, str] = {}
        self._publications: deque[Any] = deque()

    def __len__(self) -> int:
        return len(self._publications)

    def publication(self, encoded: bytes) -> Any:
        """An encoded batch as the next publication."""
        self._seq += 1
        publication = _Publication(component=self._component, producer_seq=self._seq, batch=encoded)
        if self._keeps:
            self._publications.append(publication)
        return publication

    def forget(self, synced: int) -> None:
        """Everything up to this number is on disk."""
        while self._publications and self._publications[0].producer_seq <= synced:
            self._publications.popleft()

    def drop(self, refused: int) -> None:
        """The kernel does not want this one, now or later."""
        for publication in self._publications:
            if publication.producer_seq == refused:
                self._publications.remove(publication)
                return

    def after(self, synced: int) -> list[Any]:
        """What leaves again, in order."""
        self.forget(synced)
        return list(self._publications)

    def use(self, names: Mapping[int, str]) -> None:
        """Handles mean these names from here on. What is kept is told in them; tags that are gone are left out. Without
        any, somebody only looks around, and nothing changes."""
        if not names:
            return
        before, self._names = self._names, dict(names)
        if not self._publications or before == self._names:
            return
        handles = {name: handle for handle, name in names.items()}
        there = {old: handles[name] for old, name in before.items() if name in handles}
        for publication in self._publications:
            publication.batch = _retold(publication.batch, there)


def _retold(encoded: bytes, there: Mapping[int, int]) -> bytes:
    batch = decode_batch(encoded)
    known = np.isin(batch.tags(), list(there))
    kept = batch.take(np.flatnonzero(known))
    tags = np.array([there[handle] for handle in kept.tags().tolist()], np.uint32)
    return encode_batch(replace(kept, tag=tags))
