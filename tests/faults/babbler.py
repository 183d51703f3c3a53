"""A machine that answers, whatever it is asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def babbler(*answers: bytes, number: slice = slice(0), hangs_up: bool = False) -> Iterator[int]:
    """Gives its port. It has an answer for each question of a connection, the last one for all that follow.

    number: where the number of a question stands in it; NN in an answer becomes that · hangs_up: after each answer.
    """

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
                with connection:
                    left = list(answers)
                    while asked := connection.recv(4096):
                        answer = left.pop(0) if len(left) > 1 else left[0]
                        named = asked[number]
                        connection.sendall(answer.replace(b"NN", named) if named else answer)
                        if hangs_up:
                            break
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
