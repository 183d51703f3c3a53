"""Open as a test makes it: settings, tags and assets in plain Python, as the message of the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bedplate.model import DataType
from bedplate.plugin.v1 import plugin_pb2
from bedplate.wire import twin

Open = twin(plugin_pb2.Open)
EPOCH = 7
TYPES = {t.name.lower(): t for t in DataType if t}
WORDS = ("address", "data_type", "unit", "writable", "scan")  # of a tag that are the kernel's


def open_message(
    use: str,
    settings: Mapping[str, Any],
    *,
    secrets: Mapping[str, str] | None = None,
    tags: Mapping[str, Any] | None = None,
    **more: Any,
) -> Any:
    """tags: name → address, or a mapping with address, data_type, unit, writable, scan (s) and the plugin's own
    settings of a tag, which may also stand below `settings`. secrets: JSON pointer → secret. more: fields of Open."""
    message = Open(
        use=use,
        config_json=json.dumps(dict(settings)).encode(),
        secrets={pointer: text.encode() for pointer, text in (secrets or {}).items()},
        **{"epoch": EPOCH, "linger_ms": 10, "credit": 8, "serving": True, "path": "test", **more},
    )
    for handle, (name, tag) in enumerate((tags or {}).items(), 1):
        message.tags.append(tag_message(handle, name, tag))
    return message


def tag_message(handle: int, name: str, tag: Any) -> Any:
    """One tag of Open. tag: an address, or a mapping."""
    words = dict(tag) if isinstance(tag, Mapping) and "address" in tag else {"address": tag}
    address, own = words.pop("address"), words.pop("settings", {})
    data_type = TYPES.get(words.get("data_type", ""), DataType.UNSPECIFIED)
    if data_type:
        words.pop("data_type")
    return twin(plugin_pb2.Tag)(
        handle=handle,
        name=name,
        address=address if isinstance(address, str) else json.dumps(address),
        data_type=int(data_type),
        unit=words.pop("unit", ""),
        writable=bool(words.pop("writable", False)),
        scan_ms=int(float(words.pop("scan", 1.0)) * 1000),
        settings_json=json.dumps(words | own).encode(),
    )


def asset_message(path: str, inputs: Mapping[str, str]) -> Any:
    """One asset of Open. inputs: the name the settings use → full path of the tag."""
    message = twin(plugin_pb2.Asset)(path=path)
    for name, full in inputs.items():
        message.inputs.add(name=name, path=full).tag.path = full
    return message
