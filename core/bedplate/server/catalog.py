"""Catalog and the current values of Live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

import numpy as np

from bedplate.api.v1 import api_pb2
from bedplate.model import TagInfo
from bedplate.record.v1 import record_pb2
from bedplate.runtime.kernel import Kernel
from bedplate.server.door import Caller, Method
from bedplate.server.known import KnownTags
from bedplate.server.selection import selection
from bedplate.wire import encode_batch, tag_message, twin, value_message

PAGE = 500


class Catalog:
    """Reads the kernel's tables."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._known = KnownTags(kernel)
        self._messages: dict[int, Any] = {}  # of tags by handle; a handle never changes its meaning

    def methods(self) -> list[Method]:
        service = "bedplate.api.v1.Catalog"
        return [
            Method(
                service,
                "ListTags",
                "stream",
                api_pb2.ListTagsRequest,
                "catalog.tags",
                self.list_tags,
            ),
            Method(
                service,
                "ListAssets",
                "stream",
                api_pb2.ListAssetsRequest,
                "catalog.assets",
                self.list_assets,
            ),
            Method(
                "bedplate.api.v1.Live",
                "Current",
                "stream",
                api_pb2.CurrentRequest,
                "live.current",
                self.current,
            ),
        ]

    async def chosen(self, selectors: Any, action: str, caller: Caller) -> list[TagInfo]:
        """Those of the tags that the caller may see, by path, each with its handle in force."""
        known = self._known.tags()
        seen = await caller.seen(action, known)
        wanted = selection(list(selectors), seen)
        return [known[path] for path in seen if wanted.all or wanted.matches(path)]

    async def list_tags(self, request: Any, caller: Caller) -> AsyncIterator[Any]:
        tags = iter(await self.chosen(request.selectors, "catalog.tags", caller))
        while page := list(islice(tags, PAGE)):
            yield api_pb2.ListTagsResponse(
                tags=[self._info(tag, request.with_current) for tag in page]
            )

    def _info(self, tag: TagInfo, with_current: bool) -> api_pb2.TagInfo:
        owner = self._kernel.spine.registry.owner.get(tag.path, "")
        supervisor = self._kernel.components.get(owner)
        info = api_pb2.TagInfo(
            tag=tag_message(tag), component=owner, asset=tag.path.rpartition("/")[0]
        )
        info.type = supervisor.component.type if supervisor else ""
        current = self._kernel.spine.current
        if with_current and tag.handle and current.has(tag.handle):
            info.current.value.CopyFrom(value_message(current.value(tag.handle)))
            info.current.time = int(current.time[tag.handle])
            info.current.quality = int(current.quality[tag.handle])
            info.current.received = int(current.received[tag.handle])
            info.current.stored = (
                int(current.position[tag.handle]) <= self._kernel.engine.state().synced
            )
        return info

    async def list_assets(self, request: Any, caller: Caller) -> AsyncIterator[Any]:
        """An asset is seen by who sees a tag of it."""
        assets: dict[str, api_pb2.Asset] = {}
        owners = self._kernel.spine.registry.owner
        for path in await caller.seen("catalog.assets", self._known.tags()):
            owner = owners.get(path)
            if owner is None:
                continue
            above = path.rpartition("/")[0]
            if request.below and not (above + "/").startswith(request.below.rstrip("/") + "/"):
                continue
            asset = assets.setdefault(above, api_pb2.Asset(path=above))
            asset.tags += 1
            if owner not in asset.components:
                asset.components.append(owner)
                supervisor = self._kernel.components.get(owner)
                asset.type = asset.type or (supervisor.component.type if supervisor else "")
        if assets:
            yield api_pb2.ListAssetsResponse(assets=assets.values())

    async def current(self, request: Any, caller: Caller) -> AsyncIterator[Any]:
        chosen = await self.chosen(request.selectors, "live.current", caller)
        tags = [tag for tag in chosen if tag.handle]
        for start in range(0, len(tags), 10_000):
            page = tags[start : start + 10_000]
            handles = np.array([tag.handle for tag in page], np.uint32)
            batches = map(encode_batch, self._kernel.spine.current.batches(handles))
            yield twin(api_pb2.CurrentResponse)(batches=batches, tags=map(self._message, page))

    def _message(self, tag: TagInfo) -> Any:
        """The twin message of a tag that has a handle."""
        if tag.handle not in self._messages:
            encoded = tag_message(tag).SerializeToString()
            self._messages[tag.handle] = twin(record_pb2.Tag).FromString(encoded)
        return self._messages[tag.handle]
