"""A plugin on the bare contract that keeps all of it: python good.py KIND CAPABILITIES. A mutant changes a line.

It uses the generated messages and gRPC, and no code of bedplate.remote. A thread for each component; Close and Ping are
answered by the thread that reads the stream.
"""

import contextlib
import json
import math
import os
import queue
import socket
import struct
import sys
import threading
import time
import zlib
from pathlib import Path

import grpc

from bedplate.analytic.v1 import analytic_pb2
from bedplate.connector.v1 import connector_pb2
from bedplate.plugin.v1 import plugin_pb2 as plugin
from bedplate.record.v1 import record_pb2 as record
from bedplate.security.v1 import security_pb2

KIND = sys.argv[1]
CAN = {"open", "process", "authorize", *sys.argv[2].split(",")}
PB = {"connector": connector_pb2, "analytic": analytic_pb2, "security": security_pb2}[KIND]
To, From = (getattr(PB, way + KIND.capitalize()) for way in ("To", "From"))
BAD_NOT_FOUND = 0x803E0000
RECORDED = 10**10  # ns between two values that the device kept
NOTE = 4  # kind of an event
outgoing = queue.Queue()


class Invalid(Exception):
    """pointer, or handle of a tag."""

    def __init__(self, text, pointer="", tag=0):
        super().__init__(text)
        self.pointer, self.tag = pointer, tag


class Refused(Exception):
    pass


class Unsupported(Exception):
    pass


class Device:
    """One connection to the device."""

    def __init__(self, settings, within):
        self.sock = socket.create_connection(("127.0.0.1", settings["port"]), within)
        self.file = self.sock.makefile("rb")

    def ask(self, line, within):
        self.sock.settimeout(max(0.01, within))
        self.sock.sendall(line.encode() + b"\n")
        got = self.file.readline()
        text, _, check = got.strip().rpartition(b" ")
        if not got.endswith(b"\n") or check != b"%08x" % zlib.crc32(text):
            raise ConnectionError("the device hung up, or talks nonsense")
        return text.decode()

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.file.close()
        self.sock.close()


