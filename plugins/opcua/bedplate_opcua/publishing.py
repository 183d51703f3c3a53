"""Publish requests: always some waiting at the server, answered when values changed or as a sign of life.

Owns: the publish loop, sequence numbers, and when each subscription was heard last.
Rule: a whole answer becomes one Batch per value type; there is no object, task or call per value.
asyncua's own publish loop is not used: it turns every value into objects and a task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from bedplate import Batch
from bedplate_opcua.acknowledging import Message
from bedplate_opcua.answers import Publication, read_head, read_message, read_publication
from bedplate_opcua.lease import Lease
from bedplate_opcua.session import Session
from bedplate_opcua.stack import StatusCodeError, answering, code_name, ua
from bedplate_opcua.together import until_one_ends
from bedplate_opcua.values import Values

WAITING: Final = 2
"""Publish requests at the server: while one answer is on its way, the next has where to go."""
LAST_SEQUENCE: Final = 2**32 - 1


class Publisher:
    """Receives what the server publishes. receive: takes the batches of one answer, and its message · clock: monotonic
    seconds."""

    def __init__(
        self,
        session: Session,
        values: Callable[[], Values],
        receive: Callable[[Sequence[Batch], Message | None], None],
        note: Callable[[str], None],
        clock: Callable[[], float],
        lease: Lease,
    ) -> None:
        self._session = session
        self._values = values
        self._receive = receive
        self._note = note
        self._clock = clock
        self._acknowledgements = lease.acknowledgements
        self._next = lease.next
        self.heard: dict[int, float] = {}
        self.lost = 0

    async def run(self) -> None:
        """Receives until the session is lost. Raises ConnectionError or TimeoutError."""
        await until_one_ends(*(self._loop(alone=n == 0) for n in range(WAITING)))

    async def _loop(self, *, alone: bool) -> None:
        """One request after the other. alone: goes on even if the server takes but one."""
        values = self._values()
        while True:
            with answering("waiting for values"):
                try:
                    data = read_head(await self._session.send(self._request(), 0))
                except StatusCodeError as error:
                    await self._not_answered(error, alone=alone)
                    continue
                publication = read_publication(data, values)
            self._received(publication, values.batches())

    def _request(self) -> Any:
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = [
            ua.SubscriptionAcknowledgement(SubscriptionId=subscription, SequenceNumber=sequence)
            for subscription, sequence in self._acknowledgements.take()
        ]
        return request

    def again(self, subscription: int, sequence: int, data: bytes) -> None:
        """A message that did not arrive when it was published. data: after the ResponseHeader. Raises when it can't be
        read; it is not asked for again."""
        self._next[subscription] = _after(sequence)
        values = self._values()
        publication = read_message(data, 0, subscription, values)
        self._take(publication, values.batches())

    def missing(self, subscription: int, sequence: int, why: str) -> None:
        """A message that the server does not have any more."""
        self.lost += 1
        self._next[subscription] = _after(sequence)
        self._note(f"message {sequence} of the server did not arrive, and it is gone there: {why}")

    async def _not_answered(self, error: Any, *, alone: bool) -> None:
        name = code_name(error.code or 0)
        if name == "BadTooManyPublishRequests":
            if not alone:
                await asyncio.get_running_loop().create_future()  # until cancelled
            await asyncio.sleep(0.1)
        elif name != "BadTimeout":
            raise error

    def _received(self, publication: Publication, batches: Sequence[Batch]) -> None:
        self.heard[publication.subscription] = self._clock()
        if publication.status:
            name = code_name(publication.status)
            raise ConnectionError(f"the server ended the subscription: {name}")
        self._look_at_sequence(publication)
        self._take(publication, batches)

    def _take(self, publication: Publication, batches: Sequence[Batch]) -> None:
        if publication.keep_alive:
            return
        message = self._acknowledgements.received(
            publication.subscription, publication.sequence, len(batches)
        )
        if batches:
            self._receive(batches, message)

    def _look_at_sequence(self, publication: Publication) -> None:
        """A sign of life carries the number that the next message will have."""
        expected = self._next.get(publication.subscription, publication.sequence)
        if publication.sequence != expected:
            self.lost += 1
            self._note(
                f"messages of the server are missing: number {publication.sequence} came after "
                f"{expected - 1} (the {self.lost}. time in this session)"
            )
        if publication.keep_alive:
            self._next[publication.subscription] = publication.sequence
        else:
            self._next[publication.subscription] = _after(publication.sequence)


def _after(sequence: int) -> int:
    return 1 if sequence >= LAST_SEQUENCE else sequence + 1
