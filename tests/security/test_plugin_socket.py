"""The plugins' socket, dialled by another user of the machine."""

from __future__ import annotations

import array
import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.contract.strangers import CONNECTOR, hello, plugin_host
from tests.door.frames import PREFACE, SETTINGS, call, frame, message, outcome

PYTHON = "/usr/bin/python3"  # one that everybody can reach
NOBODY = 65534
DIAL = """
import array, socket, sys
dialled, there = socket.socket(socket.AF_UNIX), socket.socket(fileno=0)
try:
    dialled.connect(sys.argv[1])
except OSError as error:
    sys.exit(str(error.errno))
rights = array.array("i", [dialled.fileno()])
there.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
"""


@contextmanager
def dialled_by_another(path: str) -> Iterator[socket.socket]:
    """A connection that user nobody has made. Raises OSError as it went for him."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = subprocess.run(
            [PYTHON, "-I", "-S", "-c", DIAL, path],
            stdin=theirs,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OSError(int(done.stderr), os.strerror(int(done.stderr)))
        room = socket.CMSG_SPACE(array.array("i").itemsize)
        _, [(_, _, rights)], _, _ = ours.recvmsg(1, room)
    with socket.socket(fileno=int.from_bytes(rights[:4], "little")) as made:
        made.settimeout(10)
        yield made


def attach(connection: socket.socket, token: str) -> str:
    """How an Attach with this token ends."""
    connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + call(1, CONNECTOR.method, ""))
    connection.sendall(message(1, hello(token), end=False))
    return outcome(connection)


@pytest.mark.case("A04")
@pytest.mark.skipif(
    os.geteuid() != 0 or not Path(PYTHON).exists(),
    reason="NOT TESTED HERE: needs root, to become another user, and a Python that he can reach",
)
async def test_another_user_is_kept_out_by_the_folder_and_without_it_by_the_token() -> None:
    async with plugin_host() as host:
        token, expected = host.expect(CONNECTOR)
        path = host.address.removeprefix("unix:")

        def dial(shown: str) -> str:
            with dialled_by_another(path) as connection:
                return attach(connection, shown)

        with pytest.raises(PermissionError):
            await asyncio.to_thread(dial, token)

        Path(path).parent.chmod(0o777)
        Path(path).chmod(0o777)
        for guess in ("", "f" * 64, token[:-1]):
            assert await asyncio.to_thread(dial, guess) == "grpc 16"  # UNAUTHENTICATED
        assert not expected.done()
        expected.cancel()
