"""The Helix connectors in JavaScript and Go, asked by a kernel: the promises of protos/README.md, one by one."""

from __future__ import annotations

import asyncio
import json
import math
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.contract.strangers import CONNECTOR, WITHIN, Stranger, plugin_host
from tests.languages.examples import Machine

from bedplate.admission.program import program
from bedplate.connector.v1 import connector_pb2
from bedplate.model import quality
from bedplate.plugin.v1 import plugin_pb2
from bedplate.wire import decode_batch, twin, value_message

CONNECTORS = ["node-connector", "go-connector"]
SPEED, WISHED, RECIPE, UNKNOWN = "1", "2", "3", "99"
Close, Ping, Shutdown = (twin(k) for k in (plugin_pb2.Close, plugin_pb2.Ping, plugin_pb2.Shutdown))
Read = twin(connector_pb2.Read)
Made = Callable[[str], Path]


class Asked(Stranger):
    """A connector's process, and asks to it."""

    async def connect(self, port: int, *addresses: str, component: str = "c") -> Any:
        """Opens a component for a machine on this port; handles are 1 … n."""
        config = json.dumps({"host": "127.0.0.1", "port": port}).encode()
        message = twin(plugin_pb2.Open)(use="helix", config_json=config, epoch=7)
        for handle, address in enumerate(addresses, 1):
            message.tags.add(handle=handle, name=f"t{handle}", address=address)
        return await self.ask(component, open=message)

    def post(self, within: float, component: str = "c", **what: Any) -> asyncio.Future[Any]:
        """Asks, and does not watch the time."""
        return self.attachment.ask_template(CONNECTOR.ask(component=component, **what), within)


def write_to(handle: int, value: Any) -> Any:
    message = twin(connector_pb2.Write)(command_id="a", tag=handle)
    message.value.MergeFromString(value_message(value).SerializeToString())
    return message


@asynccontextmanager
async def process_of(folder: Path, words: dict[str, str]) -> AsyncIterator[Any]:
    """What [run] of a plugin folder names, in another working directory, told these words."""
    run = tomllib.loads((folder / "bedplate-plugin.toml").read_text())["run"]
    process = await asyncio.create_subprocess_exec(
        *program(run["command"], folder), stdin=asyncio.subprocess.PIPE, cwd=folder.parent
    )
    try:
        assert process.stdin
        process.stdin.write(json.dumps({**words, "a later key": [1]}).encode() + b"\n")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def asked(folder: Path) -> AsyncIterator[Asked]:
    async with plugin_host() as host:
        token, expected = host.expect(CONNECTOR)
        async with process_of(folder, {"host": host.address, "token": token}) as process:
            yield Asked(process, await asyncio.wait_for(expected, WITHIN))


def code(reply: Any) -> str:
    return plugin_pb2.Code.Name(reply.answer.code).removeprefix("CODE_")


@pytest.fixture(params=CONNECTORS)
def folder(request: pytest.FixtureRequest, made: Made) -> Path:
    return made(request.param)


@pytest.mark.timeout(400)  # the first build on a machine takes minutes
async def test_it_reads_and_writes_and_says_of_each_tag_what_is_wrong(
    folder: Path, helix: Machine
) -> None:
    async with asked(folder) as one:
        said = tomllib.loads((folder / "bedplate-plugin.toml").read_text())
        assert (one.attachment.hello.plugin, one.attachment.hello.version) == (
            said["name"],
            said["version"],
        )
        assert code(await one.connect(helix.port, SPEED, WISHED, RECIPE, UNKNOWN)) == "OK"

        assert code(await one.ask(write=write_to(2, 75.0))) == "OK"
        refused = await one.ask(write=write_to(1, 75.0))
        assert (code(refused), refused.answer.text) == ("REFUSED", "register is read-only")
        assert code(await one.ask(write=write_to(2, "fast"))) == "REFUSED"

        read = (await one.read(1, 2, 3, 4)).read
        (batch,) = map(decode_batch, read.batches)
        assert batch.tags().tolist() == [1, 2, 3, 4]
        assert not len(batch.time)  # the kernel stamps
        assert batch.value.tolist()[1] == 75.0
        assert list(map(math.isnan, batch.value.tolist())) == [False, False, True, True]
        wrong = [quality.CODES["BadOutOfService"], quality.CODES["BadNotFound"]]
        assert batch.qualities().tolist() == [0, 0, *wrong]
        assert [problem.tag for problem in read.problems] == [3, 4]


async def test_wrong_settings_and_addresses_are_invalid_at_their_place(
    folder: Path, helix: Machine
) -> None:
    async with asked(folder) as one:
        answer = (await one.connect(helix.port, "1", "65536", "speed")).answer
        assert answer.code == plugin_pb2.CODE_INVALID
        assert [problem.tag for problem in answer.problems] == [2, 3]

        answer = (await one.ask(open=twin(plugin_pb2.Open)(config_json=b"{}"))).answer
        assert answer.code == plugin_pb2.CODE_INVALID
        assert [problem.pointer for problem in answer.problems] == ["/host"]
        assert code(await one.read(1)) == "UNREACHABLE"


