"""A connector as somebody made it for the older major: grpc and that proto alone, nothing of today's Bedplate."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import GetMessages

content = Path(__file__).with_name("connector_v0.binpb").read_bytes()
found = GetMessages(
    descriptor_pb2.FileDescriptorSet.FromString(content).file, descriptor_pool.DescriptorPool()
)
FromPlugin = found["bedplate.connector.v0.FromPlugin"]
ToPlugin = found["bedplate.connector.v0.ToPlugin"]

outgoing: queue.SimpleQueue[Any] = queue.SimpleQueue()
addresses: dict[tuple[str, int], str] = {}
count = 0


def answer(ask: Any) -> Any:
    global count  # noqa: PLW0603 - an old plugin
    message = FromPlugin()
    reply = message.answers.add(id=ask.id, ok=True)
    what = ask.WhichOneof("what")
    if what == "open":
        if json.loads(ask.open.config_json).get("how") == "away":
            reply.ok, reply.text = False, "the machine is switched off"
        for tag in ask.open.tags:
            addresses[ask.component, tag.handle] = tag.address
    elif what == "read":
        count += 1
        for tag in ask.read.tags:
            bad = addresses[ask.component, tag] == "none"
            reply.samples.add(tag=tag, value=count, bad=bad)
    elif what == "subscribe":
        for number in range(1, ask.subscribe.credit + 1):
            published = message.published.add(component=ask.component, number=number)
            published.samples.add(tag=1, value=number)
    return message


def main() -> None:
    start = json.loads(sys.stdin.readline())
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    hello = FromPlugin()
    hello.hello.token, hello.hello.plugin, hello.hello.version = start["token"], "old", "0.3"
    outgoing.put(hello)
    channel = grpc.insecure_channel(start["host"])
    attach = channel.stream_stream(
        "/bedplate.connector.v0.Host/Attach",
        request_serializer=FromPlugin.SerializeToString,
        response_deserializer=ToPlugin.FromString,
    )
    for message in attach(iter(outgoing.get, None)):
        for ask in message.asks:
            outgoing.put(answer(ask))
            if ask.WhichOneof("what") == "shutdown":
                threading.Timer(0.05, os._exit, (0,)).start()


main()
