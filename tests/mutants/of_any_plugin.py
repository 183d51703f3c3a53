"""Mutants of what every plugin does: attaching, answering, opening, ending, and what it touches."""

from __future__ import annotations

from tests.mutants.mutant import CONNECTOR, Mutant, schema

SAID_HELLO = "    send(hello=hello)\n"
DIALS = '    channel = grpc.insecure_channel(start["host"])\n'
PINGED = '    if what == "ping":\n        send(replies=[ok])'
OPENS = "            self.device = Device(self.settings, deadline - time.monotonic())\n"
TIMED = "        self.sock.settimeout(max(0.01, within))"
UNREACHABLE = "            answer.code = plugin.CODE_UNREACHABLE"

ATTACHING = (
    Mutant(
        "PLG-001",
        CONNECTOR,
        "a note beside Hello",
        SAID_HELLO,
        '    send(hello=hello, notes=[plugin.Note(text="here I am")])\n',
    ),
    Mutant("PLG-002", CONNECTOR, "exit 1 for a refused token", "os._exit(78 if", "os._exit(1 if"),
    Mutant(
        "PLG-003",
        CONNECTOR,
        "dials twice",
        "    )(messages())\n",
        '    )(messages())\n    again = grpc.insecure_channel(start["host"])\n'
        '    again.stream_stream(f"/bedplate.{KIND}.v1.{KIND.capitalize()}Host/Attach", '
        "request_serializer=From.SerializeToString)(iter([From(hello=hello)])).code()\n",
    ),
    Mutant(
        "PLG-004",
        CONNECTOR,
        "counts the keys on stdin",
        DIALS,
        DIALS + "    assert len(start) == 2\n",
    ),
)
ASKS = (
    Mutant(
        "PLG-005",
        CONNECTOR,
        "OK to what it does not know",
        "        ok.answer.code = plugin.CODE_UNSUPPORTED",
        "        ok.answer.code = plugin.CODE_OK",
    ),
    Mutant(
        "PLG-006",
        CONNECTOR,
        "a later field confuses it",
        '    what = ask.WhichOneof("what")\n    ok =',
        '    what = None if b"later" in ask.SerializeToString() else ask.WhichOneof("what")\n    ok =',
    ),
    Mutant("PLG-007", CONNECTOR, "answers twice", PINGED, PINGED.replace("[ok]", "[ok, ok]")),
    Mutant(
        "PLG-008",
        CONNECTOR,
        "an answer without a code",
        PINGED,
        '    if what == "ping":\n        ok.answer.code = 0\n        send(replies=[ok])',
    ),
    Mutant(
        "PLG-009", CONNECTOR, "waits as long as it likes", TIMED, "        self.sock.settimeout(60)"
    ),
    Mutant(
        "PLG-010",
        CONNECTOR,
        "one thread for all",
        "        component(ask.component).asks.put((ask, time",
        "        time.sleep(ask.within_ms / 1000 - 4)\n        component(ask.component).asks.put((ask, time",
    ),
    Mutant(
        "PLG-011",
        CONNECTOR,
        "close waits its turn",
        "        component(ask.component).close()",
        "        time.sleep(8)\n        component(ask.component).close()",
    ),
    Mutant(
        "PLG-012",
        CONNECTOR,
        "not open is a bug",
        '                    raise ConnectionError("not open")',
        '                    raise RuntimeError("not open")',
    ),
)
OPENING = (
    Mutant(
        "PLG-013",
        CONNECTOR,
        "closes what is not open",
        "    def close(self):\n        self.let_go()",
        "    def close(self):\n        self.device.close()\n        self.let_go()",
    ),
    Mutant(
        "PLG-014",
        CONNECTOR,
        "keeps the old tags",
        "        self.tags = {tag.handle: tag for tag in ask.tags}",
        "        self.tags = self.tags or {tag.handle: tag for tag in ask.tags}",
    ),
    Mutant(
        "PLG-015",
        CONNECTOR,
        "points elsewhere",
        '"port must be a number", "/port"',
        '"port must be a number", "/host"',
    ),
    Mutant(
        "PLG-016",
        CONNECTOR,
        "connects before it looks",
        "        settings = json.loads(ask.config_json)",
        "        settings = json.loads(ask.config_json)\n        Device(settings, 5)",
    ),
    Mutant(
        "PLG-017",
        CONNECTOR,
        "a device away is a fault",
        UNREACHABLE,
        "            answer.code = plugin.CODE_FAULT",
    ),
    Mutant(
        "PLG-018",
        CONNECTOR,
        "gives up after two tries",
        OPENS,
        "            sys.argv.append('')\n            if len(sys.argv) > 5:\n"
        "                raise ConnectionError('gave up')\n" + OPENS,
    ),
    Mutant(
        "PLG-019",
        CONNECTOR,
        "does not say which tag",
        'no such characters", tag=tag.handle)',
        'no such characters")',
    ),
    Mutant(
        "PLG-020",
        CONNECTOR,
        "one object for all components",
        "        components[name] = Component(name)",
        "        components[name] = next(iter(components.values()), None) or Component(name)",
    ),
    Mutant(
        "PLG-021",
        CONNECTOR,
        "publishes for another",
        "PB.Publication(component=self.name,",
        'PB.Publication(component="another",',
    ),
    Mutant(
        "PLG-022",
        CONNECTOR,
        "declares what it has not",
        'CAN = {"open"',
        'sys.argv[2] = sys.argv[2].replace("write", "")\nCAN = {"open"',
    ),
    Mutant(
        "PLG-024",
        CONNECTOR,
        "does what it does not declare",
        "                elif what not in CAN:\n                    raise Unsupported(",
        "                elif what not in CAN:\n                    print(",
    ),
)
ENDING = (
    Mutant(
        "PLG-030",
        CONNECTOR,
        "exit 3 on Shutdown",
        "    time.sleep(0.1)\n    os._exit(0)",
        "    time.sleep(0.1)\n    os._exit(3)",
    ),
    Mutant(
        "PLG-031",
        CONNECTOR,
        "shuts down once all is answered",
        "        one.close()\n    time.sleep(0.1)",
        "        one.asks.join()\n    time.sleep(0.1)",
    ),
    Mutant(
        "PLG-032",
        CONNECTOR,
        "outlives the kernel",
        "    while os.read(0, 4096):",
        "    while os.read(0, 4096) or not time.sleep(60):",
    ),
    Mutant(
        "PLG-033",
        CONNECTOR,
        "outlives the stream",
        "    os._exit(0)\n\n\nif __name__",
        "    time.sleep(60)\n\n\nif __name__",
    ),
    Mutant(
        "PLG-034",
        CONNECTOR,
        "leaves a child behind",
        DIALS,
        DIALS + '    os.posix_spawn("/bin/sleep", ["sleep", "60"], os.environ)\n',
    ),
)
FOOTPRINT = (
    Mutant(
        "PLG-023",
        CONNECTOR,
        "forgets to close",
        "            self.device.close()\n",
        "            sys.path.append(self.device)\n",
    ),
    Mutant(
        "PLG-040",
        CONNECTOR,
        "listens",
        DIALS,
        DIALS + '    server = socket.create_server(("127.0.0.1", 0))\n',
    ),
    Mutant(
        "PLG-041",
        CONNECTOR,
        "writes into the home folder",
        DIALS,
        DIALS + '    Path.home().joinpath("notes").write_text("here I was")\n',
    ),
    Mutant(
        "PLG-042",
        CONNECTOR,
        "calls somebody",
        OPENS,
        OPENS + '            self.server = socket.create_server(("127.0.0.1", 0))\n'
        "            self.call = socket.create_connection(self.server.getsockname())\n",
    ),
    Mutant(
        "PLG-043",
        CONNECTOR,
        "prints its settings",
        "        self.settings = settings\n",
        "        self.settings = settings\n        print(settings, flush=True)\n",
    ),
)
DECLARING = (
    Mutant("PLG-101", CONNECTOR, "no such type", change={"settings": {"type": "objekt"}}),
    Mutant(
        "PLG-102",
        CONNECTOR,
        "no description",
        change={"settings": schema(port={"type": "integer"})},
    ),
    Mutant(
        "PLG-103",
        CONNECTOR,
        "a password in the open",
        change={"settings": schema(password={"type": "string", "description": "A secret."})},
    ),
    Mutant("PLG-104", CONNECTOR, "nobody to ask", change={"support": " "}),
    Mutant(
        "PLG-105",
        CONNECTOR,
        "a schema that refuses what works",
        change={"settings": schema(port={"type": "string", "description": "TCP port."})},
    ),
)
