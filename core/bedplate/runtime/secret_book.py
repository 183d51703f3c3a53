"""Which secrets the components of a kernel have: each its own, those that its settings name, as its session got them.

Rule: a value is compared by a keyed digest, whose key is made at the start and never leaves the process, so nothing
that is kept or shown can be guessed at. A component's secrets are looked up on a thread, when it opens and when what
they come from looks different; what can't be had then changes nothing that runs. Ends no session: `rotation` does.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Mapping

from bedplate.config.deployment import Component, Deployment
from bedplate.config.secrets import (
    BUILT_IN,
    Hook,
    Secret,
    SecretError,
    Secrets,
    file_of,
    references,
)

ABSENT = "absent"
Mark = tuple[object, ...]


class SecretBook:
    """Of one kernel. hook: asked for references of schemes that plugins know; set before the first component opens ·
    told: hears of a component, that its secrets have `changed` or are `absent`, and that in words; must not block."""

    def __init__(
        self, key: bytes, told: Callable[[str, str, str], None] = lambda component, what, text: None
    ) -> None:
        self._key = key
        self.told = told
        self.hook: Hook | None = None
        self.held: dict[str, Held] = {}

    def secrets(self, deployment: Deployment) -> Secrets:
        """What resolves the references of a deployment. Blocking."""
        return secrets_of(deployment, hook=self.hook)

    def hold(self, component: Component, deployment: Deployment) -> Held:
        """Those of one component from now on, none of them looked up."""
        before = self.held.get(component.id)
        held = Held(component, deployment, self, before.values if before else ())
        self.held[component.id] = held
        return held

    def stands(self, deployment: Deployment) -> None:
        """This one runs now: whoever it did not touch finds its secrets by it too."""
        for held in self.held.values():
            held.deployment = deployment

    def version(self, value: str) -> str:
        """Equal for equal values, and of no use to anybody else."""
        return hmac.new(self._key, value.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def versions(self, component: Component, deployment: Deployment) -> dict[str, str]:
        """As they are now, by reference. Blocking."""
        known = self.secrets(deployment)
        return {one: self._version(known, one) for one in references(component.settings)}

    def _version(self, known: Secrets, reference: str) -> str:
        try:
            return self.version(known.resolve(reference).reveal())
        except SecretError:
            return ABSENT

    def in_use(self) -> dict[str, dict[str, str]]:
        """Of each component that has opened with secrets, the versions that it has."""
        return {id_: dict(held.versions) for id_, held in self.held.items() if held.versions}


class Held:
    """Of one component. versions: reference → version, of what its session got; none before it opened · values: those
    and the ones before them, for the veil · trouble: why what they come from can't be had now; empty: it can."""

    def __init__(
        self,
        component: Component,
        deployment: Deployment,
        book: SecretBook,
        values: Iterable[str] = (),
    ) -> None:
        self.component = component.id
        self.references = tuple(dict.fromkeys(references(component.settings)))
        self.deployment, self._book = deployment, book
        self._got: dict[str, Secret] = {}
        self.versions: Mapping[str, str] = {}
        self.values = tuple(values)
        self.trouble = ""
        self._seen: dict[str, Mark] = {}
        self.veiled: Callable[[], None] = lambda: None  # hears that the values are others

    async def fetch(self) -> None:
        """Looks them up, for the session that begins. Raises SecretError."""
        if not self.references:
            return
        marks = self._marks()
        got = await asyncio.to_thread(self._look)
        fresh = tuple(secret.reveal() for secret in got.values())
        before = [value for value in self.values if value not in fresh]
        self._got, self._seen, self.trouble = got, marks, ""
        before_it, self.versions = self.versions, self._versions(got)
        if changed := [one for one in before_it if self.versions[one] != before_it[one]]:
            text = (
                f"secret {' and '.join(changed)} has changed; {self.component} opens anew with it"
            )
            self._book.told(self.component, "changed", text)
        self.values = (*fresh, *before[: len(fresh)])
        self.veiled()

    def resolve(self, reference: str) -> Secret:
        """What was fetched. Raises SecretError."""
        if reference not in self._got:
            raise SecretError("secret: is not one of this component")
        return self._got[reference]

    async def changed(self, *, again: bool = False) -> tuple[str, ...]:
        """The references that name something else than the session got. again: also asks where nothing can be seen from
        outside, such as plugins."""
        if not self.versions:
            return ()
        marks = self._marks()
        if marks == self._seen and not (again and self._asked):
            return ()
        try:
            got = await asyncio.to_thread(self._look)
        except SecretError as error:
            self.trouble = str(error)
            return ()
        self._seen, self.trouble = marks, ""
        now = self._versions(got)
        return tuple(one for one in self.references if now[one] != self.versions.get(one))

    def _look(self) -> dict[str, Secret]:
        known = self._book.secrets(self.deployment)
        return {reference: known.resolve(reference) for reference in self.references}

    def _versions(self, got: Mapping[str, Secret]) -> dict[str, str]:
        return {one: self._book.version(secret.reveal()) for one, secret in got.items()}

    @property
    def _asked(self) -> bool:
        return any(r.partition(":")[0] not in BUILT_IN for r in self.references)

    def _marks(self) -> dict[str, Mark]:
        """What changes when a file does, without reading it."""
        return {one: _mark(self.deployment, one) for one in self.references}


def secrets_of(deployment: Deployment, *, hook: Hook | None = None) -> Secrets:
    """What resolves the references of a deployment. Blocking."""
    written = deployment.secrets.identity
    identity = deployment.folder(written) if written else None
    return Secrets(deployment.source.folder, os.environ, identity=identity, hook=hook)


def _mark(deployment: Deployment, reference: str) -> Mark:
    identity = deployment.secrets.identity if reference.startswith("age:") else ""
    return tuple(_state(deployment, name) for name in (file_of(reference), identity) if name)


def _state(deployment: Deployment, name: str) -> Mark:
    try:
        state = os.stat(deployment.folder(name))
    except OSError as error:
        return (error.errno,)
    return (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_mode)
