"""A component's settings as its plugin gets them, with secrets taken out and sent apart."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from bedplate.config.deployment import Component, Deployment, resolve_settings
from bedplate.config.secrets import Secret


class Resolving(Protocol):
    """What knows the secret of a reference; Secrets, or what a component holds of them."""

    def resolve(self, reference: str) -> Secret: ...


class Settings:
    """Resolved anew at each Open, so that a rotated secret is picked up. schema: of the settings; files that are left
    out start beside the deployment file, as written ones do. Raises SecretError."""

    def __init__(
        self,
        component: Component,
        deployment: Deployment,
        secrets: Resolving,
        schema: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._component = component
        self._deployment = deployment
        self._secrets = secrets
        self._left_out = {
            name: str(deployment.folder(part["default"]))
            for name, part in schema.get("properties", {}).items()
            if part.get("format") == "path" and isinstance(part.get("default"), str)
        }

    def __call__(self) -> tuple[Mapping[str, Any], Mapping[str, bytes]]:
        """Plain settings, and JSON pointer → secret."""
        found: dict[str, bytes] = {}
        settings = resolve_settings(self._component, self._deployment)
        return self._without_secrets(self._left_out | settings, "", found), found

    def _without_secrets(self, value: Any, pointer: str, found: dict[str, bytes]) -> Any:
        if isinstance(value, dict) and set(value) == {"secret"}:
            found[pointer] = self._secrets.resolve(value["secret"]).reveal().encode()
            return ""
        if isinstance(value, dict):
            return {
                k: self._without_secrets(v, f"{pointer}/{_escaped(k)}", found)
                for k, v in value.items()
            }
        if isinstance(value, list):
            return [self._without_secrets(v, f"{pointer}/{i}", found) for i, v in enumerate(value)]
        return value


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
