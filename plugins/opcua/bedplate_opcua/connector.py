"""The OPC UA connector: what the contract asks for, each done in a file of its own.

settings.py  address.py       what may stand in the deployment file
endpoint.py  pki.py           whom we talk to        session.py  stack.py     how
limits.py  nodes.py           what the server bears, what the tags are there
feed.py  subscription.py  publishing.py  watching.py  backlog.py  values.py    subscribe
reading.py  writing.py  browsing.py  naming.py  history.py                     read, write, browse, read_history
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import BaseModel

from bedplate import Batch, Connector, Node, Refused, Send, Tag
from bedplate_opcua import writing
from bedplate_opcua.address import Address
from bedplate_opcua.browsing import Browser
from bedplate_opcua.endpoint import Endpoint, choose, offered
from bedplate_opcua.feed import Feed
from bedplate_opcua.history import History
from bedplate_opcua.lease import Lease, Leases
from bedplate_opcua.limits import Limits
from bedplate_opcua.nodes import Nodes
from bedplate_opcua.pki import Identity, Pki
from bedplate_opcua.reading import Reader
from bedplate_opcua.session import Session
from bedplate_opcua.settings import Config as Settings
from bedplate_opcua.values import Values

WARN_BEFORE: Final = timedelta(days=30)


class OpcUa(Connector):
    """One OPC UA server. The address of a tag is a NodeId, or what stands behind address_prefix."""

    Config: ClassVar[type[BaseModel]] = Settings
    Address: ClassVar[Any] = Address
    leases: ClassVar[Leases] = Leases()
    """What sessions left: the kernel builds a new object for each, and the subscription is to go on."""

    config: Settings

    async def open(self) -> None:
        """Connects, logs in, finds the nodes of the tags.

        Raises Invalid for addresses and settings that can't be right and for a login that the server refuses, else
        ConnectionError or TimeoutError: also for a certificate that nobody trusts yet, since a person may decide that
        while we try again. A node that is missing raises nothing; it reads Bad.
        """
        self._told: set[str] = set()
        self._lost = False
        self._nodes = Nodes(self.tags, self.config.address_prefix)
        self._limits = Limits(self.config.max_items_per_request)
        endpoint, identity = await self._security()
        self._session = Session(self.config, self.component, self.note)
        try:
            await self._session.open(endpoint, identity)
        except ConnectionError:
            await self._explain_refusal()
            raise
        for remark in self._remarks:
            self.note(remark)
        try:
            self._namespaces = await self._limits.learn(self._session)
            self._nodes.resolve(self._namespaces)
            self._history = History(self._session, self._limits, self._nodes, self._values)
            await self._nodes.learn_types(self._session, self._limits, list(self._nodes.tags))
        except BaseException:
            await self._session.close()
            raise

    async def close(self) -> None:
        """Closes the session; takes at most two seconds when the server is silent. If it was lost, its subscription is
        left for the next."""
        if await self._session.close(delete=not self._lost):
            self.leases.forget(self.component)

    async def read(self, tags: list[Tag]) -> list[Batch]:
        """The present values, with source time, server time and StatusCode."""
        reader = Reader(self._session, self._limits, self._nodes, self._values)
        return await reader.read([tag.handle for tag in tags])

    async def write(self, tag: Tag, value: Any) -> None:
        """Writes once, in the type of the node. Raises Refused with the name of the StatusCode."""
        node_id = self._nodes.ids.get(tag.handle)
        if node_id is None:
            raise Refused(f"the server has no node for {tag.name}: BadNodeIdUnknown")
        built_in = self._nodes.built_in.get(tag.handle, 0)
        await writing.write(self._session, tag, node_id, built_in, value)

    async def subscribe(self, tags: list[Tag], send: Send) -> None:
        """Sends first values and then every change until the server is lost; or goes on with the subscription of the
        session before."""
        lease: Lease = self.leases.take(self.component, self.config, tags)
        try:
            feed = Feed(self._session, self._limits, self._nodes, self._values, self.note, lease)
            await feed.run(tags, send)
        except OSError:
            self._lost = lease.may_be_taken_over
            raise
        finally:
            self.leases.keep(self.component, lease)

    async def read_history(
        self, tags: list[Tag], start: int, end: int
    ) -> AsyncGenerator[Any, None]:
        """The raw values that the server kept, with their times and StatusCodes."""
        async with aclosing(self._history.read(tags, start, end)) as found:
            async for one in found:
                yield one

    async def browse(self, below: str, depth: int) -> list[Node]:
        """Objects and variables below an address; "" is the Objects folder. Their paths can be names of tags."""
        browser = Browser(self._session, self._limits, self._namespaces, self.note)
        return await browser.nodes(below, depth)

    # parts ---------------------------------------------------------------------------------------------------------

    def _values(self) -> Values:
        return Values(self._nodes.types, self._unsupported, time.time_ns)

    def _unsupported(self, handle: int, what: str) -> None:
        tag = self._nodes.tags[handle]
        if tag.name not in self._told:
            self._told.add(tag.name)
            self.note(f"tag {tag.name} is {what}: BadNotSupported")

    async def _explain_refusal(self) -> None:
        """A session without security failed. Raises ConnectionError with what the server offers instead, if it does."""
        if self.config.secure:
            return
        there: list[Endpoint] = []
        with suppress(OSError):
            there = await offered(self.config)
        if there:
            choose(there, self.config)

    async def _security(self) -> tuple[Endpoint | None, Identity | None]:
        """Endpoint and certificate of a secure session; (None, None) for one without."""
        config = self.config
        self._remarks: list[str] = []
        if not config.secure:
            if not _is_loopback(config.host):
                self._remarks.append(
                    f"nothing between here and {config.host} is signed or encrypted: security_policy is None"
                )
            return None, None
        now = datetime.now(UTC)
        pki = Pki(Path(config.pki))
        identity = await asyncio.to_thread(pki.identity, config.application_uri, now)
        if identity.expires - now < WARN_BEFORE:
            self._remarks.append(
                f"our certificate in {pki.folder}/own ends on {identity.expires:%Y-%m-%d}"
            )
        endpoint = choose(await offered(config), config)
        remark = await asyncio.to_thread(pki.check, endpoint.certificate, config.host, now)
        if remark:
            self._remarks.append(
                f"{remark}; it is trusted all the same, since it lies in {pki.folder}/trusted"
            )
        return endpoint, identity


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
