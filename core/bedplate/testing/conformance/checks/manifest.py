"""Manifest and settings: what an operator, an editor and `bedplate check` know before any code runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from bedplate.testing.conformance.bench import Bench, is_secret
from bedplate.testing.conformance.check import SHOULD, NotApplicable, check, require

PROCESS = ("process",)
LOOKS_SECRET = ("password", "passphrase", "token", "secret", "api_key", "private_key_password")


@check(
    "PLG-101",
    "Its schemas are JSON Schema 2020-12",
    "Editors, `bedplate check` and the kernel read them; one of them stops at the first mistake.",
    "§3.1 Open",
    placements=PROCESS,
)
async def schemas_are_valid(bench: Bench) -> str:
    subject = bench.subject
    for name in ("settings", "tag", "address"):
        try:
            jsonschema.Draft202012Validator.check_schema(dict(getattr(subject, name)))
        except jsonschema.SchemaError as error:
            where = "/".join(map(str, error.absolute_path))
            require(False, f"schema of {name}, {where or 'root'}: {error.message[:200]}")
    return f"{len(subject.properties())} settings"


@check(
    "PLG-102",
    "Every setting is described",
    "The description is the help in the editor and the reference page. Who wrote the plugin is not there at night.",
    "§3.1 Open",
    level=SHOULD,
    placements=PROCESS,
)
async def settings_are_described(bench: Bench) -> str:
    if bench.subject.manifest is None:
        raise NotApplicable("a single file without a manifest is for trying, not for shipping")
    schemas = {"": bench.subject.settings, "tag ": bench.subject.tag}
    bare = [f"{where}{n}" for where, schema in schemas.items() for n in _bare(schema)]
    require(not bare, f"without a description: {', '.join(bare[:10])}")
    return f"{len(bench.subject.properties())} settings"


def _bare(schema: Mapping[str, Any]) -> Iterator[str]:
    for name, part in schema.get("properties", {}).items():
        if not part.get("description"):
            yield name
    for inner in schema.get("$defs", {}).values():
        yield from (f"{inner.get('title', '?')}.{name}" for name in _bare(inner))


@check(
    "PLG-103",
    "Secrets are marked as secrets",
    "Only what the schema marks is asked for by reference, kept out of logs and sent apart from the settings.",
    "§3.1 Open",
    placements=PROCESS,
)
async def secrets_are_marked(bench: Bench) -> str:
    found = {
        name: schema
        for name, schema in bench.subject.properties().items()
        if name.lower() in LOOKS_SECRET or name.lower().endswith(("_password", "_token", "_secret"))
    }
    plain = [name for name, schema in found.items() if not is_secret(schema)]
    require(not plain, f"not marked (SecretStr, or writeOnly in the schema): {', '.join(plain)}")
    return ", ".join(found) or "no setting has the name of a secret"


@check(
    "PLG-104",
    "The manifest says whom to ask",
    "`support` is printed where the fault is the plugin's. Who finds it at night has nobody else.",
    "§2 Starting a plugin",
    level=SHOULD,
    placements=PROCESS,
)
async def somebody_to_ask(bench: Bench) -> str:
    subject = bench.subject
    if subject.manifest is None:
        raise NotApplicable("it has no manifest")
    require(subject.support.strip(), "the manifest has no `support`")
    return subject.support


@check(
    "PLG-105",
    "Valid settings pass the schema, wrong ones do not pass the plugin",
    "What `bedplate check` accepts without running the plugin must be what the plugin accepts.",
    "§3.1 Open",
    level=SHOULD,
    placements=PROCESS,
)
async def settings_fit_the_schema(bench: Bench) -> str:
    schema = dict(bench.subject.settings)
    if not schema:
        raise NotApplicable("it has no schema of settings")
    validator = jsonschema.Draft202012Validator(_without_own(schema))
    errors = [
        f"/{'/'.join(map(str, error.absolute_path))}: {error.message[:150]}"
        for error in validator.iter_errors(bench.settings())
    ]
    require(not errors, f"settings of conformance.toml against the schema: {'; '.join(errors[:3])}")
    return "valid"


def _without_own(schema: Any) -> Any:
    """Without what the kernel replaces before the plugin sees it: names of calendars."""
    if isinstance(schema, dict):
        if schema.get("x-bedplate-calendar"):
            return {}
        return {key: _without_own(value) for key, value in schema.items()}
    return [_without_own(one) for one in schema] if isinstance(schema, list) else schema
