"""Where one offer is tried in one placement: its processes, its cable to the simulator, sessions by one call.

A process is shared by checks that leave it as it was; one that ended, or after which a check failed, is not used again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bedplate.remote.plugin import load_offers
from bedplate.testing.conformance.certificates import PLACE
from bedplate.testing.conformance.check import NotApplicable, NotRun, code_of, expect_code
from bedplate.testing.conformance.confined import confined, why_not
from bedplate.testing.conformance.profile import OfferProfile, Profile, TagEntry
from bedplate.testing.conformance.proxy import Proxy
from bedplate.testing.conformance.session import Session
from bedplate.testing.conformance.simulator import Simulator
from bedplate.testing.conformance.subject import Subject
from bedplate.testing.door import Door
from bedplate.testing.fake_kernel import FakeKernel
from bedplate.testing.opening import asset_message, open_message
from bedplate.testing.runs import InlineRun, ProcessRun, Program, RemoteRun, Run

OPENED_WITHIN = 10  # s, tried once a second
SIM = "name a simulator: --sim 'CMD {port}' or `sim` in conformance.toml, and put {port} into its settings"


class Bench:
    """subject: what is under test · profile: what its author said of it · whole: the whole file."""

    def __init__(
        self,
        subject: Subject,
        whole: Profile,
        placement: str,
        door: Door,
        folder: Path,
        simulator: Simulator | None,
        *,
        held: bool = False,
    ) -> None:
        self.subject = subject
        self.whole = whole
        self.profile: OfferProfile = whole.of(subject.use)
        self.placement = placement
        self._held = held
        self.door = door
        self.folder = folder
        self.home = folder / "home"
        self.simulator = simulator
        self.proxy = Proxy(lambda: simulator.port if simulator else None)
        self._shared: Run | None = None
        self._runs: list[Run] = []
        self._numbers = itertools.count(1)

    # --- what the author gave ---

    @property
    def plain_settings(self) -> dict[str, Any]:
        """Valid settings as the author wrote them, or host and port where the schema has both."""
        if self.profile.settings:
            return dict(self.profile.settings)
        both = {"host", "port"} <= set(self.subject.properties())
        return {"host": "{host}", "port": "{port}"} if both else {}

    @property
    def wired(self) -> bool:
        """Whether its device is reached through the kit's proxy."""
        return "{port}" in str(self.plain_settings)

    def tags(self) -> dict[str, TagEntry]:
        """Tags that the device has; one with an empty address when the author names none."""
        known = {name: tag for name, tag in self.profile.tags.items() if not tag.missing}
        return known or {"value": TagEntry()}

    def device(self) -> Proxy:
        """The cable. Raises NotApplicable for a plugin without a device, NotRun without a simulator."""
        self._networked()
        if not self.wired or self.simulator is None:
            raise NotRun(SIM)
        return self.proxy

    def cable(self) -> Proxy:
        """The same where no simulator is needed behind it."""
        self._networked()
        if not self.wired:
            raise NotRun("put {port} into its settings in conformance.toml")
        return self.proxy

    def _networked(self) -> None:
        declared = self.subject.permissions
        if self.profile.network is False:
            raise NotApplicable("conformance.toml says network = false")
        if self.wired:
            return
        if declared is not None and not declared.network:
            raise NotApplicable("its manifest declares no network")
        if declared is None and not self.subject.names_a_network():
            raise NotApplicable("none of its settings names a host, a port or a URL")

    # --- runs ---

    def make(self, program: Program | None = None) -> Run:
        """A run that is not started yet; it is stopped with the bench. program: instead of the plugin's own."""
        program = program or (self._confined() if self._held else self.subject.program)
        if self.placement == "inline":
            run: Run = InlineRun(self.subject.kind, load_offers(dict(program.words)))
        else:
            where = (program, self.door, self.folder / f"run-{next(self._numbers)}", self.home)
            remote = self.placement == "remote"
            run = RemoteRun(*where, self.folder.parent / PLACE) if remote else ProcessRun(*where)
        self._runs.append(run)
        return run

    def _confined(self) -> Program:
        """Held to its manifest, for whatever component; as it is, where that can't be."""
        if self.placement != "process" or why_not(self.subject):
            return self.subject.program
        anywhere = self._filled(str(self.folder))
        return confined(self.subject, anywhere, self.folder, self.folder.parent)[0]

    async def held(self, component: str) -> tuple[Run, str]:
        """A new life, held to its manifest with the settings of this component; and its level."""
        settings = self.settings(component=component)
        program, level = confined(self.subject, settings, self.folder, self.folder.parent)
        run = self.make(program)
        await run.start()
        return run, level

    async def fresh(self) -> Run:
        """A new life of the plugin, attached."""
        run = self.make()
        await run.start()
        return run

    async def process(self) -> ProcessRun:
        """The same, where only a process will do."""
        run = await self.fresh()
        assert isinstance(run, ProcessRun)
        return run

    async def running(self) -> FakeKernel:
        """The life that checks share."""
        if self._shared is None or self._shared.kernel.gone.done():
            self._shared = await self.fresh()
        return self._shared.kernel

    @property
    def shared(self) -> Run | None:
        return self._shared

    async def sweep(self, *, spoilt: bool = False) -> None:
        """After a check: everything it started is stopped. spoilt: also what is shared."""
        if spoilt:
            self._shared = None
        for run in self._runs:
            if run is not self._shared:
                await run.stop()
        self._runs = [run for run in self._runs if run is self._shared]
        self.proxy.mode = "pass"
        if self.wired:
            await self.proxy.listen()

    async def close(self) -> None:
        await self.sweep(spoilt=True)
        await self.proxy.close()

    # --- sessions ---

    def settings(
        self, instead: Mapping[str, Any] | None = None, component: str = ""
    ) -> dict[str, Any]:
        """Valid settings with the port of the proxy in them, and a folder: that of the component, or one that nobody
        had before. instead: some of them replaced."""
        folder = self.folder / (component or f"place-{next(self._numbers)}")
        return self._filled(str(folder)) | dict(instead or {})

    def _filled(self, folder: str) -> dict[str, Any]:
        known = {"{port}": str(self.proxy.port), "{host}": "127.0.0.1", "{folder}": folder}
        return {n: filled(v, known) for n, v in self.plain_settings.items()}

    def message(
        self,
        settings: Mapping[str, Any] | None = None,
        tags: Mapping[str, TagEntry] | None = None,
        component: str = "",
        **more: Any,
    ) -> Any:
        """Open with valid settings, tags or asset. settings: some replaced · component: whose folder it gets."""
        plain = self.settings(settings, component)
        secrets = {
            f"/{name}": str(plain[name])
            for name, schema in self.subject.properties().items()
            if name in plain and is_secret(schema)
        }
        plain |= {pointer[1:]: "" for pointer in secrets}
        if self.subject.kind == "connector":
            chosen = self.tags() if tags is None else tags
            own = "data_type" in self.subject.tag.get("properties", {})
            more["tags"] = {name: tag.message(own_type=own) for name, tag in chosen.items()}
        message = open_message(self.subject.use, plain, secrets=secrets, **more)
        if self.subject.kind == "analytic" and not message.assets:
            message.assets.append(self.asset(self.profile.asset))
        return message

    def asset(self, path: str) -> Any:
        """The asset of conformance.toml, with its inputs."""
        made = asset_message(path, {name: f"{path}/{name}" for name in self.input_names()})
        for one in made.inputs:
            entry = self.profile.inputs.get(one.name)
            one.tag.states.update({int(k): v for k, v in (entry.labels if entry else {}).items()})
        return made

    def input_names(self) -> list[str]:
        """The tags that its settings name."""
        settings = self.plain_settings
        named = [settings[name] for name in self.subject.inputs if name in settings]
        return list(self.profile.inputs) or [name for name in named if isinstance(name, str)]

    def component(self) -> str:
        """A name that no session had before."""
        return f"kit-{next(self._numbers)}"

    def needs_a_session(self) -> None:
        """Raises NotRun when no Open can succeed."""
        if self.wired and self.simulator is None:
            raise NotRun(SIM)

    async def session(
        self, kernel: FakeKernel | None = None, component: str = "", **more: Any
    ) -> Session:
        """Opens a component and returns it. Raises Failed unless the answer is OK. more: as for `message`."""
        self.needs_a_session()
        message = self.message(component=component, **more)
        made = Session(kernel or await self.running(), component or self.component(), message)
        reply = await made.open()
        for _ in range(
            OPENED_WITHIN if self.wired else 0
        ):  # a device that had trouble may need its time
            if code_of(reply) != "UNREACHABLE":
                break
            await asyncio.sleep(1.0)
            reply = await made.open()
        expect_code(reply, "Open with the settings of conformance.toml", "OK")
        return made


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """A setting with the kit's words in it replaced; a port that stands alone is a number."""
    match value:
        case "{port}":
            return int(known[value])
        case str():
            for word, instead in known.items():
                value = value.replace(word, instead)
        case dict():
            return {key: filled(inner, known) for key, inner in value.items()}
        case list():
            return [filled(inner, known) for inner in value]
    return value


def is_secret(schema: Mapping[str, Any]) -> bool:
    """Whether a setting is marked as one."""
    parts = [schema, *schema.get("anyOf", ())]
    return any(part.get("writeOnly") or part.get("format") == "password" for part in parts)
