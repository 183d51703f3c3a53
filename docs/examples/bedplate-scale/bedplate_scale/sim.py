"""A bench scale for your desk: python -m bedplate_scale.sim [PORT]. Port 0: any; the first line says which.

Somebody puts things on it and takes them off again. It listens on this machine only.
"""

import contextlib
import math
import socketserver
import sys
import threading
import time

PORT = 4001


class Machine(socketserver.ThreadingTCPServer):
    """`with Machine() as machine:` serves it from a thread. frozen: it hears, and says nothing."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        self.values = {"W": 12.34, "T": 0.5}
        self.frozen = False
        self.connections: list[Conversation] = []
        super().__init__(("127.0.0.1", port), Conversation)
        self.port: int = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def server_close(self) -> None:
        self.shutdown()
        self.cut()
        super().server_close()

    def cut(self) -> None:
        """Ends every connection, as somebody who pulls the plug."""
        for one in self.connections:
            with contextlib.suppress(OSError):
                one.connection.shutdown(2)

    def answer(self, letter: str) -> str:
        return f"{self.values[letter]:8.3f} kg" if letter in self.values else "?"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news."""


class Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    server: Machine

    def handle(self) -> None:
        self.server.connections.append(self)
        for line in self.rfile:
            if not self.server.frozen:
                self.wfile.write(f"{self.server.answer(line.decode().strip())}\r\n".encode())


def main() -> None:
    with Machine(int(sys.argv[1]) if sys.argv[1:] else PORT) as machine:
        print(f"a scale at 127.0.0.1 port {machine.port}; Ctrl-C ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(0.1)
                machine.values["W"] = 12.34 + 2.5 * math.sin(time.time() / 5)


if __name__ == "__main__":
    main()
