"""Components that are open in a test: their calls, and their answers as plain values. Made by `Plugged`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from bedplate.analytic.v1 import analytic_pb2
from bedplate.connector.v1 import connector_pb2
from bedplate.contracts import Decision, Verdict
from bedplate.plugin.v1 import plugin_pb2
from bedplate.security.v1 import security_pb2
from bedplate.testing.answers import Reading, Results, checked, readings
from bedplate.testing.fake_kernel import WITHIN, FakeKernel
from bedplate.testing.stretch import Journal, records_of
from bedplate.wire import decode_event, twin, value_message

ASK = {
    name: twin(getattr(connector_pb2, name))
    for name in ("Read", "Write", "Browse", "Subscribe", "Deliver", "Query")
}
Close = twin(plugin_pb2.Close)


class Asking(Protocol):
    """What these need of a `Plugged`."""

    @property
    def kernel(self) -> FakeKernel: ...
    def ask(self, component: str = "it", within: float = WITHIN, **what: Any) -> Any: ...
    def wait(self, condition: Any, within: float = WITHIN, what: str = "it") -> Any: ...
    def receipt(self, component: str, **what: Any) -> None: ...


class _Opened:
    """What all kinds have."""

    def __init__(self, plugin: Asking, component: str) -> None:
        self._plugin = plugin
        self.component = component

    def ask(self, **what: Any) -> Any:
        """One ask. Returns an answer that says OK; raises what `checked` raises."""
        return checked(self._plugin.ask(self.component, **what))

    @property
    def notes(self) -> list[str]:
        """What it reported in words."""
        return [n.text for n in self._plugin.kernel.notes if n.component == self.component]

    def close(self) -> None:
        self.ask(close=Close())


class OpenedConnector(_Opened):
    """tags are named as in `connector(tags=…)`."""

    def __init__(
        self, plugin: Asking, component: str, reply: Any, names: Mapping[int, str]
    ) -> None:
        super().__init__(plugin, component)
        self.position = int(reply.position)
        self._names = names
        self._handles = {name: handle for handle, name in names.items()}
        self._seen = len(plugin.kernel.publications)

    def read(self, *tags: str) -> dict[str, Reading]:
        """These tags, or all of them, once."""
        handles = [self._handles[name] for name in tags] or list(self._names)
        reply = self.ask(read=ASK["Read"](tags=handles)).read
        found = readings(reply.batches, self._names, {p.tag: p.text for p in reply.problems})
        return {name: samples[-1] for name, samples in found.items()}

    def write(self, tag: str, value: Any) -> None:
        """Raises Refused when the device says no."""
        message = ASK["Write"](command_id="test", tag=self._handles[tag])
        message.value.MergeFromString(value_message(value).SerializeToString())
        self.ask(write=message)

    def browse(self, below: str = "", depth: int = 1) -> list[Any]:
        """Nodes, as messages: address, name, path, has_children, is_variable, …"""
        return list(self.ask(browse=ASK["Browse"](below=below, depth=depth)).browse.nodes)

    def subscribe(self, resume_after: int = 0) -> None:
        """From now on it publishes, within the credit it was opened with."""
        self._seen = len(self._plugin.kernel.publications)
        self.ask(subscribe=ASK["Subscribe"](resume_after=resume_after))

    @property
    def published(self) -> list[Any]:
        """Publications since `subscribe`, as messages: producer_seq and an encoded batch."""
        return [
            p
            for p in self._plugin.kernel.publications[self._seen :]
            if p.component == self.component
        ]

    def samples(self, at_least: int = 1, within: float = 10.0) -> list[tuple[str, Reading]]:
        """What was pushed since `subscribe`, once it is so much. Raises TimeoutError."""

        def there() -> list[tuple[str, Reading]]:
            rows = [readings([p.batch], self._names, {}) for p in self.published]
            return [(name, one) for row in rows for name, ones in row.items() for one in ones]

        self._plugin.wait(lambda: len(there()) >= at_least, within, f"{at_least} samples")
        return there()

    def grant(self, credit: int) -> None:
        """So many more publications may be under way."""
        self._plugin.receipt(self.component, credit=credit)

    def synced(self, producer_seq: int) -> None:
        """Everything up to this is on disk: the source may forget it."""
        self._plugin.receipt(self.component, synced=producer_seq)

    def refuse(self, producer_seq: int, why: str) -> None:
        """The kernel does not take this publication."""
        self._plugin.receipt(self.component, refused=producer_seq, text=why)

    def deliver(self, records: Sequence[Any], journal: Journal, until: int = 0) -> int:
        """Hands over records of a journal. Returns the position that survives a crash of the reader."""
        message = ASK["Deliver"](
            records=records, tables=[journal.table()], until=until or journal.position
        )
        return int(self.ask(deliver=message).deliver.position)

    def query(self, *selectors: str, start: int, end: int, **more: Any) -> dict[str, list[Reading]]:
        """All pages of an answer: path → samples. start, end: ns UTC; more: every, aggregate, limit, last_before."""
        words = {"from": start, "to": end, **more}
        ask = self._plugin.ask(self.component, query=ASK["Query"](selectors=selectors, **words))
        checked(ask)
        found: dict[str, list[Reading]] = {}
        for page in self._plugin.kernel.replies[ask.answer.id]:
            names = {tag.handle: tag.path for tag in page.query.tags}
            for path, samples in readings(page.query.batches, names, {}).items():
                found.setdefault(path, []).extend(samples)
        return found


class OpenedAnalytic(_Opened):
    """inputs are named as in `analytic(inputs=…)`. outputs: their names, in order."""

    def __init__(
        self, plugin: Asking, component: str, reply: Any, asset: str, paths: Mapping[str, str]
    ) -> None:
        super().__init__(plugin, component)
        self.outputs = [output.name for output in reply.outputs]
        self.journal = Journal()
        self._paths = paths
        self._first = True

    def process(
        self,
        inputs: Mapping[str, Iterable[tuple[Any, ...]]] | None = None,
        until: int = 0,
        records: Sequence[Any] = (),
    ) -> Results:
        """One stretch. inputs: name → (time in ns, value[, quality]) in order; records: of `journal` instead."""
        made = [*records_of(self.journal, inputs or {}, self._paths), *records]
        last = max((record.received for record in made), default=0)
        message = twin(analytic_pb2.Process)(
            records=made, tables=[self.journal.table()], until=until or last
        )
        if self._first:
            message.outputs.extend(range(1, len(self.outputs) + 1))
            self._first = False
        reply = self.ask(process=message).process
        names = dict(enumerate(self.outputs, 1))
        states = {state.key: state.value for state in reply.states}
        events = [decode_event(event) for event in reply.events]
        return Results(readings(reply.batches, names, {}), events, states)


class OpenedSecurity(_Opened):
    """A guard to ask."""

    def authorize(
        self, who: str, *checks: tuple[str, str], roles: Sequence[str] = (), **more: str
    ) -> list[Decision]:
        """checks: (action, resource). One decision for each, in order. more: peer, method."""
        subject = twin(security_pb2.Subject)(id=who, roles=roles, **more)
        message = twin(security_pb2.Authorize)(subject=subject)
        for action, resource in checks:
            message.checks.add(action=action, resource=resource)
        return [
            Decision(Verdict(d.verdict), d.reason, d.remember_ms / 1000)
            for d in self.ask(authorize=message).decisions
        ]
