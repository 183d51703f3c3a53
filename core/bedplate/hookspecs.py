"""The hooks: where a plugin that extends the platform is heard. These docstrings are the reference.

A hook is for control only, never for data. A plugin writes `@hookimpl def bedplate_…(…)` in a module or on an object
and names it in the entry point group `bedplate.hooks`. It then runs inside the kernel, so it is loaded only when the
operator has placed a component of the same distribution `inline`, which is a grant of trust.

All hooks are plain functions (no `async def`), take any of the arguments by name and no others, and run on a thread of
their plugin, one call at a time. What one raises or how long it takes is recorded on its plugin and harms nobody else.
There are only hooks that something calls; an argument may be added, and none is taken away within a major of the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pluggy

PROJECT = "bedplate"
hookimpl = pluggy.HookimplMarker(PROJECT)
_hookspec = pluggy.HookspecMarker(PROJECT)


@_hookspec
def bedplate_status_changed(component: str, state: str, reason: str, at: int) -> None:
    """A component has changed its state.

    component: its id · state: starting, up, degraded, unreachable, off, set aside, faulted, invalid, stopping or
    stopped · reason: in words · at: ns UTC. In order for each component. Told, not asked: the kernel waits for nothing,
    and when a plugin is 1,000 calls behind, further ones are left out for it and counted.
    """


@_hookspec
def bedplate_audit_written(record: Mapping[str, Any]) -> None:
    """A line of the kernel's audit log is on disk.

    record: the line as it stands there: index (an int, rises by one), time (RFC 3339, UTC), mono (monotonic clock, s),
    clock (synced, unsynced, unknown), action, verdict (allowed, refused, noted), who, method, peer, resource, rule,
    text, credential (fingerprint), correlation (of a command or deployment), hash (of the line in the chain, hex); read
    only. In the order of the log. Told, not asked, as bedplate_status_changed. It is
    no place to object: security modules are.
    """


@_hookspec
def bedplate_resolve_secret(reference: str) -> str | None:
    """A secret is wanted whose reference is of no scheme of the kernel's own, such as `vault:plant/press#password`.

    reference: as the deployment file has it, scheme and all. Returns the secret, as text of at most 64 KiB; None when
    its scheme is another plugin's; raises when it can't be had, in words that hold no secret, since people read them.
    Asked within 5 s, one plugin after the other, until one answers: when a component opens that names it, for a plan,
    and once a minute, so that a secret that was changed is noticed. A component that can't have its secret does not
    open, and is tried again like one whose device is silent.
    """


@_hookspec
def bedplate_shutdown(reason: str) -> None:
    """The kernel stops. reason: in words. Everything else has ended; 2 s are left to release what is held."""