async def test_what_is_not_known_is_unsupported_and_a_tag_that_is_not_is_not_asked_for(
    folder: Path, helix: Machine
) -> None:
    async with asked(folder) as one:
        assert code(await one.unknown()) == "UNSUPPORTED"
        await one.connect(helix.port, SPEED)
        assert code(await one.unknown()) == "UNSUPPORTED"
        assert code(await one.ask(browse=twin(connector_pb2.Browse)())) == "UNSUPPORTED"
        assert code(await one.read(2)) in ("FAULT", "UNREACHABLE")
        assert code(await one.ask(write=write_to(2, 1.0))) in ("FAULT", "UNREACHABLE")
        assert code(await one.read(1)) == "OK", "and the session goes on"


async def test_a_machine_that_goes_is_unreachable_until_it_is_opened_again(
    folder: Path, helix: Machine
) -> None:
    async with asked(folder) as one:
        assert code(await one.read(1)) == "UNREACHABLE"
        await one.connect(helix.port, SPEED)
        helix.end()
        assert code(await one.read(1)) == "UNREACHABLE"
        assert code(await one.connect(helix.port, SPEED)) == "UNREACHABLE"
        for _ in range(2):
            assert code(await one.ask(close=Close())) == "OK"
        other = Machine()
        try:
            assert code(await one.connect(other.port, SPEED)) == "OK"
            assert code(await one.read(1)) == "OK"
        finally:
            other.end()


async def test_asks_at_once_are_answered_once_each(folder: Path, helix: Machine) -> None:
    async with asked(folder) as one:
        for component in "ab":
            await one.connect(helix.port, SPEED, PACKS := "16", component=component)
        asks = [one.ask("", ping=Ping()) for _ in range(50)]
        asks += [one.ask(c, read=Read(tags=[1, 2])) for c in "ab" for _ in range(50)]
        replies = await asyncio.gather(*asks)

        assert {code(reply) for reply in replies} == {"OK"}
        assert len({reply.answer.id for reply in replies}) == 150
        assert not one.attachment.gone.done()  # a second answer would have been a breach
        assert PACKS


async def test_a_machine_that_hangs_delays_neither_ping_nor_close_nor_others(
    folder: Path, helix: Machine
) -> None:
    other = Machine()
    try:
        async with asked(folder) as one:
            await one.connect(helix.port, SPEED)
            await one.connect(other.port, SPEED, component="other")
            helix.freeze()
            hanging = one.post(30.0, read=Read(tags=[1]))
            assert code(await one.ask("", ping=Ping())) == "OK"
            assert code(await one.ask("other", read=Read(tags=[1]))) == "OK"
            assert not hanging.done()
            assert code(await one.ask(close=Close())) == "OK"
            assert code(await asyncio.wait_for(hanging, WITHIN)) == "UNREACHABLE"
    finally:
        other.end()


async def test_what_is_too_late_expires_and_is_not_carried_out(
    folder: Path, helix: Machine
) -> None:
    async with asked(folder) as one:
        await one.connect(helix.port, WISHED)
        helix.freeze()
        reading = one.post(0.5, read=Read(tags=[1]))
        assert code(await one.ask("", ping=Ping())) == "OK"  # so that the read has its turn
        late = one.post(0.1, write=write_to(1, 33.0))  # waits for its turn, and its time passes
        assert code(await asyncio.wait_for(reading, WITHIN)) == "UNREACHABLE"
        assert code(await asyncio.wait_for(late, WITHIN)) == "EXPIRED"
        helix.thaw()

        assert code(await one.connect(helix.port, WISHED)) == "OK"
        (batch,) = map(decode_batch, (await one.read(1)).read.batches)
        assert batch.value.tolist() == [60.0]


@pytest.mark.parametrize("how", ["shutdown", "stdin ends", "the kernel ends the stream"])
async def test_it_ends_in_order(folder: Path, helix: Machine, how: str) -> None:
    async with asked(folder) as one:
        await one.connect(helix.port, SPEED)
        if how == "shutdown":
            assert code(await one.ask("", shutdown=Shutdown(grace_ms=1000))) == "OK"
        elif how == "stdin ends":
            one.process.stdin.close()
        else:
            one.attachment.end("enough")

        assert await one.exit_code() == 0


async def test_a_token_that_is_not_taken_is_told_by_exit_code_78(folder: Path) -> None:
    async with (
        plugin_host() as host,
        process_of(folder, {"host": host.address, "token": "wrong"}) as process,
    ):
        assert await asyncio.wait_for(process.wait(), WITHIN) == 78
