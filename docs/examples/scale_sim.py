"""A bench scale to try the tutorial with: python docs/examples/scale_sim.py 4001

Lines over TCP, on this machine only. "W" is answered with the weight, "T" with the tare; after "C" it sends the weight
five times a second. Somebody puts things on it and takes them off again. Port 0: any; the first line says which.
"""

import math
import socketserver
import sys
import time


class Scale(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if line.strip() == b"W":
                self.answer(weight())
            elif line.strip() == b"T":
                self.answer(0.5)
            elif line.strip() == b"C":
                while True:
                    self.answer(weight())
                    time.sleep(0.2)
            else:
                self.wfile.write(b"?\r\n")

    def answer(self, kilograms):
        self.wfile.write(f"{kilograms:8.3f} kg\r\n".encode())


def weight():
    return 12.34 + 2.5 * math.sin(time.time() / 5)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that goes away is no news."""


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Scale) as server:
        print(f"a scale at 127.0.0.1 port {server.server_address[1]}", flush=True)
        server.serve_forever()