class Component:
    """From its first Open to the end of the process."""

    def __init__(self, name):
        self.name = name
        self.asks = queue.Queue()
        self.device = None
        self.opened = False
        self.tags = {}
        self.session = 0
        self.credit = threading.Semaphore(0)
        self.synced = 0
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            ask, deadline = self.asks.get()
            reply = PB.Reply()
            reply.answer.id, reply.answer.code = ask.id, plugin.CODE_OK
            what = ask.WhichOneof("what")
            session = self.session
            try:
                if time.monotonic() > deadline:
                    reply.answer.code = plugin.CODE_EXPIRED
                elif what not in CAN:
                    raise Unsupported("an ask that is not known")
                elif not self.opened and what != "open":
                    raise ConnectionError("not open")
                else:
                    getattr(self, what)(getattr(ask, what), reply, deadline)
            except Exception as error:  # noqa: BLE001  a bug of its own is a FAULT, told as one
                explain(error, reply.answer)
                if isinstance(error, OSError) and session == self.session:
                    self.let_go()
            send(replies=[reply])

    def let_go(self):
        self.session += 1
        self.opened = False
        if self.device:
            self.device.close()
        self.device = None

    def close(self):
        self.let_go()

    # every kind

    def open(self, ask, reply, deadline):
        self.let_go()
        settings = json.loads(ask.config_json)
        for pointer, value in ask.secrets.items():
            settings[pointer[1:]] = value.decode()
        if not isinstance(settings.get("port", 0), int):
            raise Invalid("port must be a number", "/port")
        if not isinstance(settings.get("limit", 0), (int, float)):
            raise Invalid("limit must be a number", "/limit")
        self.settings = settings
        self.credit = threading.Semaphore(ask.credit)
        getattr(self, "open_" + KIND)(ask, reply, deadline)
        self.opened = True
        if KIND != "security":
            reply.open.SetInParent()

    # connector

    def open_connector(self, ask, reply, deadline):
        self.tags = {tag.handle: tag for tag in ask.tags}
        for tag in ask.tags:
            if not tag.address.isprintable():
                raise Invalid("an address has no such characters", tag=tag.handle)
        if "folder" in self.settings:
            self.open_history(reply)
        if "port" in self.settings:
            self.device = Device(self.settings, deadline - time.monotonic())

    def read(self, ask, reply, deadline):
        batch = record.Batch(count=len(ask.tags), tag=ask.tags, data_type=1)
        codes = []
        for handle in ask.tags:
            text = self.device.ask("R " + self.tags[handle].address, deadline - time.monotonic())
            batch.float64.append(math.nan if text == "none" else float(text))
            codes.append(BAD_NOT_FOUND if text == "none" else 0)
        batch.quality.extend(codes)
        reply.read.batches.append(batch)

    def write(self, ask, reply, deadline):
        if ask.tag not in self.tags or ask.value.WhichOneof("of") not in ("float64", "int64"):
            raise Refused("no number")
        value = getattr(ask.value, ask.value.WhichOneof("of"))
        line = f"W {self.tags[ask.tag].address} {float(value)}"
        if self.device.ask(line, deadline - time.monotonic()) != "ok":
            raise Refused("the device said no")

    def browse(self, ask, reply, deadline):
        found = []
        self.below(ask.below, "", max(1, ask.depth), found, deadline)
        start = int(ask.page or b"0")
        for address, path, inner in found[start : start + 2]:
            name = path.rpartition("/")[2]
            reply.browse.nodes.add(
                address=address, name=name, path=path, has_children=inner, is_variable=not inner
            )
        if start + 2 < len(found):
            reply.browse.next_page = b"%d" % (start + 2)
        reply.browse.SetInParent()

    def read_history(self, ask, reply, deadline):
        since, until = getattr(ask, "from"), ask.to
        first, last = -(-since // RECORDED), -(-until // RECORDED)
        start = max(first, int(ask.page or b"0"))
        numbers = range(start, min(start + 50, last))
        for handle in ask.tags:
            batch = reply.read_history.batches.add(count=len(numbers), tag=[handle], data_type=1)
            batch.time.extend(n * RECORDED for n in numbers)
            batch.float64.extend(float(n) for n in numbers)
        if start + 50 < last:
            reply.read_history.next_page = b"%d" % (start + 50)
        reply.read_history.SetInParent()

    def below(self, address, path, depth, found, deadline):
        names = self.device.ask("B " + address, deadline - time.monotonic())
        if names == "none":
            raise Refused("no such node")
        for name in names.split(","):
            inner = name == "more"
            found.append((name, path + name, inner))
            if inner and depth > 1:
                self.below(name, path + name + "/", depth - 1, found, deadline)

    def subscribe(self, ask, reply, deadline):
        threading.Thread(target=self.push, args=(self.session,), daemon=True).start()

    def push(self, session):
        credit, seq, first = self.credit, 0, 0
        handle = next(iter(self.tags))
        self.synced = 0
        device = None
        try:
            device = Device(self.settings, 5)
            first = int(device.ask("F", 5))
            while session == self.session:
                device.ask("R 1", 5)
                if seq and self.synced:
                    device.ask(f"S {first + self.synced - 1}", 5)
                if not credit.acquire(timeout=0.05):
                    continue
                if session != self.session:
                    return
                number = first + seq
                value = float(device.ask(f"G {number}", 5))
                seq += 1
                batch = record.Batch(count=1, tag=[handle], time=[number * 10**9], data_type=1)
                batch.float64.append(value)
                send(
                    publications=[
                        PB.Publication(component=self.name, producer_seq=seq, batch=batch)
                    ]
                )
                time.sleep(0.02)
        except OSError as error:
            if session == self.session:
                send(notes=[plugin.Note(component=self.name, lost=True, text=str(error), code=3)])
        finally:
            if device:
                device.close()

    def receipt(self, receipt):
        self.synced = max(self.synced, receipt.synced)
        for _ in range(receipt.credit):
            self.credit.release()

    # history

    def open_history(self, reply):
        folder = Path(self.settings["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{self.name}.json"
        self.position, self.samples = 0, {}
        if self.file.exists():
            self.position, self.samples = json.loads(self.file.read_text())
        reply.open.position = self.position
        self.paths = {}

    def deliver(self, ask, reply, deadline):
        for table in ask.tables:
            self.paths.update({tag.handle: tag.path for tag in table.tags})
        for one in ask.records:
            if one.position <= self.position or one.WhichOneof("body") != "batch":
                continue
            quality = list(one.batch.quality) or [0] * one.batch.count
            rows = zip(one.batch.time, map(packed, one.batch.float64), quality, strict=True)
            for handle, row in zip(one.batch.tag, rows, strict=True):
                self.samples.setdefault(self.paths[handle], []).append(row)
        self.position = max([self.position, *(one.position for one in ask.records)])
        self.position = max(self.position, ask.until)
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps([self.position, self.samples]))
        part.rename(self.file)
        reply.deliver.position = self.position

    def query(self, ask, reply, deadline):
        if "folder" not in self.settings:
            raise Refused("no folder")
        rows = [row for path in ask.selectors for row in self.samples.get(path, [])]
        rows = [row for row in rows if getattr(ask, "from") <= row[0] < ask.to]
        for start in range(0, len(rows), 20):
            page = PB.Reply()
            page.answer.id, page.answer.code = reply.answer.id, plugin.CODE_OK
            page.query.tags.add(handle=1, path=ask.selectors[0], data_type=1)
            part = rows[start : start + 20]
            batch = page.query.batches.add(count=len(part), tag=[1], data_type=1)
            batch.time.extend(row[0] for row in part)
            batch.float64.extend(unpacked(row[1]) for row in part)
            batch.quality.extend(row[2] for row in part)
            page.query.next_page = b"more"
            send(replies=[page])
        reply.query.progress = 1.0

    # analytic

    def open_analytic(self, ask, reply, deadline):
        self.assets = [asset.path for asset in ask.assets]
        self.sums = dict.fromkeys(self.assets, (0.0, 0))
        for state in ask.states:
            version, _, rest = state.value.partition(b" ")
            if version != b"v1":
                raise Invalid("the state is of another version")
            total, count = rest.split()
            self.sums[state.key] = (float(total), int(count))
        for index, _ in enumerate(self.assets):
            reply.open.outputs.add(asset=index, name="sum", data_type=1)
        self.paths, self.outputs = {}, {}

    def process(self, ask, reply, deadline):
        for index, handle in enumerate(ask.outputs):
            self.outputs[self.assets[index]] = handle
        for table in ask.tables:
            self.paths.update({tag.handle: tag.path for tag in table.tags})
        for one in ask.records:
            if one.WhichOneof("body") == "batch":
                self.take(one.batch, reply)
        for asset, (total, count) in self.sums.items():
            reply.process.states.add(key=asset, value=f"v1 {total!r} {count}".encode())
        reply.process.SetInParent()

    def take(self, batch, reply):
        quality = list(batch.quality) or [0] * batch.count
        columns = zip(batch.tag, batch.time, batch.float64, quality, strict=False)  # only numbers
        for handle, when, value, code in columns:
            asset = self.paths[handle].rpartition("/")[0]
            if asset not in self.sums or code & 0x80000000 or not math.isfinite(value):
                continue
            total, count = self.sums[asset]
            total, count = total + value, count + 1
            self.sums[asset] = (total, count)
            out = reply.process.batches.add(count=1, data_type=1)
            out.tag.append(self.outputs[asset])
            out.time.append(when)
            out.float64.append(total)
            if value >= 5:
                source = asset + "/high"
                reply.process.events.add(source=source, kind=NOTE, time=when, text="high")

    # security

    def open_security(self, ask, reply, deadline):
        pass

    def authorize(self, ask, reply, deadline):
        for check in ask.checks:
            allowed = not check.action.startswith("admin.") or "admin" in ask.subject.roles
            verdict = 1 if allowed else 2
            reply.decisions.add(verdict=verdict, reason="" if allowed else "only for admins")


def packed(value):
    return struct.pack("<d", value).hex()


def unpacked(text):
    return struct.unpack("<d", bytes.fromhex(text))[0]


def explain(error, answer):
    answer.text = str(error) or type(error).__name__
    match error:
        case Invalid():
            answer.code = plugin.CODE_INVALID
            answer.problems.add(pointer=error.pointer, tag=error.tag, text=str(error))
        case Refused():
            answer.code = plugin.CODE_REFUSED
        case Unsupported():
            answer.code = plugin.CODE_UNSUPPORTED
        case OSError():
            answer.code = plugin.CODE_UNREACHABLE
        case _:
            answer.code = plugin.CODE_FAULT


def send(**what):
    outgoing.put(From(**what))


def messages():
    while (message := outgoing.get()) is not None:
        yield message


components = {}


def component(name):
    if name not in components:
        components[name] = Component(name)
    return components[name]


def take(ask):
    what = ask.WhichOneof("what")
    ok = PB.Reply()
    ok.answer.id, ok.answer.code = ask.id, plugin.CODE_OK
    if what == "ping":
        send(replies=[ok])
    elif what == "close":
        component(ask.component).close()
        send(replies=[ok])
    elif what == "shutdown":
        send(replies=[ok])
        threading.Thread(target=shut_down, daemon=True).start()
    elif what is None or not ask.component:
        ok.answer.code = plugin.CODE_UNSUPPORTED
        send(replies=[ok])
    else:
        component(ask.component).asks.put((ask, time.monotonic() + ask.within_ms / 1000))


def shut_down():
    for one in list(components.values()):
        one.close()
    time.sleep(0.1)
    os._exit(0)


def until_stdin_ends():
    while os.read(0, 4096):
        pass
    os._exit(0)


def main():
    start = json.loads(sys.stdin.readline())
    threading.Thread(target=until_stdin_ends, daemon=True).start()
    channel = grpc.insecure_channel(start["host"])
    hello = plugin.Hello(token=start["token"], plugin="good", version="1", runtime="python")
    send(hello=hello)
    call = channel.stream_stream(
        f"/bedplate.{KIND}.v1.{KIND.capitalize()}Host/Attach",
        request_serializer=From.SerializeToString,
        response_deserializer=To.FromString,
    )(messages())
    try:
        for message in call:
            for receipt in getattr(message, "receipts", ()):
                component(receipt.component).receipt(receipt)
            for ask in message.asks:
                take(ask)
    except grpc.RpcError as error:
        os._exit(78 if error.code() is grpc.StatusCode.UNAUTHENTICATED else 1)
    os._exit(0)


if __name__ == "__main__":
    main()
