"""Mutants of what connectors do with a device."""

from __future__ import annotations

from tests.mutants.mutant import CONNECTOR, Mutant

OPENS = "            self.device = Device(self.settings, deadline - time.monotonic())\n"
TIMED = "        self.sock.settimeout(max(0.01, within))"
LINE = '        line = f"W {self.tags[ask.tag].address} {float(value)}"\n'
LATER = "        later = lambda: Device(self.settings, 5).ask(line, 5)\n"
UNREACHABLE = "            answer.code = plugin.CODE_UNREACHABLE"
NONSENSE = '            raise ConnectionError("the device hung up, or talks nonsense")'

READING = (
    Mutant(
        "CON-001",
        CONNECTOR,
        "every tag twice",
        "        reply.read.batches.append(batch)",
        "        reply.read.batches.extend([batch, batch])",
    ),
    Mutant(
        "CON-002",
        CONNECTOR,
        "a count that is wrong",
        "batch = record.Batch(count=len(ask.tags),",
        "batch = record.Batch(count=len(ask.tags) + 1,",
    ),
    Mutant(
        "CON-003",
        CONNECTOR,
        "a quality of no severity",
        'BAD_NOT_FOUND if text == "none" else 0)',
        'BAD_NOT_FOUND if text == "none" else 0xC0000000)',
    ),
    Mutant(
        "CON-004",
        CONNECTOR,
        "a time of 1970",
        "tag=ask.tags, data_type=1)",
        "tag=ask.tags, data_type=1, time=[1])",
    ),
    Mutant(
        "CON-005",
        CONNECTOR,
        "now a float and now an integer",
        "        reply.read.batches.append(batch)",
        "        sys.argv.append('')\n        whole = record.Batch(count=batch.count, tag=batch.tag, data_type=2)\n"
        "        whole.int64.extend(map(int, batch.float64))\n"
        "        reply.read.batches.append(batch if len(sys.argv) % 2 else whole)",
    ),
    Mutant(
        "CON-006",
        CONNECTOR,
        "a missing address is a bug",
        'math.nan if text == "none" else float(text)',
        "float(text)",
    ),
    Mutant("CON-007", CONNECTOR, "a wrong sign", "else float(text))", "else -float(text))"),
    Mutant(
        "CON-008",
        CONNECTOR,
        "a hundred tags at most",
        "        codes = []",
        "        codes = [] if len(ask.tags) <= 100 else None",
    ),
)
PUSHING = (
    Mutant(
        "CON-020",
        CONNECTOR,
        "pushes at once",
        OPENS,
        OPENS + "            self.subscribe(ask, reply, deadline)\n",
    ),
    Mutant(
        "CON-021",
        CONNECTOR,
        "no credit means eight",
        "threading.Semaphore(ask.credit)",
        "threading.Semaphore(ask.credit or 8)",
    ),
    Mutant(
        "CON-022",
        CONNECTOR,
        "credit for the first only",
        "                if not credit.acquire(timeout=0.05):",
        "                if not seq and not credit.acquire(timeout=0.05):",
    ),
    Mutant(
        "CON-023",
        CONNECTOR,
        "ignores receipts",
        "        for _ in range(receipt.credit):",
        "        for _ in range(0):",
    ),
    Mutant("CON-024", CONNECTOR, "numbers from two", "producer_seq=seq,", "producer_seq=seq + 1,"),
    Mutant(
        "CON-025", CONNECTOR, "handles of its own", "tag=[handle], time", "tag=[handle + 100], time"
    ),
    Mutant(
        "CON-026",
        CONNECTOR,
        "goes on after Close",
        "        self.session += 1\n",
        "        self.session += 0\n",
    ),
    Mutant(
        "CON-027",
        CONNECTOR,
        "lost without a word",
        "            if session == self.session:\n                send(notes",
        "            if False:\n                send(notes",
    ),
    Mutant(
        "CON-028",
        CONNECTOR,
        "forgets before it is on disk",
        "                seq += 1\n",
        '                seq += 1\n                device.ask(f"S {number}", 5)\n',
    ),
)
WRITING = (
    Mutant(
        "CON-030",
        CONNECTOR,
        "writes nothing",
        '        if self.device.ask(line, deadline - time.monotonic()) != "ok":',
        '        if self.device.ask("R 1", deadline - time.monotonic()) == "no":',
    ),
    Mutant(
        "CON-031",
        CONNECTOR,
        "tries again by itself",
        LINE,
        LINE + LATER + "        threading.Timer(0.5, later).start()\n",
    ),
    Mutant(
        "CON-032",
        CONNECTOR,
        "writes when it can",
        LINE,
        LINE + LATER + "        threading.Timer(1.6, later).start()\n",
    ),
    Mutant(
        "CON-033",
        CONNECTOR,
        "a no ends the session",
        '            raise Refused("the device said no")',
        '            raise ConnectionError("the device said no")',
    ),
    Mutant(
        "CON-034",
        CONNECTOR,
        "a text is a bug",
        '            raise Refused("no number")',
        '            raise RuntimeError("no number")',
    ),
)
RECORDING = (
    Mutant(
        "CON-090",
        CONNECTOR,
        "one value more than was asked for",
        "        first, last = -(-since // RECORDED), -(-until // RECORDED)",
        "        first, last = -(-since // RECORDED), -(-until // RECORDED) + 1",
    ),
    Mutant(
        "CON-091",
        CONNECTOR,
        "an answer that goes on where the last one ended",
        '        start = max(first, int(ask.page or b"0"))',
        '        start = max(first, int(ask.page or b"0"), getattr(self, "told", 0))\n'
        "        self.told = min(start + 50, last)",
    ),
)
BROWSING = (
    Mutant(
        "CON-040",
        CONNECTOR,
        "goes to the bottom",
        "            if inner and depth > 1:",
        "            if inner:",
    ),
    Mutant(
        "CON-041",
        CONNECTOR,
        "addresses that are none",
        "            found.append((name, path + name, inner))",
        '            found.append((name if inner else "x" + name, path + name, inner))',
    ),
    Mutant(
        "CON-042",
        CONNECTOR,
        "nothing is OK",
        '            raise Refused("no such node")',
        "            return",
    ),
)
CHAOS = (
    Mutant(
        "CON-080",
        CONNECTOR,
        "exits with its device",
        "session == self.session:\n                    self.let_go()",
        "session == self.session:\n                    os._exit(1)",
    ),
    Mutant(
        "CON-081",
        CONNECTOR,
        "a reset is a no",
        UNREACHABLE,
        "            answer.code = plugin.CODE_REFUSED",
    ),
    Mutant(
        "CON-082", CONNECTOR, "waits for who vanished", TIMED, "        self.sock.settimeout(60)"
    ),
    Mutant("CON-083", CONNECTOR, "waits for who froze", TIMED, "        self.sock.settimeout(60)"),
    Mutant(
        "CON-084",
        CONNECTOR,
        "takes half a line for a whole",
        "        got = self.file.readline()\n",
        '        got = self.file.read1(99).split(b" ")[0]\n        got += b" %08x\\n" % zlib.crc32(got)\n',
    ),
    Mutant("CON-085", CONNECTOR, "exits on nonsense", NONSENSE, "            os._exit(1)"),
    Mutant(
        "CON-086",
        CONNECTOR,
        "nonsense is a bug",
        NONSENSE,
        '            raise RuntimeError("nonsense")',
    ),
    Mutant(
        "CON-089",
        CONNECTOR,
        "a socket for each try",
        OPENS,
        "            sys.path.append(socket.socket())\n" + OPENS,
    ),
)
