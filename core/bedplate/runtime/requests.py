"""Asks as messages: what the deployment says of a component, in the words of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bedplate.config.deployment import Asset, Component, TagSpec
from bedplate.config.inputs import named_inputs
from bedplate.connector.v1 import connector_pb2
from bedplate.model import DataType
from bedplate.plugin.v1 import plugin_pb2
from bedplate.record.v1 import record_pb2
from bedplate.wire import twin

KERNEL_TYPES = {
    "float64": DataType.FLOAT64,
    "int64": DataType.INT64,
    "uint64": DataType.UINT64,
    "bool": DataType.BOOL,
    "text": DataType.TEXT,
    "blob": DataType.BLOB,
}

Open, Close = twin(plugin_pb2.Open), twin(plugin_pb2.Close)
Read, Write = twin(connector_pb2.Read), twin(connector_pb2.Write)
Browse, Subscribe = twin(connector_pb2.Browse), twin(connector_pb2.Subscribe)
Deliver, Query = twin(connector_pb2.Deliver), twin(connector_pb2.Query)
ReadHistory = twin(connector_pb2.ReadHistory)


def open_connector(  # noqa: PLR0913  the message has so many fields
    component: Component,
    tags: Iterable[TagSpec],
    settings: Mapping[str, Any],
    secrets: Mapping[str, bytes],
    *,
    epoch: int,
    linger: float,
    position: int = 0,
    credit: int = 8,
) -> Any:
    return Open(
        use=component.use,
        config_json=json.dumps(settings).encode(),
        secrets=secrets,
        tags=[_tag(index, tag) for index, tag in enumerate(tags, 1)],
        path=component.path,
        epoch=epoch,
        position=position,
        credit=credit,
        linger_ms=max(1, round(linger * 1000)),
        serving=True,
    )


def _tag(handle: int, tag: TagSpec) -> Any:
    """Where a plugin says nothing of addresses and the file gives none, the name is what a tag is asked for by."""
    settings = dict(tag.settings)
    address = tag.name if tag.address is None else tag.address
    return twin(plugin_pb2.Tag)(
        handle=handle,
        name=tag.name,
        address=address if isinstance(address, str) else json.dumps(address),
        data_type=int(KERNEL_TYPES.get(tag.data_type, DataType.UNSPECIFIED)),
        writable=tag.write is not None,
        unit=tag.unit,
        settings_json=json.dumps(settings).encode(),
        scan_ms=max(1, tag.scan_ns // 1_000_000),
    )


def open_analytic(
    component: Component,
    settings: Mapping[str, Any],
    secrets: Mapping[str, bytes],
    specs: Mapping[str, TagSpec],
    states: Mapping[str, bytes],
    *,
    epoch: int,
    position: int,
) -> Any:
    """specs: of every tag of the deployment, by path, for the labels of enumerations."""
    assets = [_asset(asset, settings, specs) for asset in component.assets]
    return Open(
        use=component.use,
        config_json=json.dumps(settings).encode(),
        secrets=secrets,
        assets=assets,
        states=[plugin_pb2_state(key, value) for key, value in states.items()],
        path=component.path,
        epoch=epoch,
        position=position,
        serving=True,
    )


def plugin_pb2_state(key: str, value: bytes) -> Any:
    return twin(plugin_pb2.State)(key=key, value=value)


def _asset(asset: Asset, settings: Mapping[str, Any], specs: Mapping[str, TagSpec]) -> Any:
    message = twin(plugin_pb2.Asset)(path=asset.path)
    for name, path in named_inputs(settings, asset.tags).items():
        one = message.inputs.add(name=name, path=path)
        if spec := specs.get(path):
            one.tag.path, one.tag.unit = path, spec.unit
            one.tag.states.update(dict(spec.states))
    return message


def open_security(
    component: Component,
    settings: Mapping[str, Any],
    secrets: Mapping[str, bytes],
    files: Mapping[str, bytes],
) -> Any:
    """files: path → content, as they were applied."""
    return Open(
        use=component.use,
        config_json=json.dumps(settings).encode(),
        secrets=secrets,
        path=component.path,
        states=[plugin_pb2_state(path, content) for path, content in files.items()],
        serving=True,
    )


__all__ = [
    "Browse",
    "Close",
    "Deliver",
    "Query",
    "Read",
    "ReadHistory",
    "Subscribe",
    "Write",
    "named_inputs",
    "open_analytic",
    "open_connector",
    "open_security",
    "record_pb2",
]
