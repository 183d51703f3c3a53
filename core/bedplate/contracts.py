"""What plugins promise, in Python. protos/ says the same for every language; a test holds the two together.

One class per kind: Connector, Analytic, SecurityModule. The author fails, the kernel retries: a method that cannot do
its work raises, and the kernel closes the session, waits, and builds a new object. What an exception means:

    OSError, EOFError, TimeoutError   connection lost; the source's tags turn Uncertain, then Bad; retried for ever
    Refused                           the other side said no to this one tag or command
    Invalid, pydantic.ValidationError settings or addresses are wrong; shown at their line, never retried
    anything else                     a bug; more than five in 60 s: faulted, retried half-open

Methods may be `async def`, or plain `def` for a blocking library, run on a thread of this component. Calls to one
object never overlap, but `subscribe`, `query` and `read_history` run beside the others. A late or cancelled call ends
the session.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from bedplate.errors import Invalid, Refused
from bedplate.model import Batch, DataType, Event, Record, TagTable, quality
from bedplate.questions import Aggregate, Page, Query
from bedplate.security_contract import (
    Check,
    Credential,
    Decision,
    LoggedIn,
    SecurityModule,
    Subject,
    Verdict,
)
from bedplate.settings import Migration, NoSettings

__all__ = [
    "Aggregate",
    "Analytic",
    "Asset",
    "Bad",
    "Check",
    "Connector",
    "Credential",
    "Decision",
    "Delivery",
    "Invalid",
    "LoggedIn",
    "NoSettings",
    "Node",
    "Output",
    "Page",
    "Query",
    "Refused",
    "Sample",
    "SecurityModule",
    "Send",
    "Series",
    "Stretch",
    "Subject",
    "Tag",
    "Verdict",
    "Written",
    "capabilities_of",
]


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag as a connector meets it.

    address: parsed by the connector's `Address` · data_type: what the deployment wants, UNSPECIFIED: as the source
    says · settings: a `TagSettings` of the connector · scan: seconds between reads that the operator wants.
    """

    handle: int
    name: str
    address: Any = ""
    data_type: DataType = DataType.UNSPECIFIED
    unit: str = ""
    writable: bool = False
    settings: Any = None
    scan: float = 1.0


@dataclass(frozen=True, slots=True)
class Bad:
    """In place of a value: there is none, and why. code: OPC UA StatusCode with Bad or Uncertain severity."""

    why: str = ""
    code: int = quality.BAD_DEVICE_FAILURE


