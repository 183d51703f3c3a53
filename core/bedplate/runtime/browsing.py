"""Browsing a device from the kernel's side: all pages of an answer, and the tags that its nodes become."""

from __future__ import annotations

from typing import Any

from bedplate.config.deployment import Component, TagSpec
from bedplate.remote.attachment import Attachment
from bedplate.runtime import requests
from bedplate.runtime.role import Bug, ok

BROWSE_WITHIN = 120.0
BROWSE_PAGES, NODES_MOST = 1000, 500_000


async def all_pages(attachment: Attachment, component: str, below: str, depth: int) -> list[Any]:
    """The nodes below an address, of all pages. Raises Bug for pages without an end."""
    nodes: list[Any] = []
    page = b""
    for _ in range(BROWSE_PAGES):
        ask = requests.Browse(below=below, depth=depth, page=page)
        found = ok(await attachment.ask(component, BROWSE_WITHIN, browse=ask)).browse
        nodes += found.nodes
        if len(nodes) > NODES_MOST:
            raise Bug(f"browse found more than {NODES_MOST:,} nodes; name a `root` deeper down")
        if not found.next_page:
            return nodes
        page = found.next_page
    raise Bug(f"browse has not ended after {BROWSE_PAGES:,} pages")


def tag_at(component: Component, node: Any) -> TagSpec:
    """The tag that a variable becomes: named by its path."""
    path = f"{component.path}/{node.path}"
    scan = component.scan_classes.get("normal", 1_000_000_000)
    return TagSpec(
        node.path, path, node.address, unit=node.unit, description=node.description, scan_ns=scan
    )
