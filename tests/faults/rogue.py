"""A plugin that breaks the contract, or its process, in the way that its component's setting `how` names.

Made of grpc and the messages alone, so that nothing of ours keeps it from misbehaving. It serves `read`, `subscribe`
and `deliver` well enough to be opened, and misbehaves at the first ask of that kind.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import grpc.aio

from bedplate.connector.v1 import connector_pb2 as c
from bedplate.plugin.v1 import plugin_pb2 as p
from bedplate.record.v1 import record_pb2 as r

SIZE = 20 << 20


def batch(*tags: int) -> r.Batch:
    n = len(tags) or 1
    return r.Batch(count=n, tag=tags or [1], data_type=r.DATA_TYPE_FLOAT64, float64=[1.0] * n)


class Rogue:
    def __init__(self, start: dict[str, Any]) -> None:
        self.start = start
        self.how: dict[str, str] = {}
        self.answer_pings = True

    async def run(self) -> None:
        async with grpc.aio.insecure_channel(
            self.start["host"], options=[("grpc.max_send_message_length", -1)]
        ) as channel:
            self.call = channel.stream_stream("/bedplate.connector.v1.ConnectorHost/Attach")()
            hello = p.Hello(token=self.start["token"], plugin="rogue", version="1")
            await self.send(hello=hello)
            while (message := await self.call.read()) is not grpc.aio.EOF:
                for ask in c.ToConnector.FromString(message).asks:
                    await self.answer(ask)

    async def send(self, **what: Any) -> None:
        await self.call.write(c.FromConnector(**what).SerializeToString())

    async def reply(self, ask: Any, *, code: int = p.CODE_OK, **what: Any) -> None:
        answer = p.Answer(id=ask.id, code=code)  # type: ignore[arg-type]
        await self.send(replies=[c.Reply(answer=answer, **what)])

    async def publish(self, ask: Any, *seqs: int, component: str = "") -> None:
        name = component or ask.component
        await self.send(
            publications=[
                c.Publication(component=name, producer_seq=n, batch=batch()) for n in seqs
            ]
        )

    async def answer(self, ask: Any) -> None:
        what = ask.WhichOneof("what")
        how = self.how.get(ask.component, "")
        if what == "open":
            self.how[ask.component] = how = json.loads(ask.open.config_json).get("how", "")
            if "hangs" in how:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if how == "hangs in open":
                return
            await self.reply(ask, open=c.OpenReply())
        elif (what == "close" and how == "hangs in close") or (
            what == "shutdown" and "hangs" in how
        ):
            return
        elif what in ("read", "subscribe", "deliver"):
            await getattr(self, f"_{what}")(ask, how)
        elif self.answer_pings or what != "ping":
            await self.reply(ask)

    async def _read(self, ask: Any, how: str) -> None:
        good = {"read": c.ReadReply(batches=[batch()])}
        match how:
            case "answers an ask nobody asked":
                ask.id += 1_000_000
            case "answers twice":
                await self.reply(ask, **good)
            case "publishes for another":
                await self.publish(ask, 1, component="good")
            case "sends garbage":
                await self.call.write(b"\xff\xff\xff\xff garbage")
            case "sends a message of 20 MB":
                await self.send(notes=[p.Note(text="x" * SIZE)])
            case "says hello again":
                await self.send(hello=p.Hello(token="again"))
            case "floods with notes":
                notes = [
                    p.Note(component=ask.component, text=f"note {n} \x1b[31m") for n in range(2000)
                ]
                await self.send(notes=notes)
            case "leaves a tag out after the first scan":
                good = {"read": c.ReadReply(batches=[batch(1, 2)])}
                self.how[ask.component] = ""
            case "never answers a read":
                return
            case "publishes though nobody asked":
                await self.publish(ask, *range(1, 301))
            case _:
                await self._break_the_process(how)
        await self.reply(ask, **good)

    async def _subscribe(self, ask: Any, how: str) -> None:
        await self.reply(ask)
        match how:
            case "publishes beyond its credit":
                await self.publish(ask, *range(1, 70))
            case "jumps ahead in its numbers":
                await self.publish(ask, 1, 3)
            case "goes back in its numbers":
                await self.publish(ask, 1, 2, 1)
            case "repeats a number":
                await self.publish(ask, 1, 1)
            case "says the same a thousand times":
                await self.publish(ask, *[1] * 1000)
            case "begins with another number":
                await self.publish(ask, 7)
            case "does not stop":
                for n in range(1, 100_000, 100):
                    await self.publish(ask, *range(n, n + 100))

    async def _deliver(self, ask: Any, how: str) -> None:
        position = ask.deliver.until
        if how == "takes its time":
            await asyncio.sleep(0.3)
        if how == "acknowledges the future":
            position += 1000
        if how == "goes back in what it acknowledges" and position > 3:
            await self.reply(ask, deliver=c.DeliverReply(position=position))
            self.how[ask.component] = "has gone back"
            return
        if how == "has gone back":
            position = 1
            self.how[ask.component] = "goes back in what it acknowledges"
        await self.reply(ask, deliver=c.DeliverReply(position=position))

    async def _break_the_process(self, how: str) -> None:
        match how:
            case "exits":
                os._exit(0)
            case "kills itself":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stops":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "does not answer pings":
                self.answer_pings = False
            case "blocks its loop":
                time.sleep(3600)
            case "raises":
                raise RuntimeError("a bug of the author")
            case "leaks" | "starts too many processes":  # and answers its pings meanwhile
                self.taking = asyncio.create_task(self._take_too_much(how))
            case "starts a few processes":
                self.started = [sleeper(new=bool(n % 2)) for n in range(6)]
            case "prints without end":
                os.set_blocking(1, True)
                for _ in range(600):
                    os.write(1, b"\x1b[31mred\x00\xff " * 10_000)
                os.write(1, b"\nthe last words\n")

    async def _take_too_much(self, how: str) -> None:
        self.taken: list[Any] = []
        while len(self.taken) < 100:
            if how == "leaks":
                self.taken.append(bytearray(b"x") * (3 << 20))
            else:
                odd = bool(len(self.taken) % 2)
                self.taken.append(await asyncio.to_thread(sleeper, new=odd))
            await asyncio.sleep(0.01)


def sleeper(*, new: bool) -> subprocess.Popen[bytes]:
    """A child; new: in a session of its own, out of reach of whoever kills the group."""
    return subprocess.Popen(["sleep", "3600"], start_new_session=new)


if __name__ == "__main__":
    start = json.loads(sys.stdin.readline())
    try:
        asyncio.run(Rogue(start).run())
    except grpc.aio.AioRpcError:
        os._exit(1)
    os._exit(0)
