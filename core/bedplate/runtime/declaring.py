"""What the deployment says of a tag, for the rooms that heed it: what is known of it, and the rules for its values."""

from __future__ import annotations

from bedplate.config.deployment import TagSpec
from bedplate.model import DataType
from bedplate.runtime import requests
from bedplate.scan.registry import Declared
from bedplate.scan.rules import Rule


def declared(component: str, tag: TagSpec) -> Declared:
    """For the registry, and so for whoever looks a tag up."""
    address = "" if tag.address is None else str(tag.address)
    return Declared(
        tag.path,
        component,
        tag.unit,
        tag.description,
        address,
        tag.write is not None,
        tag.counter,
        dict(tag.states),
    )


def rule(tag: TagSpec) -> Rule:
    """For ingest."""
    kind = requests.KERNEL_TYPES.get(tag.data_type, DataType.UNSPECIFIED)
    return Rule(tag.path, kind, tag.scale, tag.range, tag.deadband)
