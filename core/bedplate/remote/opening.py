"""What `Open` says of a component, as values for its author: settings with their secrets in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bedplate import strict_json


def with_secrets(config_json: bytes, secrets: Mapping[str, bytes]) -> Any:
    """The settings of a component with its secrets put where their JSON pointers say."""
    config = strict_json.loads(config_json or b"{}")
    for pointer, value in secrets.items():
        *parents, last = [p.replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:]]
        place = config
        for parent in parents:
            place = place[int(parent)] if isinstance(place, list) else place[parent]
        place[int(last) if isinstance(place, list) else last] = value.decode()
    return config
