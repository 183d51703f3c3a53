"""The subscription of a session that was lost goes on in the next (OPC 10000-4 §5.14.7, §5.14.6).

Owns: TransferSubscriptions, and Republish of the messages that never arrived, in their order.
Rule: a server that does not give its subscription back costs nothing but that: a new one is made, as at the start. A
message that can't be read is asked for once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from bedplate_opcua.answers import read_head
from bedplate_opcua.lease import Lease
from bedplate_opcua.publishing import LAST_SEQUENCE, Publisher
from bedplate_opcua.session import Session
from bedplate_opcua.stack import StatusCodeError, answering, code_name, ua

HALF: Final = LAST_SEQUENCE // 2


class Takeover:
    """Of one session."""

    def __init__(
        self, session: Session, publisher: Publisher, lease: Lease, note: Callable[[str], None]
    ) -> None:
        self._session = session
        self._publisher = publisher
        self._lease = lease
        self._note = note

    async def run(self) -> bool:
        """Whether the subscriptions are ours again, and all that they sent meanwhile has come. Otherwise they are
        forgotten. Raises ConnectionError or TimeoutError."""
        lease = self._lease
        if not lease.may_be_taken_over:
            if lease.subscriptions:
                self._note("the subscription of the session before is not whole: a new one is made")
            lease.forget()
            return False
        lease.tries += 1
        available = await self._transfer()
        if available is None:
            lease.forget()
            return False
        for subscription, numbers in available.items():
            await self._catch_up(subscription, numbers)
        lease.tries = 0
        return True

    async def _transfer(self) -> dict[int, list[int]] | None:
        """Sequence numbers that the server still has, by subscription; None when it does not give all of them back."""
        ids = list(self._lease.subscriptions)
        parameters = ua.TransferSubscriptionsParameters()
        parameters.SubscriptionIds = ids
        parameters.SendInitialValues = False
        with answering("taking over the subscription"):
            try:
                results = await self._session.client.uaclient.transfer_subscriptions(parameters)
            except StatusCodeError as error:
                self._tell_refused(error.code or 0)
                return None
        if len(results) != len(ids):
            raise ConnectionError("taking over the subscription: the server answered for another")
        bad = [r.StatusCode.value for r in results if r.StatusCode.value & 0x8000_0000]
        if bad:
            self._tell_refused(bad[0])
            await self._delete([i for i, r in zip(ids, results, strict=True) if _is_good(r)])
            return None
        return {
            i: list(r.AvailableSequenceNumbers or ()) for i, r in zip(ids, results, strict=True)
        }

    def _tell_refused(self, code: int) -> None:
        self._note(
            f"the server does not give our subscription back ({code_name(code)}): what it had for us while it could "
            "not be reached is lost, unless it keeps a history"
        )

    async def _delete(self, ids: Sequence[int]) -> None:
        if not ids:
            return
        with answering("deleting a subscription"):
            await self._session.client.uaclient.delete_subscriptions(list(ids))

    async def _catch_up(self, subscription: int, numbers: Sequence[int]) -> None:
        """Messages that did not come, in order; those that did are acknowledged once they are on disk."""
        following = self._lease.next.get(subscription, 1)
        new = [n for n in numbers if (n - following) % LAST_SEQUENCE < HALF]
        self._lease.acknowledgements.known(subscription, [n for n in numbers if n not in new])
        for number in sorted(new, key=lambda n: (n - following) % LAST_SEQUENCE):
            await self._republish(subscription, number)

    async def _republish(self, subscription: int, number: int) -> None:
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = subscription
        request.Parameters.RetransmitSequenceNumber = number
        with answering("asking again for what did not arrive"):
            try:
                data = read_head(await self._session.send(request))
            except StatusCodeError as error:
                self._publisher.missing(subscription, number, code_name(error.code or 0))
                return
            self._publisher.again(subscription, number, data)


def _is_good(result: Any) -> bool:
    return not result.StatusCode.value & 0x8000_0000
