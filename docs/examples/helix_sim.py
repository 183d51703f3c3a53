"""A Helix packaging machine to try connectors with: python docs/examples/helix_sim.py 9100

HLX over TCP, on this machine only. A frame is: length u16, function u8, body; big endian. Function 1 reads: registers
u16 … → for each a status u8 and a value f64. Function 2 writes: register u16, value f64 → a status. Status 0 is good,
1 machine busy, 2 no such register in this firmware, 3 register is read-only. Port 0: any; the first line says which.

    1  speed, packs a minute         16  packs made since the start
    2  wished speed, can be written  49  temperature of the sealing bar, degrees Celsius
    3  register of the recipe, busy
"""

import math
import socketserver
import struct
import sys
import time

SPEED, WISHED, RECIPE, PACKS, TEMPERATURE = 1, 2, 3, 16, 49
GOOD, BUSY, UNKNOWN, READ_ONLY = range(4)


class Machine:
    def __init__(self):
        self.wished = 60.0
        self.packs = 0.0
        self.counted = time.monotonic()

    def read(self, register):
        now = time.monotonic()
        self.packs += (now - self.counted) * self.wished / 60
        self.counted = now
        known = {
            SPEED: self.wished + math.sin(now),
            WISHED: self.wished,
            PACKS: float(math.floor(self.packs)),
            TEMPERATURE: 180 + 2.5 * math.sin(now / 5),
        }
        if register == RECIPE:
            return BUSY, 0.0
        return (GOOD, known[register]) if register in known else (UNKNOWN, 0.0)

    def write(self, register, value):
        if register == WISHED:
            self.wished = value
            return GOOD
        return BUSY if register == RECIPE else UNKNOWN if self.read(register)[0] else READ_ONLY


class Session(socketserver.BaseRequestHandler):
    def handle(self):
        stream = self.request.makefile("rb")
        while len(head := stream.read(3)) == 3:
            size, function = struct.unpack(">HB", head)
            body = stream.read(size - 1)
            if function == 1 and len(body) % 2 == 0:
                asked = [self.server.machine.read(n) for (n,) in struct.iter_unpack(">H", body)]
                answer = b"".join(struct.pack(">Bd", *one) for one in asked)
            elif function == 2 and len(body) == 10:
                answer = bytes([self.server.machine.write(*struct.unpack(">Hd", body))])
            else:
                return
            self.request.sendall(struct.pack(">HB", 1 + len(answer), function) + answer)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    machine = Machine()

    def handle_error(self, request, client_address):
        """A client that goes away is no news."""


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Session) as server:
        print(f"a Helix machine at 127.0.0.1 port {server.server_address[1]}", flush=True)
        server.serve_forever()
