"""A plugin under test, as plain calls: open, read, write, browse, subscribe, deliver, query, process, authorize.

Over the messages of the contract, without a kernel: the plugin's class on a thread, or any program as a process. What
the kernel adds (pace, scale, stamps, retries) is not here. Calls block, so that a test needs no event loop.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bedplate.contracts import Analytic, Connector, SecurityModule
from bedplate.plugin.v1 import plugin_pb2
from bedplate.testing.answers import checked
from bedplate.testing.door import Door
from bedplate.testing.fake_kernel import WITHIN, FakeKernel
from bedplate.testing.opened import OpenedAnalytic, OpenedConnector, OpenedSecurity
from bedplate.testing.opening import asset_message, open_message
from bedplate.testing.runs import InlineRun, ProcessRun, Program, Run
from bedplate.wire import twin

KINDS: dict[str, type] = {"connector": Connector, "analytic": Analytic, "security": SecurityModule}
USE = "it"
Close = twin(plugin_pb2.Close)


class Loop:
    """An event loop on a thread, where the fake kernel lives."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def __call__(self, call: Any) -> Any:
        """The result of a coroutine that runs there."""
        return asyncio.run_coroutine_threadsafe(call, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


class Plugged:
    """A running plugin. kernel: what it is attached to, with everything it ever sent."""

    def __init__(self, loop: Loop, run: Run, kind: str, use: str) -> None:
        self._loop = loop
        self._run = run
        self._kind = kind
        self._use = use

    @property
    def kernel(self) -> FakeKernel:
        return self._run.kernel

    @property
    def output(self) -> Sequence[str]:
        """Last lines of a process on stdout and stderr."""
        return list(self._run.output)

    def ask(self, component: str = "it", within: float = WITHIN, **what: Any) -> Any:
        """One ask in the words of the contract. Returns the answer, whatever its code."""
        return self._loop(self._asked(component, within, what))

    async def _asked(self, component: str, within: float, what: dict[str, Any]) -> Any:
        return await self.kernel.ask(component, within, **what)

    def connector(
        self,
        settings: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        *,
        component: str = "it",
        **more: Any,
    ) -> OpenedConnector:
        """Opens a connector. tags: name → address, or a mapping of the tag's settings. more: secrets, credit, position.

        Raises what `bedplate.testing.checked` raises.
        """
        message = open_message(self._use, settings or {}, tags=tags, **more)
        reply = checked(self.ask(component, open=message))
        names = {tag.handle: tag.name for tag in message.tags}
        return OpenedConnector(self, component, reply.open, names)

    def analytic(
        self,
        settings: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | Sequence[str] = (),
        *,
        asset: str = "test/asset",
        component: str = "it",
        state: bytes = b"",
        **more: Any,
    ) -> OpenedAnalytic:
        """Opens an analytic for one asset. inputs: tags that the settings name, → their full paths if these matter."""
        paths = (
            dict(inputs)
            if isinstance(inputs, Mapping)
            else {name: f"{asset}/{name}" for name in inputs}
        )
        states = [twin(plugin_pb2.State)(key=asset, value=state)] if state else []
        message = open_message(self._use, settings or {}, states=states, **more)
        message.assets.append(asset_message(asset, paths))
        reply = checked(self.ask(component, open=message))
        return OpenedAnalytic(self, component, reply.open, asset, paths)

    def security(
        self, settings: Mapping[str, Any] | None = None, *, component: str = "it", **more: Any
    ) -> OpenedSecurity:
        """Opens a security module."""
        checked(self.ask(component, open=open_message(self._use, settings or {}, **more)))
        return OpenedSecurity(self, component)

    def wait(self, condition: Any, within: float = WITHIN, what: str = "it") -> Any:
        """Until a message of the plugin makes it true. Raises TimeoutError."""
        return self._loop(self.kernel.until(condition, within, what))

    def receipt(self, component: str, **what: Any) -> None:
        async def send() -> None:
            self.kernel.receipt(component, **what)

        self._loop(send())


@contextmanager
def plugged(plugin: type | Program) -> Iterator[Plugged]:
    """Runs a plugin for the time of a `with`: its class on a thread, or a program as a process."""
    loop = Loop()
    try:
        if isinstance(plugin, Program):
            with _process(loop, plugin) as under_test:
                yield under_test
            return
        kind = next((kind for kind, base in KINDS.items() if issubclass(plugin, base)), "")
        if not kind:
            raise TypeError(f"{plugin.__name__} is no Connector, Analytic or SecurityModule")
        inline = InlineRun(kind, {USE: plugin})
        loop(inline.start())
        try:
            yield Plugged(loop, inline, kind, USE)
        finally:
            loop(inline.stop())
    finally:
        loop.close()


@contextmanager
def _process(loop: Loop, program: Program) -> Iterator[Plugged]:
    with tempfile.TemporaryDirectory(prefix="bp", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        door = Door(place)
        loop(door.start())
        run = ProcessRun(program, door, place / "run", place / "home")
        try:
            loop(run.start())
            yield Plugged(loop, run, program.kind, next(iter(program.words.get("offers", {})), USE))
        finally:
            loop(run.stop())
            loop(door.stop())
