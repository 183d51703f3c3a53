"""The scans of one session of a connector that is polled: when they are due, and how the session ends by them.

What an answer means is the business of the source.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.config.deployment import TagSpec
from bedplate.errors import JournalError, ProtocolError
from bedplate.remote.attachment import Attachment
from bedplate.runtime import requests
from bedplate.runtime.ledger.account import Account
from bedplate.runtime.ledger.counting import CountedScan
from bedplate.runtime.polling import Poll
from bedplate.runtime.role import Bug, Unreachable
from bedplate.runtime.scan_groups import Ends, ScanGroups
from bedplate.scan.pace import Pacer

READ_WITHIN = 10.0  # s; a plugin bounds its own requests much tighter


class Scanning:
    """answered: gets each answer, with the period of its class (ns) and the local handles that were asked for · late:
    told once when one takes long · held: why nothing is read now, empty when it is · skipped: told of each scan that
    was left out."""

    def __init__(self, attachment: Attachment, pacer: Pacer, account: Account) -> None:
        self._attachment, self._pacer, self._account = attachment, pacer, account
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._groups = ScanGroups(self._start)
        self.answered: Callable[[int, NDArray[np.intp], Any], None] = lambda ns, asked, reply: None
        self.late: Callable[[str], None] = lambda text: None
        self.held: Callable[[], str] = str
        self.skipped: Callable[[], None] = lambda: None

    async def run(self, tags: Sequence[TagSpec]) -> None:
        """Scans until it fails, and raises why: Unreachable, Bug, JournalError, ConnectionError, TimeoutError."""
        self.set(tags)
        try:
            await self._failure
        finally:
            self._groups.end()

    def set(self, tags: Sequence[TagSpec]) -> None:
        """Reads these, by local handle, as their scan classes say now. The account knows of them already."""
        self._groups.set(tags)

    def _start(self, ns: int, handles: list[int]) -> Ends:
        component = self._account.component
        ask = self._attachment.kind.ask(component=component, read=requests.Read(tags=handles))
        poll = Poll(self._attachment, ask, ns / 1e9, READ_WITHIN)
        poll.answered, poll.late = partial(self._done, ns, np.array(handles)), self.late
        poll.failed, poll.held = self._failed, lambda: bool(self.held())
        scan = CountedScan(self._account, ns, poll, self.held)
        scan.unpace = self._pacer.add(f"{component}/{ns}", ns / 1e9, scan, self.skipped)
        return scan.end, poll.end

    def _failed(self, error: Exception) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)

    def _done(self, ns: int, asked: NDArray[np.intp], future: asyncio.Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or self._failure.done():
            return
        try:
            if error:
                raise error
            self.answered(ns, asked, future.result())
        except ProtocolError as failure:
            self._failure.set_exception(Bug(str(failure)))
        except (Unreachable, Bug, JournalError, ConnectionError, TimeoutError) as failure:
            self._failure.set_exception(failure)