@dataclass(frozen=True, slots=True)
class Sample:
    """A value with what the source knows of it. time, server_time: ns UTC, None: unknown; quality: StatusCode."""

    value: Any
    time: int | None = None
    quality: int = quality.GOOD
    server_time: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One thing found by browsing. address: may be written as `address` of a tag; path: names from the start, by /."""

    address: str
    name: str
    path: str
    has_children: bool = False
    is_variable: bool = True
    data_type: DataType = DataType.UNSPECIFIED
    unit: str = ""
    description: str = ""
    writable: bool = False
    value: str = ""


class Send(Protocol):
    """How a source that pushes hands over what it has. Both calls wait for credit, then return an awaitable that ends
    when the kernel has the samples on disk: only then tell the source that it may forget them.

    From a `subscribe` that is a plain def the calls block, and the result has a `result(timeout)` method.
    Raises ValueError for a time or a quality that is none, ConnectionError once the session has ended, and from the
    awaitable Refused when the kernel does not take the samples. A value that no DataType holds is sent as Bad.
    """

    def __call__(
        self,
        tag: Tag,
        value: Any,
        *,
        time: int | None = None,
        quality: int = 0,
        server_time: int | None = None,
    ) -> Awaitable[Awaitable[None]]:
        """One sample. time, server_time: ns UTC."""

    def batch(self, batch: Batch) -> Awaitable[Awaitable[None]]:
        """Many samples in columns; tag holds handles of the tags this component was opened with."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The next records of the journal, in order, that a reader subscribed to.

    table: every handle these records use · until: all records up to this position were offered · backlog: older than
    others that came before, an order and positions of its own; only for readers whose manifest says `lanes = true`."""

    records: Sequence[Record]
    table: TagTable
    until: int
    backlog: bool = False


class Connector:
    """A door to something outside. What it can do is what it overrides: read, subscribe, write, browse, deliver, query,
    read_history.

    Set before `open`: config (a Config), tags (list of Tag), component (its id), path (where it hangs), note.
    """

    Config: ClassVar[type[BaseModel]] = NoSettings
    migrations: ClassVar[Sequence[Migration]] = ()  # of Config, from older versions of the plugin
    TagSettings: ClassVar[type[BaseModel]] = NoSettings
    Address: ClassVar[Any] = str

    config: Any
    tags: list[Tag]
    component: str
    path: str
    epoch: int  # of the kernel
    note: Callable[[str], None]  # report a fact in words: "server restarted"

    def open(self) -> Any:
        """Connects and logs in. Addresses that can't be right raise Invalid(tag=…); one that is missing in the device
        today must not: it reads Bad."""

    def close(self) -> Any:
        """Releases what `open` made. Called once, and only after an `open` that returned."""

    def read(self, tags: list[Tag]) -> Any:
        """The values of these tags now, once: one per tag in order (number, bool, text, bytes, Bad, Sample), a numpy
        column, or Batches with the tags' handles. None for a value is Bad without a reason."""
        raise NotImplementedError

    def write(self, tag: Tag, value: Any) -> Any:
        """Sends once. Raises Refused when the device says no."""
        raise NotImplementedError

    def subscribe(self, tags: list[Tag], send: Send) -> Any:
        """Sends what comes until the connection is lost (raise) or the call is cancelled. Must not return before."""
        raise NotImplementedError

    def browse(self, below: str, depth: int) -> Any:
        """Nodes below an address ("" is the root), at most depth levels, as a list of Node."""
        raise NotImplementedError

    def read_history(self, tags: list[Tag], start: int, end: int) -> Any:
        """What the source itself kept of these tags while nobody listened: samples with start <= source time < end, ns
        UTC, as Batches with the tags' handles or as (tag, [Sample, …]); the samples of a tag by time. (tag, Bad(why)):
        the source keeps none of this tag. Best a generator or an async generator that yields as it goes: the kernel
        takes pages and pauses in between, and closes it when it wants no more (OPC 10000-11 §6.5.3 ReadRaw).
        Runs beside the other calls, must not be in their way and may be asked for the same again. Raises Refused when
        the source can't say it now; OSError, EOFError, TimeoutError cost this answer alone, as does a call that takes
        too long: it is cancelled, and asked again later."""
        raise NotImplementedError

    def cursor(self) -> int:
        """After `open`, for a reader: the last journal position that survives its crash; 0: from the start."""
        return 0

    def deliver(self, delivery: Delivery) -> Any:
        """Takes records. Returns the position up to which they survive a crash of this reader (may lag behind).
        Records at or below the position it already returned may come again and must not count twice.
        Raises Refused(position=…) for a record that it will never take: the kernel keeps it, and goes on after it."""
        raise NotImplementedError

    def query(self, query: Query) -> Iterator[Page]:
        """Answers in pages. Runs beside the other calls; a plain generator on a thread of its own."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Asset:
    """What an analytic works on. inputs: name of a tag as the settings write it → its full path · labels: the same
    name → the labels of its enumeration, for tags that have them."""

    path: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Output:
    """A tag an analytic writes: <asset path>/<component>/<name>."""

    name: str
    data_type: DataType = DataType.FLOAT64
    unit: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """New samples of one input, in order of arrival. time: (n,) int64 ns UTC, source time · value: (n,) column or
    Strings · quality: (n,) uint32 StatusCode · received: (n,) int64 ns UTC, not decreasing, when the kernel took each
    (Record.received: a replay has the same), None: as `time`. `bedplate.event_time` makes one time line of the two."""

    time: NDArray[np.int64]
    value: Any
    quality: NDArray[np.uint32]
    received: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What came since the last call. inputs: only those with new samples · events: acknowledgements and other events
    for this asset · until: ns UTC; nothing received before this is still to come. It may come without samples."""

    inputs: Mapping[str, Series]
    events: Sequence[Event]
    until: int


@dataclass(frozen=True, slots=True)
class Written:
    """Samples for one output. time: ns UTC, number or (n,) · value: number, text or (n,) · quality: codes or None.
    A value that the type of the output does not hold exactly is written as Bad."""

    output: str
    time: Any
    value: Any
    quality: Any = None


class Analytic:
    """Turns samples into samples and events: one object for each asset.

    The kernel keeps outputs, events, `state` and how far it read in one commit. After a crash a new object gets
    `restore(state)` and the same stretches again, so the result must depend on nothing but state and stretches:
    no clock, no randomness. Set before `open`: config, asset, component.
    """

    Config: ClassVar[type[BaseModel]] = NoSettings
    migrations: ClassVar[Sequence[Migration]] = ()  # of Config, from older versions of the plugin

    config: Any
    asset: Asset
    component: str
    note: Callable[[str], None]

    def open(self) -> Sequence[Output]:
        """Prepares, and names the tags it will write."""
        return ()

    def restore(self, state: bytes) -> None:
        """Takes back what `state` gave. Raises Invalid when it is of a version it can't read."""

    def process(self, stretch: Stretch) -> Iterable[Written | Event]:
        """Works on a stretch. Any split of the same samples into stretches must give the same results."""
        raise NotImplementedError

    def state(self) -> bytes:
        """All that later results depend on, small and versioned. No pickle."""
        return b""

    def close(self) -> None:
        """Releases what `open` made."""


CAPABILITIES = ("read", "subscribe", "write", "browse", "deliver", "query", "read_history")
SECURITY_CAPABILITIES = ("authenticate",)


def capabilities_of(cls: type) -> tuple[str, ...]:
    """What a class of a connector or a security module can do: the methods it overrides."""
    kinds: list[tuple[type, tuple[str, ...]]] = [
        (Connector, CAPABILITIES),
        (SecurityModule, SECURITY_CAPABILITIES),
    ]
    return tuple(
        name
        for kind, names in kinds
        if issubclass(cls, kind)
        for name in names
        if getattr(cls, name) is not getattr(kind, name)
    )
