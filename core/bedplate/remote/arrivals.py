"""Which remote plugin may attach: the place of its certificate must be one that the deployment waits for.

Rule: one program serves a place. A program that dials again (the same `instance`) takes over from its own old stream,
which is dead though nobody noticed. Another program is taken only when the one that is there does not answer a ping.
Whoever is refused is told why, and so is the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bedplate.errors import BedplateError
from bedplate.listening.refusals import Refusals
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
from bedplate.wire import twin

PING_WITHIN = 0.5  # s, and the margin of every ask
RESUME = "resume"  # the feature of Hello: goes on after a cut where it was
Ping = twin(plugin_pb2.Ping)


class NotAdmitted(BedplateError):
    """It may not attach. code: of gRPC, by name."""

    def __init__(self, text: str, code: str = "PERMISSION_DENIED") -> None:
        super().__init__(text)
        self.code = code


@dataclass
class Awaited:
    """A place that waits for its plugin. arrived: gets the attachment · banned: instances that broke the contract."""

    place: str
    kind: str
    plugin: str
    arrived: Callable[[Attachment], None]
    present: Attachment | None = None
    banned: set[str] = field(default_factory=set)


def resumes(attachment: Attachment | None) -> bool:
    """Whether the program behind it goes on after a cut where it was."""
    hello = attachment.hello if attachment else None
    return hello is not None and RESUME in hello.features and bool(hello.instance)


class Arrivals:
    """All places that wait. told: hears of every refusal, in a sentence."""

    def __init__(self) -> None:
        self._awaited: list[Awaited] = []
        self._refusals = Refusals("remote plugins")

    def wait_for(
        self, place: str, kind: str, plugin: str, arrived: Callable[[Attachment], None]
    ) -> Awaited:
        """`arrived` is called with the attachment each time its program has dialled."""
        awaited = Awaited(place, kind, plugin, arrived)
        self._awaited.append(awaited)
        return awaited

    def wait_no_more(self, awaited: Awaited) -> None:
        """Its place is gone."""
        if awaited in self._awaited:
            self._awaited.remove(awaited)

    @property
    def told(self) -> Callable[[str], None]:
        return self._refusals.told

    @told.setter
    def told(self, hears: Callable[[str], None]) -> None:
        self._refusals.told = hears

    def refused(self, text: str) -> None:
        """Somebody was not let in. Told once a minute, however often it tries."""
        self._refusals.refused(text)

    def refusals(self) -> Iterator[str]:
        """Of the last minutes, for people."""
        return self._refusals.now()

    async def admit(self, attachment: Attachment, place: str, address: str) -> None:
        """Hands it to the place that waits for it. Raises NotAdmitted."""
        try:
            awaited = self._find(attachment, place)
            await self._make_room(awaited, attachment)
        except NotAdmitted as error:
            self.refused(f"a program at {_machine(address)}: {error}")
            raise
        awaited.present, attachment.origin = attachment, address
        self._forget(place, address)
        awaited.arrived(attachment)

    def _forget(self, place: str, address: str) -> None:
        """What was refused to this place or this machine is over; whoever is still refused tries again soon."""
        self._refusals.forget((f" at {_machine(address)}: ", f"place {place} "))

    def _find(self, attachment: Attachment, place: str) -> Awaited:
        if not place:
            raise NotAdmitted(
                "its certificate names no place (URI:bedplate:place:NAME)", "UNAUTHENTICATED"
            )
        here = [one for one in self._awaited if one.place == place]
        if not here:
            known = ", ".join(sorted({one.place for one in self._awaited})) or "none"
            raise NotAdmitted(f"no remote place {place!r} in this deployment; it has {known}")
        fitting = [one for one in here if one.kind == attachment.kind.name]
        named = [one for one in fitting if one.plugin == attachment.hello.plugin]
        if not fitting or (attachment.hello.plugin and not named):
            wanted = ", ".join(f"{one.plugin} ({one.kind})" for one in here)
            came = f"{attachment.hello.plugin or 'a plugin'} ({attachment.kind.name})"
            raise NotAdmitted(f"place {place} runs {wanted}, not {came}")
        return (named or fitting)[0]

    async def _make_room(self, awaited: Awaited, comer: Attachment) -> None:
        instance = comer.hello.instance
        if instance in awaited.banned:
            raise NotAdmitted(
                "this run of the program broke the contract; start it again", "FAILED_PRECONDITION"
            )
        present = awaited.present
        if present is None or present.gone.done():
            return
        if instance and present.hello.instance == instance:
            present.end("it dialled again")
        elif await _alive(present):
            raise NotAdmitted(
                f"another program serves place {awaited.place}; end that one first",
                "ALREADY_EXISTS",
            )
        else:
            present.end("it did not answer, and another program came for its place")


def _machine(address: str) -> str:
    return address.rpartition(":")[0]


async def _alive(attachment: Attachment) -> bool:
    try:
        await attachment.ask("", PING_WITHIN, ping=Ping())
    except (TimeoutError, ConnectionError):
        return False
    return True
