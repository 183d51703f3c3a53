"""Asks every connector of a deployment once, without a kernel: opens, reads every address, closes.

Processes are those that `run` would start, held to the same permissions; devices are asked side by side, each within
its time. Rule: nothing is written. What takes deliveries is not even opened, since its `open` may make files or tables.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bedplate.cli.nearest import nearest
from bedplate.clock import SystemClock
from bedplate.config import Deployment, Secrets, TagSpec
from bedplate.config.deployment import Component
from bedplate.config.veil import Veil
from bedplate.errors import BedplateError
from bedplate.model import Selector, quality
from bedplate.remote.attachment import Attachment
from bedplate.remote.host import PluginHost
from bedplate.runtime import requests
from bedplate.runtime.browsing import all_pages, tag_at
from bedplate.runtime.confining import Confiner
from bedplate.runtime.expectation import Expectation
from bedplate.runtime.inline import InlinePlugin
from bedplate.runtime.launch import Launch, home_of
from bedplate.runtime.offer import Offer
from bedplate.runtime.output import legible
from bedplate.runtime.process import PluginProcess
from bedplate.runtime.role import ok
from bedplate.runtime.secret_book import secrets_of
from bedplate.runtime.settings import Settings
from bedplate.runtime.starts import Starts
from bedplate.wire import decode_batch

LISTEN = 2.0  # s that a source which only pushes is listened to
CLOSE_WITHIN = 5.0  # s
CREDIT = 64
UNKNOWN = {
    *(quality.CODES["BadNodeIdUnknown"], quality.CODES["BadNodeIdInvalid"]),
    quality.CODES["BadNotFound"],
}

Member = tuple[Component, Offer]


@dataclass
class Unread:
    """One address that gave no value."""

    tag: str
    address: str
    reason: str
    closest: str = ""


@dataclass
class Device:
    """What became of one connector. how: read, subscribed, opened, off, not probed · answered: None where nobody was
    asked · tags, read: addresses, and those that gave a value · said: of a source that pushes, tags it spoke of."""

    component: str
    entry: str
    how: str = ""
    answered: bool | None = None
    tags: int = 0
    read: int = 0
    seconds: float = 0.0
    reason: str = ""
    unread: list[Unread] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        return self.answered is not False and not self.unread


class Prober:
    """One probe. within: s for each device · waiting: those that have not ended yet, since when (monotonic)."""

    def __init__(
        self, deployment: Deployment, offers: Mapping[str, Offer], within: float, folder: Path
    ) -> None:
        self._deployment, self._offers, self._within = deployment, offers, within
        self._host = PluginHost(folder)
        self._confiner = Confiner(deployment, folder)
        self._starts = Starts()
        self._secrets = secrets_of(deployment)
        self.waiting: dict[str, float] = {}

    async def run(self) -> list[Device]:
        """Every connector, in the order of the file."""
        found = [(c, self._offers[c.use]) for c in self._deployment.of_kind("connector")]
        devices = {c.id: Device(c.id, c.entry or c.id, tags=len(c.tags)) for c, _ in found}
        places: dict[tuple[str, ...], list[Member]] = {}
        for component, offer in found:
            if why := not_probed(component, offer):
                devices[component.id].how, devices[component.id].reason = "not probed", why
                continue
            key = (component.placement, *home_of(offer), component.process)
            places.setdefault(key, []).append((component, offer))
        await self._host.start()
        try:
            await asyncio.gather(*(self._place(group, devices) for group in places.values()))
        finally:
            await self._host.stop()
        return list(devices.values())

    async def _place(self, members: Sequence[Member], devices: Mapping[str, Device]) -> None:
        began = time.monotonic()
        self.waiting |= {component.id: began for component, _ in members}
        process: PluginProcess | InlinePlugin | None = None
        try:
            process = await self._process(members)
            async with self._starts.turn():
                attachment = await process.start()
        except (BedplateError, OSError) as error:
            for component, _ in members:
                self._failed(devices[component.id], str(error), began)
        else:
            asking = _Place(attachment, self._deployment, self._secrets, self._within)
            if isinstance(process, PluginProcess):
                process.hides(lambda: asking.veil)
            await asyncio.gather(
                *(self._device(asking, member, devices[member[0].id]) for member in members)
            )
        finally:
            if process:
                await process.stop(1.0)

    async def _process(self, members: Sequence[Member]) -> PluginProcess | InlinePlugin:
        component, offer = members[0]
        launch = Launch.of(offer, self._offers.values(), component.process)
        if offer.verify:
            launch = launch.moved(await asyncio.to_thread(offer.verify))
        if component.placement == "inline":
            return InlinePlugin(launch)
        folder = self._deployment.source.folder
        return PluginProcess(
            launch, self._host, folder, confine=lambda one: self._confiner.confine(one, members)
        )

    async def _device(self, place: _Place, member: Member, device: Device) -> None:
        component, offer = member
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._within):
                await place.ask_all(component, offer, device)
            device.answered = True
        except TimeoutError:
            self._failed(device, f"no answer within {self._within:g} s", began)
        except (BedplateError, OSError) as error:
            self._failed(device, str(error), began)
        with contextlib.suppress(BedplateError, OSError, TimeoutError):
            await place.close(component)
        device.seconds = time.monotonic() - began
        self.waiting.pop(component.id, None)

    def _failed(self, device: Device, reason: str, began: float) -> None:
        component = self._deployment.component(device.component)
        expected = Expectation(component, SystemClock()) if component else None
        device.seconds = time.monotonic() - began
        self.waiting.pop(device.component, None)
        device.reason = legible(reason)
        device.read, device.unread = 0, []
        if expected and not expected.now:
            device.how, device.answered, device.reason = "off", None, expected.words
        else:
            device.answered = False


class _Place:
    """The components of one process, asked."""

    def __init__(
        self, attachment: Attachment, deployment: Deployment, secrets: Secrets, within: float
    ) -> None:
        self._attachment, self._deployment = attachment, deployment
        self._secrets, self._within = secrets, within
        self._heard: dict[str, Callable[[Any], None]] = {}
        self._hidden: set[str] = set()
        self.veil = Veil()
        attachment.veil = lambda: self.veil
        attachment.publication = self._publication

    async def ask_all(self, component: Component, offer: Offer, device: Device) -> None:
        """Raises BedplateError, OSError, TimeoutError."""
        tags = component.tags if component.browse is None else ()
        await self._open(component, tags)
        if component.browse is not None:
            tags = await self._browsed(component)
            await self._open(component, tags)
        device.tags = len(tags)
        if "read" in offer.capabilities:
            device.how = "read"
            if tags:
                await self._read(component, tags, device)
        elif "subscribe" in offer.capabilities and offer.replay == "none":
            device.how = "subscribed"
            await self._listen(component, device)
        else:
            device.how = "opened"
        if "browse" in offer.capabilities and any(one.closest for one in device.unread):
            await self._name_closest(component, device)
        for one in device.unread:
            one.closest = "" if one.closest == "?" else one.closest

    async def close(self, component: Component) -> None:
        await self._attachment.ask(component.id, CLOSE_WITHIN, margin=0.5, close=requests.Close())

    async def _ask(self, component: Component, **what: Any) -> Any:
        return ok(await self._attachment.ask(component.id, self._within, **what))

    async def _open(self, component: Component, tags: Sequence[TagSpec]) -> None:
        settings, secrets = Settings(component, self._deployment, self._secrets)()
        self._hidden.update(value.decode() for value in secrets.values())
        self.veil = Veil(self._hidden)
        message = requests.open_connector(
            component, tags, settings, secrets, epoch=1, linger=0.01, credit=CREDIT
        )
        await self._ask(component, open=message)

    async def _browsed(self, component: Component) -> tuple[TagSpec, ...]:
        spec = component.browse
        assert spec is not None
        include, exclude = Selector(spec.include), Selector(spec.exclude)
        nodes = await all_pages(self._attachment, component.id, str(spec.root), spec.depth)
        known = {tag.name for tag in component.tags}
        found = (
            tag_at(component, node)
            for node in nodes
            if node.is_variable and include.matches(node.path) and not exclude.matches(node.path)
        )
        return (*component.tags, *(tag for tag in found if tag.name not in known))

    async def _read(self, component: Component, tags: Sequence[TagSpec], device: Device) -> None:
        ask = requests.Read(tags=range(1, len(tags) + 1))
        reply = (await self._ask(component, read=ask)).read
        reasons = {problem.tag: problem.text for problem in reply.problems}
        codes: dict[int, int] = {}
        for encoded in reply.batches:
            batch = decode_batch(encoded)
            codes |= zip(batch.tags().tolist(), batch.qualities().tolist(), strict=True)
        for handle, tag in enumerate(tags, 1):
            code = codes.get(handle)
            if code is not None and not quality.is_bad(code):
                device.read += 1
                continue
            told = reasons.get(handle, "") or (_words(code) if code else "not answered")
            address = tag.name if tag.address is None else str(tag.address)
            unknown = code is not None and code & 0xFFFF0000 in UNKNOWN
            device.unread.append(Unread(tag.name, address, legible(told), "?" if unknown else ""))

    async def _listen(self, component: Component, device: Device) -> None:
        """Nothing is acknowledged, so the source forgets nothing."""
        heard: set[int] = set()
        every = asyncio.Event()

        def hear(publication: Any) -> None:
            heard.update(decode_batch(publication.batch).tags().tolist())
            self._attachment.receipt(component.id, credit=1)
            if len(heard) >= device.tags:
                every.set()

        self._heard[component.id] = hear
        await self._ask(component, subscribe=requests.Subscribe())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LISTEN):
                await every.wait()
        device.read = len(heard)

    def _publication(self, publication: Any) -> None:
        if hear := self._heard.get(publication.component):
            hear(publication)

    async def _name_closest(self, component: Component, device: Device) -> None:
        """What the device has instead, found within a few seconds or not at all."""
        wanted = [one for one in device.unread if one.closest == "?"]
        found = await nearest(
            self._attachment,
            component.id,
            [one.address for one in wanted],
            [v for v in component.settings.values() if isinstance(v, str)],
        )
        for one, closest in zip(wanted, found, strict=True):
            one.closest = legible(closest)


def _words(code: int) -> str:
    """BadNodeIdUnknown → node id unknown, for those whose plugin has no words of its own."""
    name = quality.name(code)
    words = re.findall(r"[A-Z][a-z]+", name.removeprefix("Bad"))
    return " ".join(words).lower() if words and name in quality.CODES else name


def not_probed(component: Component, offer: Offer) -> str:
    """Why nobody asks it; empty when somebody does."""
    if "deliver" in offer.capabilities:
        return "not probed: it would write"
    if component.placement == "remote":
        return "not probed: it runs elsewhere (placement: remote)"
    return ""


async def probe(
    deployment: Deployment,
    offers: Mapping[str, Offer],
    within: float,
    watch: Callable[[Mapping[str, float]], None] = lambda waiting: None,
) -> list[Device]:
    """watch: told once a second whom it waits for, and since when."""
    with tempfile.TemporaryDirectory(prefix="bp-") as folder:
        prober = Prober(deployment, offers, within, Path(folder))
        probing = asyncio.create_task(prober.run())
        while not (await asyncio.wait([probing], timeout=1.0))[0]:
            watch(prober.waiting)
        return probing.result()
