"""The deployment file: strict YAML, types and rows, all errors at once; in the end a frozen Deployment.

`load` reads, `unserved` says what `run` must refuse, `resolve_settings` is what a plugin gets, `Secrets` resolves
references late, `editor_schema` makes editors complete. Nothing here contacts anything or runs a plugin's code.
"""

from bedplate.config.canonical import canonical
from bedplate.config.deployment import (
    ApiSettings,
    Asset,
    AuditSettings,
    Browse,
    Buffer,
    Component,
    Deployment,
    JournalSettings,
    PluginSchema,
    PluginSettings,
    Schemas,
    TagSpec,
    TelemetrySettings,
    WriteLimits,
    WriteRule,
    WriteSettings,
    resolve_settings,
)
from bedplate.config.editor import editor_schema
from bedplate.config.grammar import RESERVED
from bedplate.config.loading import load, parse, plugin_settings, plugin_settings_in
from bedplate.config.quantities import duration, size
from bedplate.config.secrets import Secret, SecretError, Secrets, redact
from bedplate.config.unserved import unserved

__all__ = [
    "RESERVED",
    "ApiSettings",
    "Asset",
    "AuditSettings",
    "Browse",
    "Buffer",
    "Component",
    "Deployment",
    "JournalSettings",
    "PluginSchema",
    "PluginSettings",
    "Schemas",
    "Secret",
    "SecretError",
    "Secrets",
    "TagSpec",
    "TelemetrySettings",
    "WriteLimits",
    "WriteRule",
    "WriteSettings",
    "canonical",
    "duration",
    "editor_schema",
    "load",
    "parse",
    "plugin_settings",
    "plugin_settings_in",
    "redact",
    "resolve_settings",
    "size",
    "unserved",
]
