"""Secrets that plugins know: what a hook says to a reference of another scheme than the kernel's own."""

from __future__ import annotations

from bedplate.hooks import HookCaller

RESOLVE_WITHIN = 5.0  # s, for each plugin


class Vaults:
    """Asks the hooks of a platform. Blocking."""

    def __init__(self, hooks: HookCaller) -> None:
        self._hooks = hooks

    def __call__(self, reference: str) -> str | None:
        """The secret; None: no plugin knows the scheme. Raises OSError, whose strerror says which plugin failed how."""
        failed = ""
        for outcome in self._hooks.call_each(
            "bedplate_resolve_secret", RESOLVE_WITHIN, reference=reference
        ):
            if isinstance(outcome.value, str):
                return outcome.value
            if outcome.error or outcome.value is not None:
                why = outcome.error or "answered with what is no text"
                failed = failed or f"{outcome.plugin}: {why}"
        if failed:
            raise OSError(0, failed)
        return None
