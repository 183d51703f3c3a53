"""What happens in a plant, and what people should be told: how many lines, the first of them, whose it is, how many
alarms, and at what priority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.causes.acme import AT, S, bad, fault, gone, meters, presses, refused, silent

from bedplate.model import quality
from bedplate.runtime.causes import Fact, Kind, Whose

W = Whose
SEGV = "process of bedplate-opcua was killed by SIGSEGV, a fault in native code"
ENDED = "process of bedplate-opcua ended with exit code 1"
NO_BROKER = "broker.acme.example:8883 took no connection"


def held(count: int) -> list[Fact]:
    ids = (f"press-{n:02}" for n in range(1, count + 1))
    return [Fact(id_, Kind.STORAGE, "degraded", AT + S, "the disk is full") for id_ in ids]


@dataclass(frozen=True)
class Situation:
    """line: of the first cause, without its subject; * for the rest · off: ids that nobody expects to speak."""

    name: str
    facts: Sequence[Fact]
    subject: str
    line: str
    whose: Whose
    causes: int = 1
    alarms: int = 1
    priority: str = "medium"
    off: Sequence[str] = ()


SITUATIONS = (
    Situation(
        "the switch of line 2 dies, with nine devices on it, one is set aside",
        presses(11, 19),
        "line2",
        "9 of 9 devices silent within 0.8 s at 02:14:07 UTC, all of them in "
        "10.20.1.21-29 and nobody else: look at their switch",
        W.NETWORK,
        priority="high",
        off=("press-20",),
    ),
    Situation(
        "half a line dies at once",
        presses(11, 15),
        "10.20.1.21-25",
        "5 of 5 devices silent within 0.4 s at 02:14:07 UTC, all of them in "
        "10.20.1.21-25 and nobody else: look at their switch",
        W.NETWORK,
        priority="high",
    ),
    Situation(
        "three devices with neighbours between them die at once",
        [silent("press-03"), silent("press-07", 0.2), silent("press-12", 0.4)],
        "press-03",
        "3 of 10 devices silent within 0.4 s at 02:14:07 UTC, in 10.20.1.13-22, others "
        "between them answer: look at what press-03, press-07, press-12 share",
        W.NETWORK,
        priority="high",
    ),
    Situation(
        "two devices die five minutes apart",
        [silent("press-03"), silent("press-07", 300)],
        "press-03",
        "unreachable: did not answer",
        W.DEVICE,
        causes=2,
        alarms=2,
    ),
    Situation(
        "one device dies",
        [silent("press-12", reason="10.20.1.22:4840: no route to host")],
        "press-12",
        "unreachable: 10.20.1.22:4840: no route to host",
        W.NETWORK,
    ),
    Situation(
        "a device restarts its server",
        [silent("press-12", reason="10.20.1.22:4840: connection refused")],
        "press-12",
        "unreachable: 10.20.1.22:4840: connection refused",
        W.DEVICE,
    ),
    Situation(
        "a gateway with nine meters dies",
        meters(*range(1, 10)),
        "10.20.9.1:502",
        "9 of 9 devices silent within 0.8 s at 02:14:07 UTC, behind 10.20.9.1:502: look "
        "at 10.20.9.1:502, not at the devices (did not answer)",
        W.DEVICE,
        priority="high",
    ),
    Situation(
        "two of nine units on a bus die",
        meters(3, 4, reason="unit 3 at 10.20.9.1:502 did not answer"),
        "meter-03",
        "2 of 9 devices silent within 0.1 s at 02:14:07 UTC, behind 10.20.9.1:502; the "
        "others answer: look at meter-03, meter-04 and their bus, not at the gateway",
        W.DEVICE,
        priority="high",
    ),
    Situation(
        "one unit of nine dies",
        meters(3, reason="unit 3 at 10.20.9.1:502 did not answer"),
        "meter-03",
        "unreachable: unit 3 at 10.20.9.1:502 did not answer; 8 others at 10.20.9.1:502 answer",
        W.DEVICE,
    ),
    Situation(
        "somebody pulls the cable of this machine",
        [*presses(1, 40, heard=5.0), *meters(*range(1, 10)), silent("packer-1"), silent("packer-2")],
        "berlin",
        "all 51 devices silent within 3.9 s at 02:14:07 UTC, 3 networks: look at this "
        "machine's own network",
        W.NETWORK,
        priority="high",
    ),
    Situation(
        "a plant starts while a line has no power",
        presses(21, 30, heard=None),
        "line3",
        "10 of 10 devices silent since 02:14:07 UTC, all of them in 10.20.1.31-40 and "
        "nobody else: look at their switch",
        W.NETWORK,
        priority="high",
    ),
    Situation(
        "a plant starts while three presses here and there are off",
        [silent("press-03", heard=None), silent("press-07", heard=None), silent("press-31", heard=None)],
        "press-03",
        "unreachable: did not answer",
        W.DEVICE,
        causes=3,
        alarms=3,
    ),
    Situation(
        "a process of ten presses crashes",
        [fault(f"press-{n:02}", SEGV, n / 100) for n in range(1, 11)],
        "line1",
        "faulted: process of bedplate-opcua was killed by SIGSEGV, a fault in native "
        "code; hits 10 components: press-01, press-02, press-03 and 7 more",
        W.PLUGIN,
        alarms=0,  # the fault's own alarm: tests/runtime/test_endings.py, test_live_causes.py
    ),
    Situation(
        "one bug in two processes",
        [fault("packer-1", "ValueError: register 16 is odd"), fault("packer-2", "ValueError: register 17 is odd", 900)],
        "helix",
        "faulted: ValueError: register 16 is odd; hits packer-1, packer-2 in 2 processes "
        "(helix-1, helix-2)",
        W.PLUGIN,
        alarms=0,
    ),
    Situation(
        "a plugin's files were changed",
        [fault("packer-1", "PLUGIN_MODIFIED: bedplate-helix 1.0 is not what was trusted")],
        "packer-1",
        "faulted: PLUGIN_MODIFIED: bedplate-helix 1.0 is not what was trusted",
        W.PERSON,
        alarms=0,
    ),
    Situation(
        "a password is wrong for all presses",
        [refused(f"press-{n:02}", f"10.20.1.{10 + n} refuses user bedplate") for n in range(1, 41)],
        "presses",
        "invalid: 10.20.1.11 refuses user bedplate; hits 40 "
        "components: press-01, press-02, press-03 and 37 more (presses.csv:2)",
        W.CONFIGURATION,
    ),
    Situation(
        "a node is gone from one machine's program",
        [bad("press-07")],
        "press-07/temperature",
        "Bad: the machine's program no longer has this node (BadNodeIdUnknown)",
        W.MACHINE_PROGRAM,
        priority="low",
    ),
    Situation(
        "a node that no press ever had",
        [bad(f"press-{n:02}", gone(had=False)) for n in range(1, 41)],
        "presses",
        "Bad: temperature of 40 components: press-01, press-02, press-03 and 37 more: "
        "the machine has no such node (BadNodeIdUnknown)",
        W.CONFIGURATION,
        priority="low",
    ),
    Situation(
        "a sensor breaks",
        [bad("press-07", gone("pressure", quality.CODES["BadSensorFailure"], "wire broken"))],
        "press-07/pressure",
        "Bad: wire broken (BadSensorFailure)",
        W.DEVICE,
        priority="low",
    ),
    Situation(
        "a unit of a device with several is silent",
        [bad("meter-01", *[gone(n, quality.BAD_NO_COMMUNICATION, "unit 7 is silent") for n in ("power", "energy")])],
        "meter-01",
        "Bad: 2 of 5 tags, energy, power: unit 7 is silent (BadNoCommunication)",
        W.DEVICE,
        priority="low",
    ),
    Situation(
        "the broker of two sinks is away",
        [silent("cloud", reason=NO_BROKER), silent("mes", 1, NO_BROKER)],
        "broker.acme.example:8883",
        "unreachable: broker.acme.example:8883 took no connection; cloud and mes wait for it",
        W.READER,
        priority="high",
    ),
    Situation(
        "the broker of one sink is away",
        [silent("cloud", reason=NO_BROKER)],
        "cloud",
        "unreachable: broker.acme.example:8883 took no connection; 13 d 19 h of room",
        W.READER,
    ),
    Situation(
        "the history's disk is full",
        [silent("history", reason="no space left on device")],
        "history",
        "unreachable: no space left on device",
        W.STORAGE,
        priority="high",
    ),
    Situation(
        "the journal's disk is full, and holds up who pushes",
        [Fact("", Kind.STORAGE, "NOT STORED", AT, "the disk is full"), *held(5)],
        "journal",
        "NOT STORED: the disk is full; holds up 5 components: press-01, press-02, "
        "press-03 and 2 more",
        W.STORAGE,
        alarms=0,  # journal_watch.py
    ),
    Situation(
        "a program elsewhere does not dial in",
        [Fact(f"packer-{n}", Kind.AWAY, "unreachable", AT, "the program elsewhere is away") for n in (1, 2)],
        "helix-1",
        "unreachable: the program elsewhere is away; hits packer-1",
        W.NETWORK,
        causes=2,
        alarms=2,
    ),
    Situation(
        "a device is slow",
        [Fact("press-07", Kind.SLOW, "degraded", AT, "read has not answered for 4 s")],
        "press-07",
        "degraded: read has not answered for 4 s",
        W.DEVICE,
        alarms=0,
    ),
    Situation(
        "a sink lags",
        [Fact("cloud", Kind.BEHIND, "behind", AT, "9,000 records wait for it")],
        "cloud",
        "behind: 9,000 records wait for it",
        W.READER,
        alarms=0,
    ),
    Situation(
        "the audit log can't be written",
        [Fact("", Kind.PLATFORM, "", AT, "the audit log can't be written, so nothing can be changed")],
        "platform",
        "the audit log can't be written, so nothing can be changed",
        W.BEDPLATE,
        alarms=0,
    ),
    Situation(
        "a switch dies while a process crashes elsewhere and a node is gone",
        [*presses(11, 20), *[fault(f"press-{n:02}", ENDED) for n in range(1, 11)], bad("press-33")],
        "line1",
        "faulted: process of bedplate-opcua ended with exit code 1; hits 10 components: "
        "press-01, press-02, press-03 and 7 more",
        W.PLUGIN,
        causes=3,
        alarms=2,
        priority="high",
    ),
)  # fmt: skip
