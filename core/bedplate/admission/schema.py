"""config.schema.json: what `check` knows of a plugin's settings without running it.

It lies beside the manifest. `python -m bedplate.admission.schema PACKAGE` imports the package and writes it, and with
a plugin folder in its place the modules there;
with --check it only says whether it is stale (exit code 1). Reading it imports nothing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bedplate import strict_json
from bedplate.admission.discovery import entry_points, find_manifest
from bedplate.admission.manifest import NAME as MANIFEST
from bedplate.admission.manifest import Manifest, OfferEntry, parse, wording
from bedplate.config.deployment import PluginSchema
from bedplate.config.grammar import RESERVED, TAG
from bedplate.errors import AdmissionError

NAME = "config.schema.json"
MAX_BYTES = 1 << 20
# `data_type` may be the plugin's own: a device's types say more than the kernel's.
RESERVED_OF_TAG = set(TAG["properties"]) - {"data_type"}


class OfferSchema(BaseModel):
    """One offer in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    capabilities: tuple[str, ...] = ()
    settings: dict[str, Any]
    tag: dict[str, Any] = {}
    address: dict[str, Any] = {}
    inputs: tuple[str, ...] = ()

    def of(self, use: str, capabilities: Sequence[str]) -> PluginSchema:
        """As the deployment file's reader wants it, with the capabilities that the manifest declares."""
        return PluginSchema(
            use, self.kind, (*capabilities,), self.settings, self.tag, self.address, self.inputs
        )

    def problems(self) -> Iterator[str]:
        """Names that belong to the kernel."""
        for name in _names(self.settings):
            if name in RESERVED:
                yield f"setting `{name}` has the name of a kernel word; give it another"
        for name in _names(self.tag):
            if name in RESERVED_OF_TAG:
                yield f"tag setting `{name}` has the name of a kernel word; give it another"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    offers: dict[str, OfferSchema]


def read_schemas(manifest_file: Path, package: str) -> Mapping[str, OfferSchema]:
    """use → schema, from the file beside this manifest. package: or folder that it is made from, "" when the plugin
    is no Python. Raises AdmissionError, which says how to make it again."""
    file = manifest_file.with_name(NAME)
    made = f"makes it with: python -m bedplate.admission.schema {package}"
    cure = f"; its author {made if package else 'writes it beside the manifest'}"
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise AdmissionError(f"{file}: {error.strerror}{cure}") from None
    if len(content) > MAX_BYTES:
        raise AdmissionError(f"{file}: larger than {MAX_BYTES >> 20} MiB")
    try:
        return _File.model_validate(strict_json.loads(content)).offers
    except ValidationError as error:
        raise AdmissionError(f"{file}: {next(wording(error))}{cure}") from None
    except (ValueError, RecursionError) as error:
        raise AdmissionError(f"{file}: is no JSON: {error}{cure}") from None


def check_offer(entry: OfferEntry, schema: OfferSchema | None) -> OfferSchema:
    """The schema of an offer, held against the manifest. Raises AdmissionError."""
    if schema is None:
        raise AdmissionError(f"{NAME} does not know `{entry.use}`, which the manifest offers")
    if schema.kind != entry.kind:
        raise AdmissionError(
            f"`{entry.use}` is of kind {entry.kind} in the manifest, {schema.kind} in {NAME}"
        )
    if missing := [name for name in entry.capabilities if name not in schema.capabilities]:
        raise AdmissionError(
            f"`{entry.use}` declares {', '.join(missing)}, which its class does not have"
        )
    if problem := "; ".join(schema.problems()):
        raise AdmissionError(f"`{entry.use}`: {problem}")
    return schema


def generate(package: str, manifest: Manifest) -> str:
    """The text of the file. Imports the plugin. Raises AdmissionError, and whatever its modules raise."""
    from bedplate.admission.describing import describe

    if manifest.run:
        raise AdmissionError(f"a plugin with [run] is no Python; its author writes {NAME}")
    points = {point.name: point.value for point in entry_points() if _is_in(point.module, package)}
    offers = {}
    for entry in manifest.offer:
        target = entry.target or points.get(entry.use) or next(iter(points.values()), "")
        offers[entry.use] = describe(_load(target, entry.use))
        check_offer(entry, OfferSchema.model_validate(offers[entry.use]))
    return json.dumps({"offers": offers}, indent=2, ensure_ascii=False) + "\n"


def _found(place: str) -> tuple[Path, str]:
    """The manifest of a package, or of a plugin folder, whose modules are then importable; and the package."""
    if "/" not in place and place != ".":
        return find_manifest(place), place
    folder = Path(place).absolute()
    if not (folder / MANIFEST).is_file():
        raise AdmissionError(f"no {MANIFEST} in {folder}")
    sys.path.append(str(folder))
    return folder / MANIFEST, ""


def _load(target: str, use: str) -> Any:
    module, _, name = target.partition(":")
    if not name:
        raise AdmissionError(
            f"`{use}`: no class; install the package (its entry point names one), or write class = in the manifest"
        )
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise AdmissionError(f"`{use}`: can't load {target}: {error}") from None


def _is_in(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def _names(schema: Mapping[str, Any]) -> Sequence[str]:
    properties = schema.get("properties")
    return [*properties] if isinstance(properties, dict) else []


def main(arguments: Sequence[str] | None = None) -> int:
    """0 written or fresh; 1 stale, or wrong in a way that is told; 2 called wrongly."""
    parser = argparse.ArgumentParser(
        prog="python -m bedplate.admission.schema",
        description="Write config.schema.json of a plugin.",
    )
    parser.add_argument(
        "package", help="the plugin's package, such as bedplate_acme, or its folder: . or with a /"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 when it is stale"
    )
    options = parser.parse_args(arguments)
    try:
        manifest_file, package = _found(options.package)
        text = generate(package, parse(manifest_file.read_bytes(), str(manifest_file)))
    except AdmissionError as error:
        print(error, file=sys.stderr)
        return 1
    file = manifest_file.with_name(NAME)
    fresh = file.is_file() and file.read_text(encoding="utf-8") == text
    if options.check and not fresh:
        print(
            f"{file} is stale; make it again: python -m bedplate.admission.schema {options.package}",
            file=sys.stderr,
        )
        return 1
    if not fresh:
        file.write_text(text, encoding="utf-8")
        print(file)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
