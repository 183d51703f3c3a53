"""A my-thing machine for your desk: python -m bedplate_my_thing.sim [PORT]. Port 0: any; the first line says which.

It listens on this machine only. Its temperature follows the setpoint, slowly.
"""

import contextlib
import socketserver
import sys
import threading
import time

PORT = 9100


class Machine(socketserver.ThreadingTCPServer):
    """Values by name; `with Machine() as machine:` serves them from a thread. frozen: it hears, and says nothing."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        self.values = {"temperature": 20.0, "setpoint": 25.0}
        self.read_only = {"temperature"}
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
        """Ends every connection, as a restart of the machine would."""
        for one in self.connections:
            with contextlib.suppress(OSError):
                one.connection.shutdown(2)

    def answer(self, line: str) -> str:
        match line.split():
            case ["LIST"]:
                return " ".join(self.values)
            case ["GET", name] if name in self.values:
                return f"{self.values[name]:.3f}"
            case ["SET", name, _] if name in self.read_only:
                return "ERR read only"
            case ["SET", name, value] if name in self.values:
                self.values[name] = float(value)
                return "OK"
            case ["GET" | "SET", *_]:
                return "ERR no such value"
        return "ERR unknown command"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news."""


class Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    server: Machine

    def handle(self) -> None:
        self.server.connections.append(self)
        for line in self.rfile:
            if not self.server.frozen:
                self.wfile.write(f"{self.server.answer(line.decode())}\n".encode())


def main() -> None:
    with Machine(int(sys.argv[1]) if sys.argv[1:] else PORT) as machine:
        print(f"a my-thing at 127.0.0.1 port {machine.port}; Ctrl-C ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(0.2)
                values = machine.values
                values["temperature"] += (values["setpoint"] - values["temperature"]) * 0.02


if __name__ == "__main__":
    main()
