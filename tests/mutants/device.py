"""A device that the good plugin and its mutants talk to: python device.py PORT. A line in, a line out with its CRC-32.

R a: the value at a · W a v: write it · B a: names below a · F: first sample that is still kept · G n: sample n, made as
it is asked for · S n: samples up to n may be forgotten. Values live as long as the process.
"""

import socketserver
import sys
import threading
import zlib

LOCK = threading.Lock()
VALUES = {"1": "1.5", "2": "-2.0", "3": "3.0", "fixed": "9.0"}
TREE = {"": ["1", "2", "more"], "more": ["3", "fixed"]}
KEPT = {"first": 1}


class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            with LOCK:
                text = answer(*line.decode("ascii", "replace").rstrip("\n").split(" "))
            self.wfile.write(text.encode() + b" %08x\n" % zlib.crc32(text.encode()))


def answer(word, *rest):
    match word, rest:
        case "R", [address]:
            return VALUES.get(address, "none")
        case "W", [address, value]:
            if address not in VALUES or address == "fixed":
                return "no"
            VALUES[address] = value
            return "ok"
        case "B", [address]:
            return ",".join(TREE.get(address, ["none"]))
        case "F", _:
            return str(KEPT["first"])
        case "G", [number]:
            return "gone" if int(number) < KEPT["first"] else str(int(number) * 1.0)
        case "S", [number]:
            KEPT["first"] = max(KEPT["first"], int(number) + 1)
            return "ok"
    return "what"


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that goes away is no news."""


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Talk) as server:
        server.serve_forever()
