"""Both sides of Attach on one loop, without a transport: the kernel's attachment and a plugin's objects."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
from bedplate.remote.kinds import KINDS
from bedplate.remote.side import PluginSide
from bedplate.wire import twin

Open, Close = twin(plugin_pb2.Open), twin(plugin_pb2.Close)
WITHIN = 10.0


def wired(kind: str, **offers: type) -> Attachment:
    """An attachment that such a plugin answers."""
    loop = asyncio.get_running_loop()
    attachment = Attachment(KINDS[kind], lambda message: loop.call_soon(side.receive, message))
    side = PluginSide(
        KINDS[kind], offers, lambda message: loop.call_soon(attachment.receive, message)
    )
    return attachment


async def opened(attachment: Attachment, use: str, **more: Any) -> Any:
    """The reply to Open; it must say OK."""
    config = json.dumps(more.pop("config", {})).encode()
    message = Open(use=use, config_json=config, epoch=7, linger_ms=1, serving=True, **more)
    reply = await attachment.ask("c", WITHIN, open=message)
    assert reply.answer.code == plugin_pb2.CODE_OK, reply.answer
    return reply
