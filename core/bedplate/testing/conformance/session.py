"""One component in the hands of a check: asks by name, batches decoded, breaches told as what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bedplate.connector.v1 import connector_pb2
from bedplate.errors import ProtocolError
from bedplate.model import Batch
from bedplate.plugin.v1 import plugin_pb2
from bedplate.testing.conformance.check import Failed, expect_code
from bedplate.testing.fake_kernel import PATIENCE, FakeKernel
from bedplate.wire import decode_batch, twin, value_message

OPEN_WITHIN = 10.0  # s
LATE = 3.0  # s: an answer may come one second late, and a busy machine takes its time
Close, Ping = twin(plugin_pb2.Close), twin(plugin_pb2.Ping)
Read, Write = twin(connector_pb2.Read), twin(connector_pb2.Write)
Browse, Subscribe = twin(connector_pb2.Browse), twin(connector_pb2.Subscribe)


class Session:
    """message: the Open it was made with; it may be changed before `open`."""

    def __init__(self, kernel: FakeKernel, component: str, message: Any) -> None:
        self.kernel = kernel
        self.component = component
        self.message = message
        self.reply: Any = None

    @property
    def handles(self) -> list[int]:
        return [tag.handle for tag in self.message.tags]

    def handle(self, name: str) -> int:
        return int(next(tag.handle for tag in self.message.tags if tag.name == name))

    async def ask(self, within: float = 10.0, patience: float = PATIENCE, **what: Any) -> Any:
        """One ask to this component. Silence and the end of the stream are Failed."""
        name = next(iter(what))
        try:
            return await self.kernel.ask(self.component, within, patience, **what)
        except TimeoutError as error:
            raise Failed(f"{name} was not answered: {error}") from None
        except ConnectionError as error:
            raise Failed(f"the plugin ended during {name}: {error}") from None

    async def open(self, within: float = OPEN_WITHIN) -> Any:
        self.reply = await self.ask(within, open=self.message)
        return self.reply

    async def close(self) -> Any:
        return await self.ask(close=Close())

    async def read(self, handles: Sequence[int] | None = None, within: float = 10.0) -> Any:
        """The answer to Read, whatever its code."""
        wanted = self.handles if handles is None else handles
        return await self.ask(within, read=Read(tags=wanted))

    async def read_in_time(self, within: float) -> Any:
        """The same where the device does not answer: only the time of the ask ends it."""
        return await self.ask(within, LATE, read=Read(tags=self.handles))

    async def batches(self, handles: Sequence[int] | None = None) -> list[Batch]:
        """What Read gives. Raises Failed unless OK and sound."""
        reply = await self.read(handles)
        expect_code(reply, "Read", "OK")
        return decoded(reply.read.batches, "the answer to Read")

    async def value(self, name: str) -> tuple[Any, int]:
        """Value and quality of one tag."""
        for batch in await self.batches([self.handle(name)]):
            if len(batch):
                return batch.value.tolist()[0], int(batch.qualities()[0])
        raise Failed(f"Read of {name} gave no sample")

    async def write(
        self, name: str, value: Any, within: float = 10.0, patience: float = PATIENCE
    ) -> Any:
        """The answer to Write."""
        message = Write(command_id="kit", tag=self.handle(name))
        message.value.MergeFromString(value_message(value).SerializeToString())
        return await self.ask(within, patience, write=message)

    async def subscribe(self) -> None:
        expect_code(await self.ask(subscribe=Subscribe()), "Subscribe", "OK")

    @property
    def published(self) -> list[Any]:
        """All publications of this component."""
        return [p for p in self.kernel.publications if p.component == self.component]

    async def publications(self, count: int, within: float = 15.0) -> list[Any]:
        """So many of them. Raises Failed when they do not come."""
        try:
            await self.kernel.until(lambda: len(self.published) >= count, within, "publication")
        except (TimeoutError, ConnectionError) as error:
            raise Failed(f"{len(self.published)} publications of {count}: {error}") from None
        return self.published


def decoded(encoded: Sequence[bytes], where: str) -> list[Batch]:
    """Raises Failed with what is wrong with one."""
    try:
        return [decode_batch(one) for one in encoded]
    except (ProtocolError, ValueError) as error:
        raise Failed(f"{where}: {error}") from None
