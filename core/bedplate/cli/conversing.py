"""Lives of a plugin for `capture` and `replay`: opened without a kernel, read at a pace, closed.

A connector that can read is read; one that only pushes is listened to.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bedplate.cli.one_time import OneTime, Target
from bedplate.cli.output import json_value
from bedplate.config import TagSpec
from bedplate.errors import BedplateError
from bedplate.model import quality
from bedplate.runtime import requests
from bedplate.wire import decode_batch

Rows = list[tuple[str, Any, str, str]]
"""Name, value as JSON can hold it, quality, reason; as the device said it, not scaled."""


async def converse(
    wanted: Target, heard: Callable[[Rows], bool], *, every: float, patience: float
) -> None:
    """One life. heard: gets each read, and says whether to go on. every: s between reads · patience: s that one which
    only pushes may stay silent.

    Raises BedplateError with the plugin's words when it fails.
    """
    async with OneTime(wanted) as opened:
        if "read" in wanted.offer.capabilities:
            await _read(opened, wanted, heard, every)
        else:
            await _listen(opened, wanted, heard, patience)


async def _read(
    opened: OneTime, wanted: Target, heard: Callable[[Rows], bool], every: float
) -> None:
    loop = asyncio.get_running_loop()
    handles = range(1, len(wanted.tags) + 1)
    while True:
        due = loop.time() + every
        reply = (await opened.ask(read=requests.Read(tags=handles))).read
        if not heard(rows_of(reply.batches, wanted, {p.tag: p.text for p in reply.problems})):
            return
        await asyncio.sleep(max(0.0, due - loop.time()))


async def _listen(
    opened: OneTime, wanted: Target, heard: Callable[[Rows], bool], patience: float
) -> None:
    came: asyncio.Queue[Any] = asyncio.Queue()
    attachment = opened.attachment
    attachment.publication = came.put_nowait
    await opened.ask(subscribe=requests.Subscribe())
    while True:
        try:
            async with asyncio.timeout(patience):
                one = await came.get()
        except TimeoutError:
            raise BedplateError(f"it sent nothing for {patience:g} s") from None
        attachment.receipt(wanted.component.id, credit=1, synced=one.producer_seq)
        if not heard(rows_of([one.batch], wanted, {})):
            return


def rows_of(batches: Any, wanted: Target, reasons: Mapping[int, str]) -> Rows:
    """By tag, in the order of the deployment."""
    found: dict[int, list[tuple[str, Any, str, str]]] = {}
    for batch in map(decode_batch, batches):
        columns = (batch.tags().tolist(), batch.value.tolist(), batch.qualities().tolist())
        for handle, value, code in zip(*columns, strict=True):
            name = _named(wanted.tags[handle - 1])
            kept = None if quality.is_bad(code) else json_value(value)
            row = (name, kept, quality.name(code), reasons.get(handle, ""))
            found.setdefault(handle, []).append(row)
    return [row for handle in sorted(found) for row in found[handle]]


def said_of(value: Any, quality: str, reason: str) -> str:
    """A value for people, or why there is none."""
    if value is None:
        return f"{quality}  {reason}".rstrip()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _named(tag: TagSpec) -> str:
    """Its name, or its address where a command line gave only that."""
    return str(tag.address) if tag.name.startswith("tag-") else tag.name


def with_settings(wanted: Target, settings: Mapping[str, Any]) -> Target:
    """The same with other settings."""
    return replace(wanted, component=replace(wanted.component, settings=dict(settings)))


def written(wanted: Target) -> dict[str, Any]:
    """The component as a recording's header keeps it: enough to make it again, and nothing secret."""
    tags = {
        tag.name: {
            **({} if tag.address is None else {"address": tag.address}),
            **({"data_type": tag.data_type} if tag.data_type else {}),
            **tag.settings,
        }
        for tag in wanted.tags
    }
    component, offer = wanted.component, wanted.offer
    return {
        "use": offer.use,
        "plugin": offer.plugin,
        "version": offer.version,
        "component": component.id,
        "settings": dict(component.settings),
        "tags": tags,
    }


def again(header: Mapping[str, Any], plugin: str, overrides: Sequence[str], secret: Path) -> Target:
    """The component of a recording, for a plugin: a name, a file or a folder. overrides: key=value · secret: a file
    that stands for every secret. Raises BedplateError."""
    from bedplate.admission.candidate import schemas_for
    from bedplate.admission.reading import survey_of
    from bedplate.cli.one_time import setting
    from bedplate.config import parse

    path = Path(plugin)
    given = [path] if plugin and (path.suffix == ".py" or path.is_dir()) else []
    found = survey_of(None, given)
    use = header["use"] if given else plugin or header["use"]
    if use not in found.offers:
        raise BedplateError(
            found.why_not(use) or f"no plugin offers {use}, which was recorded; name another"
        )
    settings = {**_without_secrets(header["settings"], secret), **dict(map(setting, overrides))}
    tags = {"tags": header["tags"]} if header["tags"] else {}
    name = str(header.get("component", "once"))
    text = {
        "bedplate": 1,
        "name": "replay",
        "connectors": {name: {"use": use, **settings, **tags}},
    }
    content = json.dumps(text).encode()
    deployment = parse(content, "recording", Path.cwd(), schemas_for(found), found.offers)
    component = deployment.components[0]
    return Target(found.offers[use], deployment, component, component.tags)


def _without_secrets(value: Any, secret: Path) -> Any:
    if isinstance(value, dict):
        if set(value) == {"secret"}:
            return {"secret": f"file:{secret}"}
        return {key: _without_secrets(part, secret) for key, part in value.items()}
    return [_without_secrets(part, secret) for part in value] if isinstance(value, list) else value
