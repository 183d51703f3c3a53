"""Subscriptions on the server and the monitored items in them (OPC 10000-4 §5.13, §5.14).

Owns: creating both in chunks the server bears, and what the server made of our wishes.
Rule: one subscription for all tags, each item sampled at its own pace, more only where the server allows no more items
in one. An item that the server refuses harms nobody else. ClientHandle is the tag's handle.
Does not receive anything (`publishing.py`).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bedplate import Tag
from bedplate_opcua.answers import read_head
from bedplate_opcua.limits import Limits
from bedplate_opcua.nodes import BAD_NODE_ID_UNKNOWN, Nodes
from bedplate_opcua.session import Session
from bedplate_opcua.settings import Config
from bedplate_opcua.stack import answering, ua

KEEP_ALIVE: Final = 2.0
"""Seconds after which a subscription without news sends a sign of life."""
LIFETIME: Final = 150.0
"""Seconds that the server is asked to keep a subscription which nobody listens to."""
LONGEST_INTERVAL: Final = 1.0
SHORTEST_INTERVAL: Final = 0.05
MOST_PER_PUBLISH: Final = 10_000


@dataclass(slots=True)
class Subscription:
    """One subscription as the server revised it. silence: seconds without a word after which it is dead."""

    id: int
    interval: float
    silence: float
    items: dict[int, int] = field(default_factory=dict)  # tag handle → MonitoredItemId


class Subscriptions:
    """All subscriptions of a session; `known` were made by one before. born: set when there is one."""

    def __init__(
        self,
        session: Session,
        limits: Limits,
        nodes: Nodes,
        note: Callable[[str], None],
        known: dict[int, Subscription],
    ) -> None:
        self._session = session
        self._limits = limits
        self._nodes = nodes
        self._note = note
        self._config: Config = session.config
        self._told_queue = False
        self.all = known
        self.born = asyncio.Event()

    async def add(self, tags: Sequence[Tag]) -> dict[int, int]:
        """Monitors tags. Returns the StatusCode of those that the server refused, by handle.

        Raises ConnectionError or TimeoutError.
        """
        refused = {t.handle: BAD_NODE_ID_UNKNOWN for t in tags if t.handle not in self._nodes.ids}
        known = [tag for tag in tags if tag.handle not in refused]
        while known:
            subscription = await self._with_room(known)
            room = len(known)
            if self._limits.subscription:
                room = self._limits.subscription - len(subscription.items)
            refused |= await self._monitor(subscription, known[:room])
            known = known[room:]
        return refused

    async def remove(self, handles: Sequence[int]) -> None:
        """Stops monitoring tags, whatever the server says to that. Raises ConnectionError or TimeoutError."""
        for subscription in self.all.values():
            ids = [subscription.items.pop(h) for h in handles if h in subscription.items]
            if not ids:
                continue

            async def ask(part: Sequence[int], of: int = subscription.id) -> Any:
                parameters = ua.DeleteMonitoredItemsParameters()
                parameters.SubscriptionId = of
                parameters.MonitoredItemIds = list(part)
                return await self._session.client.uaclient.delete_monitored_items(parameters)

            await self._limits.in_parts("monitor", "removing monitored items", ids, ask)

    # parts ---------------------------------------------------------------------------------------------------------

    async def _with_room(self, tags: Sequence[Tag]) -> Subscription:
        for subscription in self.all.values():
            if not self._limits.subscription or len(subscription.items) < self._limits.subscription:
                return subscription
        created = await self._create(publishing_interval(self._config, tags))
        self.all[created.id] = created
        self.born.set()
        return created

    async def _create(self, interval: float) -> Subscription:
        count = max(1, round(KEEP_ALIVE / interval))
        request = ua.CreateSubscriptionRequest()
        wish = request.Parameters
        wish.RequestedPublishingInterval = interval * 1000
        wish.RequestedMaxKeepAliveCount = count
        alone = max(LIFETIME, self._config.session_timeout)
        wish.RequestedLifetimeCount = max(3 * count, math.ceil(alone / interval))
        wish.MaxNotificationsPerPublish = MOST_PER_PUBLISH
        wish.PublishingEnabled = True
        wish.Priority = 0
        with answering("creating a subscription"):
            answer = await self._session.send(request)
            read_head(answer.copy())
            got = ua.ua_binary.struct_from_binary(ua.CreateSubscriptionResponse, answer).Parameters
        revised = got.RevisedPublishingInterval / 1000
        silence = revised * max(1, got.RevisedMaxKeepAliveCount)
        margin = max(2 * revised, self._config.request_timeout)
        return Subscription(got.SubscriptionId, revised, silence + margin)

    async def _monitor(self, subscription: Subscription, tags: Sequence[Tag]) -> dict[int, int]:
        async def ask(part: Sequence[Tag]) -> Any:
            parameters = ua.CreateMonitoredItemsParameters()
            parameters.SubscriptionId = subscription.id
            parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
            parameters.ItemsToCreate = [self._item(tag, subscription.interval) for tag in part]
            return await self._session.client.uaclient.create_monitored_items(parameters)

        results = await self._limits.in_parts("monitor", "creating monitored items", tags, ask)
        refused: dict[int, int] = {}
        for tag, result in zip(tags, results, strict=True):
            if result.StatusCode.value & 0x8000_0000:
                refused[tag.handle] = result.StatusCode.value
                continue
            subscription.items[tag.handle] = result.MonitoredItemId
            self._look_at_queue(result.RevisedQueueSize, subscription.interval, tag)
        return refused

    def _item(self, tag: Tag, interval: float) -> Any:
        wish = ua.MonitoringParameters()
        wish.ClientHandle = tag.handle
        wish.SamplingInterval = self._sampling(tag) * 1000
        wish.QueueSize = self._queue_size(tag, interval)
        wish.DiscardOldest = True
        item = ua.MonitoredItemCreateRequest()
        item.ItemToMonitor.NodeId = self._nodes.ids[tag.handle]
        item.ItemToMonitor.AttributeId = ua.AttributeIds.Value
        item.MonitoringMode = ua.MonitoringMode.Reporting
        item.RequestedParameters = wish
        return item

    def _sampling(self, tag: Tag) -> float:
        wished = self._config.sampling_interval
        return tag.scan if wished is None else wished

    def _between(self, tag: Tag, interval: float) -> float:
        """Values that are sampled between two publishings; 0 when nobody knows."""
        sampling = self._sampling(tag)
        return interval / sampling if sampling else 0

    def _queue_size(self, tag: Tag, interval: float) -> int:
        """Twice what is sampled between two publishings, if that is more than the settings say."""
        return max(self._config.queue_size, math.ceil(2 * self._between(tag, interval)))

    def _look_at_queue(self, revised: int, interval: float, tag: Tag) -> None:
        needed = math.ceil(self._between(tag, interval))
        if revised < needed and not self._told_queue:
            self._told_queue = True
            self._note(
                f"the server keeps only {revised} of {needed} values between two publishings (tag {tag.name}); "
                "the others are lost: use a shorter publishing_interval"
            )


def publishing_interval(config: Config, tags: Sequence[Tag]) -> float:
    """Seconds between publishings: of the settings, else the shortest scan within bounds."""
    if config.publishing_interval:
        return config.publishing_interval
    shortest = config.sampling_interval or min(tag.scan for tag in tags)
    return min(max(shortest, SHORTEST_INTERVAL), LONGEST_INTERVAL)
