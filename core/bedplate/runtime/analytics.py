"""An analytic over the journal: outputs, events, state and cursor in one commit: a crash changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bedplate.analytic.v1 import analytic_pb2
from bedplate.config.deployment import Component, TagSpec
from bedplate.config.inputs import named_inputs
from bedplate.errors import ProtocolError
from bedplate.journal.engine import Commit, Entry
from bedplate.model import Body, DataType, Event, EventKind, Record
from bedplate.remote.attachment import Attachment
from bedplate.runtime import requests
from bedplate.runtime.epochs import by_epoch
from bedplate.runtime.role import Bug, Role
from bedplate.runtime.spine import Pair, Spine
from bedplate.runtime.states import States, inherited
from bedplate.runtime.subscription import Subscription
from bedplate.runtime.watching import watched
from bedplate.scan.current import introduce
from bedplate.scan.registry import Declared
from bedplate.wire import decode_batch, decode_event, record_message, twin

PROCESS_WITHIN = 30.0  # s
TICK = 1.0  # s: so often an analytic hears how far time has come, also without samples
LOOK = 0.1  # s, the same while samples come that are in no journal
COMMIT_EVERY = 2.0  # s
RECORDS, SIZE = 4000, 4 << 20
EVENTS = "kernel/event"  # acknowledgements
OUTPUTS_MOST = 10_000
OWN_EVENTS = (EventKind.ALARM, EventKind.NOTE, EventKind.UNSPECIFIED)
Process = twin(analytic_pb2.Process)
Settings = Callable[[], tuple[Mapping[str, Any], Mapping[str, bytes]]]


class AnalyticReader(Role):
    """Reads what its assets name, writes to its own streams. moved: (from, to) of assets; their states follow."""

    def __init__(
        self,
        component: Component,
        spine: Spine,
        settings: Settings,
        specs: Mapping[str, TagSpec],
        moved: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(component, spine)
        self._moved = moved
        self._settings = settings
        self._specs = specs
        self._stream = f"{component.id}/live"
        self._events = f"{component.id}/event"
        plain, _ = settings()
        self.watched = watched(component, plain)
        self._paths = {p for a in component.assets for p in named_inputs(plain, a.tags).values()}
        self._outputs: dict[tuple[str, int], int] = {}
        self._mine: np.ndarray[Any, Any] = np.zeros(0, np.uint32)
        self._committed = 0.0
        self._heard = self._heard_durable = 0  # of what is in no journal
        self._states = States()
        self.position = 0
        self.durable = 0

    @property
    def outputs(self) -> set[str]:
        """Paths of the tags that it brings."""
        return {path for path, _ in self._outputs}

    async def open_message(self) -> Any:
        settings, secrets = self._settings()
        self.position, states = await self.spine.engine.cursor(self.component.id)
        self._states = States(states)
        if changes := inherited(states, {a.path for a in self.component.assets}, self._moved):
            self._states.take(changes.items())
            states = {key: state for key, state in {**states, **changes}.items() if state}
        self.durable = self.position
        return requests.open_analytic(
            self.component,
            settings,
            secrets,
            self._specs,
            states,
            epoch=self.spine.engine.epoch,
            position=self.position,
        )

    async def serve(self, attachment: Attachment, reply: Any) -> None:
        handles = self._declare(reply.open.outputs)
        subscription = Subscription(
            self._paths.__contains__, events=lambda stream: stream == EVENTS
        )
        first: Sequence[int] = handles
        self._heard = self._heard_durable
        while True:
            await self._news()
            await self._room()
            records = await self._next()
            for run in by_epoch(records) or [[]]:
                await self._process(attachment, subscription, run, first)
                first = ()

    async def _news(self) -> None:
        """Something is to be read, or time has gone on."""
        unstored = self.spine.unstored
        if self._heard < unstored.newest:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK if unstored.why else TICK):
                await self.spine.engine.wait(self.position, ahead=True)

    async def _next(self) -> list[Record]:
        """Of the journal, and what came at its end while there was no place in it, in the order in which it came."""
        left = self.spine.unstored.next(self._heard)
        read = self.spine.engine.read(self.position, records=RECORDS, size=SIZE, ahead=True)
        records = await read
        if not left:
            return records
        if before := [record for record in records if record.position <= left[0].after]:
            return before
        self._heard = left[-1].number
        return [one.record for one in left]

    async def _room(self) -> None:
        """Waits while the disk is behind, and not dead: what an analytic writes would only wait in memory."""
        engine = self.spine.engine
        while engine.backlogged and not engine.state().failed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await engine.synced(engine.state().appended)

    def _declare(self, outputs: Any) -> list[int]:
        """Handles for the outputs, in the order of the answer; the same as before when it opens again."""
        assets = [asset.path for asset in self.component.assets]
        if strange := [o.asset for o in outputs if o.asset >= len(assets)]:
            raise Bug(f"named an output of asset {strange[0]}; it has {len(assets)}, from 0 on")
        if len(outputs) > OUTPUTS_MOST:
            raise Bug(f"named {len(outputs):,} outputs; {OUTPUTS_MOST:,} are the most")
        if wrong := [o.name for o in outputs if not _is_name(o.name)]:
            raise Bug(f"named an output {wrong[0][:100]!r}, which is no name of a tag")
        wanted = [(f"{assets[o.asset]}/{self.component.id}/{o.name}", o) for o in outputs]
        self.check_published(path for path, _ in wanted)
        self.spine.registry.declare(
            Declared(p, self.component.id, o.unit, o.description) for p, o in wanted
        )
        new = [
            (p, DataType(o.data_type)) for p, o in wanted if (p, o.data_type) not in self._outputs
        ]
        if new:
            now = self.spine.clock.time_ns()
            registry, current = self.spine.registry, self.spine.current
            handles, entry = introduce(registry, current, self._stream, new, now)
            self.spine.append([(entry, None)])
            self._outputs.update(zip(((p, int(kind)) for p, kind in new), handles, strict=True))
        mine = [self._outputs[p, o.data_type] for p, o in wanted]
        self._mine = np.array(sorted(mine), np.uint32)
        return mine

    async def _process(
        self,
        attachment: Attachment,
        subscription: Subscription,
        records: Sequence[Record],
        outputs: Sequence[int],
    ) -> None:
        if records:
            await subscription.turn(records[0].epoch, self.spine.registry.table, self.spine.engine)
        chosen = [r for r in map(subscription.choose, records) if r is not None]
        position = max(self.position, records[-1].position if records else 0)
        ask = Process(
            records=map(record_message, chosen),
            tables=subscription.tables(chosen),
            until=self._until(records, position),
            outputs=outputs,
        )
        reply = (await self.ask(attachment, PROCESS_WITHIN, process=ask)).process
        self.figures.consumed += sum(r.samples for r in chosen)
        self._commit(reply, position)

    def _until(self, records: Sequence[Record], position: int) -> int:
        """Nothing received before this is still to come: all that was appended was read, or the last record's time."""
        heard = self._heard >= self.spine.unstored.newest
        if heard and position >= self.spine.engine.state().appended:
            return self.spine.clock.time_ns()
        return records[-1].received if records else 0

    def _commit(self, reply: Any, position: int) -> None:
        pairs = [*self._batches(reply.batches), *self._event_entries(reply.events)]
        try:
            self._states.take((state.key, state.value) for state in reply.states)
        except ProtocolError as error:
            raise Bug(str(error)) from error
        now = self.spine.clock.monotonic()
        moved = bool(self._states.changed) or position > self.durable
        if pairs or (moved and now - self._committed >= COMMIT_EVERY):
            # states that brought no output wait: after a crash the same stretches bring the same states again
            self._committed = now
            commit = Commit(self.component.id, position, self._states.changed)
            if self.spine.derive(pairs, commit, sync=bool(reply.events)):
                self._states.committed()
                self.durable, self._heard_durable = position, self._heard
        self.position = position
        self.figures.produced += sum(entry.samples for entry, _ in pairs)

    def _batches(self, encoded: Sequence[bytes]) -> list[Pair]:
        received = self.spine.clock.time_ns()
        pairs: list[Pair] = []
        for payload in encoded:
            try:
                batch = decode_batch(payload)
            except ProtocolError as error:
                raise Bug(str(error)) from error
            if not np.isin(batch.tag, self._mine).all() or not len(batch.time):
                raise Bug("wrote a tag that is not one of its outputs")
            pairs.append(
                (Entry(self._stream, Body.BATCH, payload, received, samples=len(batch)), batch)
            )
        return pairs

    def _check(self, event: Event) -> None:
        """Raises ProtocolError for an event in the name of somebody else."""
        if not any(event.source.startswith(f"{asset.path}/") for asset in self.component.assets):
            raise ProtocolError(
                f"wrote an event of {event.source!r}, which is below none of its assets"
            )
        if event.kind not in OWN_EVENTS:
            raise ProtocolError(
                f"wrote an event of kind {event.kind.name}, which is not its to write"
            )
        if event.component not in ("", self.component.id):
            raise ProtocolError(f"wrote an event in the name of {event.component!r}")

    def _event_entries(self, encoded: Sequence[bytes]) -> list[Pair]:
        received = self.spine.clock.time_ns()
        for payload in encoded:
            try:  # what can't be read must not get into the journal, where everybody would meet it
                self._check(decode_event(payload))
            except ProtocolError as error:
                raise Bug(str(error)) from error
        return [(Entry(self._events, Body.EVENT, payload, received), None) for payload in encoded]


def _is_name(name: str) -> bool:
    """What a path may end with: printable, not a selector, of no empty part."""
    return name.isprintable() and len(name) <= 200 and "*" not in name and all(name.split("/"))
