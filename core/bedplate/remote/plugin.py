"""A plugin process: `python -m bedplate.remote.plugin`. Reads one line of JSON, dials once, answers until stdin ends.

The line: {"host", "token", "kind", "plugin", "version", "offers": {use: "module:Class"}, "file": path or null,
"path": [folders of modules]}. Only
the first two are the contract; the rest tells this Python host what to import. stdout is never protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import os
import platform
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

import grpc.aio

from bedplate import strict_json
from bedplate.errors import AdmissionError
from bedplate.remote.kinds import DO_NOT_RETRY, KINDS, Kind
from bedplate.remote.side import PluginSide

CHANNEL = (
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 1 << 20),
    ("grpc.enable_retries", 0),
)


def load_offers(start: dict[str, Any]) -> dict[str, type]:
    """The classes behind the offers. Raises AdmissionError with the reason, whatever importing them raises: code of
    somebody else runs here for the first time, and may also call sys.exit."""
    try:
        return _load(start)
    except BaseException as error:
        text = f"cannot load {start['plugin']}: {type(error).__name__}: {error}"
        raise AdmissionError(text) from error


def _load(start: dict[str, Any]) -> dict[str, type]:
    if start.get("file"):
        spec = importlib.util.spec_from_file_location(start["plugin"], start["file"])
        if spec is None or spec.loader is None:
            raise ImportError(f"{start['file']} is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[start["plugin"]] = module
        spec.loader.exec_module(module)
        return {
            use: getattr(module, target.partition(":")[2])
            for use, target in start["offers"].items()
        }
    folders = start.get("path", ())
    sys.path.extend(folder for folder in folders if folder not in sys.path)
    return {use: _resolve(target, folders) for use, target in start["offers"].items()}


def _resolve(target: str, folders: Sequence[str]) -> Any:
    module, _, name = target.partition(":")
    loaded = importlib.import_module(module)
    _refuse_namesake(module.partition(".")[0], folders)
    return getattr(loaded, name)


def _refuse_namesake(top: str, folders: Sequence[str]) -> None:
    """What a plugin folder holds under a name that Python or somebody else has taken is never what was loaded."""
    where = str(getattr(sys.modules[top], "__file__", None) or "")
    for folder in folders:
        mine = any(
            os.path.exists(os.path.join(folder, top + end)) for end in (".py", "/__init__.py")
        )
        if mine and not where.startswith(os.path.join(folder, "")):
            raise ImportError(f"{top} is also the name of {where or 'a part of Python'}; rename it")


async def attach(start: dict[str, Any], kind: Kind, offers: dict[str, type]) -> int:
    """Dials, says Hello, and serves until the stream or stdin ends, or Shutdown was answered. Returns the exit code."""
    outgoing: asyncio.Queue[Any] = asyncio.Queue()
    hello = hello_of(start, kind)
    hello.hello.token = start["token"]
    outgoing.put_nowait(hello)
    side = PluginSide(kind, offers, outgoing.put_nowait)
    async with grpc.aio.insecure_channel(start["host"], options=CHANNEL) as channel:
        call: Any = channel.stream_stream(
            kind.method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=kind.to.FromString,
        )()
        tasks = [
            asyncio.create_task(_write(call, outgoing)),
            asyncio.create_task(_read(call, side)),
            asyncio.create_task(_until_done(side, outgoing)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await side.shutdown()
        refused = call.done() and await call.code() is grpc.StatusCode.UNAUTHENTICATED
        call.cancel()
    return DO_NOT_RETRY if refused else 0


def hello_of(start: dict[str, Any], kind: Kind) -> Any:
    """The first message, but for what says that it may come."""
    hello = kind.come()
    hello.hello.plugin, hello.hello.version = start["plugin"], start["version"]
    hello.hello.runtime = f"python {platform.python_version()}"
    return hello


async def _write(call: Any, outgoing: asyncio.Queue[Any]) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        while True:
            await call.write(await outgoing.get())
            outgoing.task_done()


async def _read(call: Any, side: PluginSide) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError):
        while (message := await call.read()) is not grpc.aio.EOF:
            side.receive(message)


async def _until_done(side: PluginSide, outgoing: asyncio.Queue[Any]) -> None:
    await side.done.wait()
    await outgoing.join()
    await asyncio.sleep(0.02)  # written is not yet sent


def die_with_parent() -> None:
    """The kernel's end ends this process too, though every thread hang and nobody read stdin. Linux."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def watch_stdin() -> None:
    """The kernel is gone, so am I: nothing is left to answer to, and a hung driver must not outlive it."""
    with contextlib.suppress(OSError, ValueError):
        while os.read(0, 4096):
            pass
    os._exit(0)


def _exporters(start: dict[str, Any]) -> Any:
    """Traces go to the collector of the deployment from here too, so that a call is seen on both sides."""
    if not start.get("otlp"):
        return None
    from bedplate.telemetry import Exporters

    return Exporters(start["otlp"], start["plugin"], str(os.getpid()), 0, traces=True)


async def _served(start: dict[str, Any], offers: dict[str, type]) -> int:
    kind = KINDS[start["kind"]]
    if not start.get("tls"):
        return await attach(start, kind, offers)
    from bedplate.remote.dial import Dial

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    dial = Dial(start["host"], start["tls"], hello_of(start, kind), kind, offers, tell)
    threading.Thread(target=dial.until_stdin_ends, daemon=True).start()
    return await dial.run()


def main() -> int:
    """Exit codes: 0 served and ended; 78 cannot start and must not be retried as is (EX_CONFIG)."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C goes to the kernel, which ends us in order
    line = bytearray()
    while not line.endswith(b"\n"):
        part = os.read(0, 1)
        if not part:
            return 0
        line += part
    start = strict_json.loads(line)
    if not start.get("tls"):
        die_with_parent()
        threading.Thread(target=watch_stdin, daemon=True).start()
    try:
        offers = load_offers(start)
    except AdmissionError as error:
        print(error, file=sys.stderr)
        return DO_NOT_RETRY
    exporters = _exporters(start)
    code = asyncio.run(_served(start, offers))
    if exporters:
        exporters.shutdown()
    sys.stderr.flush()
    os._exit(code)  # threads of blocking drivers must not hold the exit


if __name__ == "__main__":
    raise SystemExit(main())
