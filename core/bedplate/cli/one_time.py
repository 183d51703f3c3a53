"""A connector used once, without a kernel: for `browse` and `read`, by the same code that serves it in a deployment.

Settings come from a component of a deployment file, or bare as key=value.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bedplate import strict_json
from bedplate.admission.candidate import Offer, Survey, schemas_for
from bedplate.admission.reading import admit, read_deployment, survey_of
from bedplate.config import Deployment, TagSpec, parse
from bedplate.config.veil import Veil
from bedplate.errors import BedplateError
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
from bedplate.remote.host import PluginHost
from bedplate.runtime import requests
from bedplate.runtime.confining import Confiner
from bedplate.runtime.launch import Launch
from bedplate.runtime.process import PluginProcess

WITHIN = 30.0  # s


@dataclass
class Target:
    """What is to be asked. component: of the deployment that was read or made up."""

    offer: Offer
    deployment: Deployment
    component: Any
    tags: Sequence[TagSpec] = field(default_factory=tuple)


def target(words: Sequence[str], plugins: Sequence[Path], addresses: Sequence[str] = ()) -> Target:
    """`plant.yaml component` or `use key=value …`. Raises BedplateError that says what is wrong."""
    if words and Path(words[0]).suffix in (".yaml", ".yml"):
        return _of_file(Path(words[0]), words[1:], plugins)
    if not words:
        raise BedplateError(
            "name a deployment file and a component, or a plugin and its settings as key=value"
        )
    return _bare(words[0], words[1:], survey_of(None, plugins), addresses)


def _of_file(file: Path, words: Sequence[str], plugins: Sequence[Path]) -> Target:
    found, deployment = read_deployment(file, plugins)
    offers = admit(found, deployment).offers
    connectors = [c for c in deployment.components if c.kind == "connector"]
    names = ", ".join(c.id for c in connectors[:10])
    if not words:
        raise BedplateError(f"name a component of {file}: {names}")
    component = next((c for c in connectors if c.id == words[0]), None)
    if component is None:
        raise BedplateError(f"{file} has no connector {words[0]}; it has {names}")
    chosen = [t for t in component.tags if not words[1:] or t.name in words[1:]]
    return Target(offers[component.use], deployment, component, chosen)


def _bare(use: str, words: Sequence[str], found: Survey, addresses: Sequence[str]) -> Target:
    if use not in found.offers:
        raise BedplateError(
            found.why_not(use)
            or f"no plugin offers {use}; installed: {', '.join(sorted(found.offers))}"
        )
    settings = dict(setting(word) for word in words)
    text_only = found.offers[use].schema.address.get("type") == "string"  # then 40001 is a text too
    wanted = [address if text_only else _value(address) for address in addresses]
    tags = {f"tag-{n}": {"address": address} for n, address in enumerate(wanted, 1)}
    text = {
        "bedplate": 1,
        "name": "once",
        "connectors": {use: {"use": use, **settings, **({"tags": tags} if tags else {})}},
    }
    deployment = parse(
        json.dumps(text).encode(), "command line", Path.cwd(), schemas_for(found), found.offers
    )
    component = deployment.components[0]
    return Target(found.offers[use], deployment, component, component.tags)


def setting(word: str) -> tuple[str, Any]:
    key, equals, value = word.partition("=")
    if not equals:
        raise BedplateError(f"{word!r} is no setting; write key=value")
    return key, _value(value)


def _value(text: str) -> Any:
    """Numbers and truth values as such, everything else as text."""
    try:
        parsed = strict_json.loads(text)
    except ValueError:
        return text
    return parsed if isinstance(parsed, (int, float, bool, dict, list)) else text


class OneTime:
    """The plugin's process for the time of one command."""

    def __init__(self, wanted: Target) -> None:
        self._wanted = wanted

    async def __aenter__(self) -> OneTime:
        async with contextlib.AsyncExitStack() as opened:
            await self._open(opened)
            self._opened = opened.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._opened.aclose()

    async def _open(self, opened: contextlib.AsyncExitStack) -> None:
        import tempfile

        offer = self._wanted.offer
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="bp-")))
        host = PluginHost(folder)
        opened.push_async_callback(host.stop)
        await host.start()
        if offer.verify:
            offer = await asyncio.to_thread(offer.verify)
        member = (self._wanted.component, offer)
        confiner = Confiner(self._wanted.deployment, folder)
        process = PluginProcess(
            Launch.of(offer, [offer], offer.use),
            host,
            Path.cwd(),
            confine=lambda launch: confiner.confine(launch, [member]),
        )
        opened.push_async_callback(process.stop, 1.0)
        message, veil = self._open_message()
        process.hides(lambda: veil)
        self.attachment: Attachment = await process.start()
        self.attachment.veil = lambda: veil
        await self.ask(open=message)

    def _open_message(self) -> tuple[Any, Veil]:
        """With what hides the secrets in it."""
        from bedplate.runtime.secret_book import secrets_of
        from bedplate.runtime.settings import Settings

        component, deployment = self._wanted.component, self._wanted.deployment
        settings, secrets = Settings(component, deployment, secrets_of(deployment))()
        message = requests.open_connector(
            component, self._wanted.tags, settings, secrets, epoch=1, linger=0.01
        )
        return message, Veil(value.decode() for value in secrets.values())

    async def ask(self, **what: Any) -> Any:
        """One ask. Raises BedplateError with the plugin's own words."""
        try:
            reply = await self.attachment.ask(self._wanted.component.id, WITHIN, **what)
        except (ConnectionError, TimeoutError) as error:
            raise BedplateError(str(error)) from error
        if reply.answer.code != plugin_pb2.CODE_OK:
            raise BedplateError(
                "; ".join(p.text for p in reply.answer.problems) or reply.answer.text or "no answer"
            )
        return reply


def once(wanted: Target, **what: Any) -> Any:
    """Opens, asks, closes. Raises BedplateError."""

    async def run() -> Any:
        async with OneTime(wanted) as opened:
            return await opened.ask(**what)

    return asyncio.run(run())


def browsed(wanted: Target, below: str, depth: int) -> list[Any]:
    """The nodes below an address, of all pages. Raises BedplateError."""

    async def run() -> list[Any]:
        nodes: list[Any] = []
        page = b""
        async with OneTime(wanted) as opened:
            while True:
                ask = requests.Browse(below=below, depth=depth, page=page)
                found = (await opened.ask(browse=ask)).browse
                nodes += found.nodes
                page = found.next_page
                if not page:
                    return nodes

    return asyncio.run(run())


def capable(wanted: Target, capability: str) -> None:
    """Raises BedplateError when the plugin does not declare it."""
    if capability not in wanted.offer.capabilities:
        raise BedplateError(
            f"{wanted.offer.use} can't {capability}; it can {', '.join(wanted.offer.capabilities)}"
        )
