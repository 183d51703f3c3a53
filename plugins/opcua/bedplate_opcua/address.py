"""Addresses of tags: NodeIds as text, `ns=3;s=Oil.Temp`, `nsu=http://acme.example/press;s=Oil.Temp`, `i=2258`.

Owns: reading and writing that text (OPC 10000-6 §5.1.12 and §5.3.1.10) and finding the index of a namespace URI.
Rule: prefer `nsu=`; an index may change when a server restarts, a URI does not.
Does not ask a server anything.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from asyncua.ua.uatypes import NodeId
from pydantic import AfterValidator, WithJsonSchema

GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
BASE64 = r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
NODE_ID = rf"(?:ns=\d{{1,5}};|nsu=[^;]+;)?(?:i=\d{{1,10}}|s=[\s\S]+|g={GUID}|b={BASE64})"
BEGINS_LIKE_ONE = r"(?:ns|nsu|i|s|g|b)="
PATTERN = rf"^(?:{NODE_ID}|(?!{BEGINS_LIKE_ONE})[\s\S]+)$"
"""A NodeId, or anything that does not begin like one: that is then put behind `address_prefix`."""

_NODE_ID = re.compile(
    r"(?:ns=(?P<index>\d{1,5});|nsu=(?P<uri>[^;]+);)?(?P<kind>[isgb])=(?P<identifier>[\s\S]+)"
)
_WHOLE = re.compile(NODE_ID)
_BEGINS = re.compile(BEGINS_LIKE_ONE)
HOW = "write ns=3;s=Oil.Temp, nsu=http://vendor.example/;s=Oil.Temp or i=2258"


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """A parsed NodeId. namespace: its index, or its URI; identifier: number, text, GUID or bytes."""

    namespace: int | str
    identifier: int | str | uuid.UUID | bytes

    def node_id(self, namespaces: Sequence[str]) -> NodeId | None:
        """The NodeId for a server with this NamespaceArray; None when it lacks the namespace."""
        index = self.namespace
        if isinstance(index, str):
            if index not in namespaces:
                return None
            index = namespaces.index(index)
        return NodeId(self.identifier, index)  # type: ignore[arg-type]


def parse(text: str, prefix: str = "") -> NodeAddress:
    """The NodeId that a text means, put behind `prefix` unless it begins like a NodeId.

    Raises ValueError that says how to write one.
    """
    whole = text if _BEGINS.match(text) else prefix + text
    match = _NODE_ID.fullmatch(whole)
    if match is None or not _WHOLE.fullmatch(whole):
        raise ValueError(f"{text!r} is no NodeId; {HOW}, or set address_prefix")
    namespace: int | str = _unescape(match["uri"]) if match["uri"] else int(match["index"] or 0)
    identifier = match["identifier"]
    match match["kind"]:
        case "s":
            return NodeAddress(namespace, identifier)
        case "g":
            return NodeAddress(namespace, uuid.UUID(identifier))
        case "b":
            return NodeAddress(namespace, base64.b64decode(identifier))
    if int(identifier) > 0xFFFF_FFFF or (isinstance(namespace, int) and namespace > 0xFFFF):
        raise ValueError(f"{text!r} holds a number that is too large for a NodeId")
    return NodeAddress(namespace, int(identifier))


def written(node_id: NodeId, namespaces: Sequence[str]) -> str:
    """The address of a NodeId, with the URI of its namespace when it is not that of OPC UA itself."""
    index = int(node_id.NamespaceIndex)
    start = ""
    if 0 < index < len(namespaces) and namespaces[index]:
        start = f"nsu={_escape(namespaces[index])};"
    elif index:
        start = f"ns={index};"
    match node_id.Identifier:
        case bytes() as raw:
            return f"{start}b={base64.b64encode(raw).decode()}"
        case uuid.UUID() as guid:
            return f"{start}g={guid}"
        case str() as name:
            return f"{start}s={name}"
    return f"{start}i={int(node_id.Identifier)}"


def _escape(uri: str) -> str:
    return uri.replace("%", "%25").replace(";", "%3B")


def _unescape(uri: str) -> str:
    return uri.replace("%3B", ";").replace("%3b", ";").replace("%25", "%")


def _well_formed(text: str) -> str:
    if not text:
        raise ValueError(f"an address can't be empty; {HOW}")
    if _BEGINS.match(text):
        parse(text)
    return text


Address = Annotated[
    str,
    AfterValidator(_well_formed),
    WithJsonSchema(
        {"type": "string", "pattern": PATTERN, "examples": ["ns=3;s=Oil.Temp", "i=2258"]}
    ),
]
"""What stands under `address` of a tag."""
