"""What a stop leaves behind of connections that are at any point of their handshake: nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import warnings
from pathlib import Path

import pytest
from tests.remote.certificates import Authority

from bedplate.remote.credentials import Credentials
from bedplate.remote.tls_listener import TlsListener

LATER = {"do_handshake_on_connect": False, "suppress_ragged_eofs": True}


@pytest.mark.parametrize("turns", range(25))
def test_a_stop_at_any_point_of_a_handshake_lets_go_of_the_connection(
    tmp_path: Path, turns: int
) -> None:
    """turns: of the loop between the connection and the stop. asyncio warns of a transport that nobody closed."""
    authority = Authority()
    files = Credentials(authority.kernel(tmp_path / "kernel"))
    context = ssl.create_default_context(cafile=str(tmp_path / "kernel" / "ca.pem"))
    box = authority.place(tmp_path / "box", "box")
    context.load_cert_chain(box / "cert.pem", box / "key.pem")

    async def story() -> None:
        held: list[asyncio.StreamWriter] = []
        server = await asyncio.start_unix_server(
            lambda reader, writer: held.append(writer), tmp_path / "grpc.sock"
        )
        listener = TlsListener(files, tmp_path, tmp_path / "grpc.sock", lambda text: None)
        host, _, port = (await listener.start("127.0.0.1:0")).rpartition(":")
        with (
            socket.create_connection((host, int(port))),  # says nothing
            context.wrap_socket(socket.socket(), server_hostname=host, **LATER) as dialling,
        ):
            dialling.connect((host, int(port)))
            dialling.setblocking(False)
            for _ in range(turns):
                await asyncio.sleep(0)
                with contextlib.suppress(ssl.SSLWantReadError, OSError):
                    dialling.do_handshake()
            await listener.stop()
        server.close()
        for writer in held:
            writer.transport.abort()
        await asyncio.sleep(0)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(story())
        gc.collect()
    assert [str(one.message) for one in told if one.category is ResourceWarning] == []
