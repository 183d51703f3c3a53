"""Looks at every entry point and every file given with --plugin; each ends as one explained Candidate.

Rule: nothing here imports a plugin, and nothing that is wrong with one hides or hurts another.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bedplate.admission.candidate import Candidate, Offer, Survey
from bedplate.admission.discovery import EntryPoint, entry_points, find_manifest
from bedplate.admission.manifest import MAX_BYTES, Manifest, claims, parse
from bedplate.admission.probe import probe
from bedplate.admission.schema import OfferSchema, check_offer, read_schemas
from bedplate.errors import AdmissionError

Probe = Callable[[Path], dict[str, tuple[str, dict[str, Any]]]]


def survey(extra_files: Sequence[Path] = (), probe: Probe = probe) -> Survey:
    """Everything that could be a plugin. extra_files: single Python files, each run once in a process of its own.

    A file goes before an installed plugin that offers the same name, as its author would want; two of a kind are both
    refused, since nobody could say which was meant.
    """
    points = entry_points()
    installed = _settle([_installed(point, points) for point in points])
    files = _settle([_single(file, probe) for file in dict.fromkeys(extra_files)])
    taken = {use: c.name for c in files if c.verdict != "refused" for use in c.uses}
    return Survey((*(_give_way(candidate, taken) for candidate in installed), *files))


def survey_with(files: Sequence[Path]) -> Survey:
    """The same for somebody who named these files. Raises AdmissionError when one of them can't be used: an installed
    plugin of the same name must not take its place unsaid."""
    found = survey(files)
    named = {str(file) for file in files}
    refused = [c for c in found.candidates if c.verdict == "refused" and c.distribution in named]
    if refused:
        told = ((c.distribution, c.reason) for c in refused)
        lines = (why if why.startswith(file) else f"{file}: {why}" for file, why in told)
        raise AdmissionError("\n".join(lines))
    return found


def _installed(point: EntryPoint, points: Iterable[EntryPoint]) -> Candidate:
    candidate = Candidate(point.name, point.distribution, point.version, "refused", point.problem)
    if point.problem:
        return candidate
    content = b""
    try:
        file = find_manifest(point.module)
        content = _read(file)
        manifest = parse(content, str(file))
        siblings = {other.name for other in points if other.distribution == point.distribution} - {
            point.name
        }
        offers = _offers(
            point, manifest, siblings, read_schemas(file, point.module.partition(".")[0])
        )
    except AdmissionError as error:
        return Candidate(
            point.name, point.distribution, point.version, "refused", str(error), claims(content)
        )
    uses = tuple(offer.use for offer in offers)
    return Candidate(
        point.name, point.distribution, point.version, "admissible", "", uses, offers, manifest
    )


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise AdmissionError(f"{file}: {error.strerror}") from None


def _offers(
    point: EntryPoint, manifest: Manifest, siblings: set[str], schemas: Any
) -> tuple[Offer, ...]:
    """What this entry point stands for: every offer of its manifest that no sibling is named after."""
    entries = [
        entry for entry in manifest.offer if entry.use == point.name or entry.use not in siblings
    ]
    offers = []
    for entry in entries:
        own = entry.use == point.name or len(entries) == 1
        target = entry.target or (point.value if own and ":" in point.value else "")
        if not target:
            raise AdmissionError(
                f'`{entry.use}` names no class; write class = "{point.module}:…" under its [[offer]]'
            )
        schema = check_offer(entry, schemas.get(entry.use))
        offers.append(
            Offer(
                use=entry.use,
                kind=entry.kind,
                capabilities=entry.capabilities,
                replay=entry.replay,
                target=target,
                plugin=point.distribution,
                version=point.version,
                schema=schema.of(entry.use, entry.capabilities),
                support=manifest.support,
                permissions=manifest.permissions,
            )
        )
    _check_permissions(manifest, schemas.values())
    return tuple(offers)


def _check_permissions(manifest: Manifest, schemas: Iterable[OfferSchema]) -> None:
    """`$x` in a permission must be somebody's setting, or nobody could ever tell what it allows."""
    known = {name for schema in schemas for name in schema.settings.get("properties", {})}
    if unknown := sorted(manifest.permissions.settings() - known):
        raise AdmissionError(f"permissions: ${unknown[0]} is no setting of what it offers")


def _single(file: Path, probe: Probe) -> Candidate:
    try:
        content = file.read_bytes()
        version = f"file {hashlib.sha256(content).hexdigest()[:8]}"
    except OSError as error:
        return Candidate(file.name, str(file), "", "refused", f"{file}: {error.strerror}")
    try:
        offers = tuple(
            _offer_of(file, version, use, name, OfferSchema.model_validate(described))
            for use, (name, described) in probe(file).items()
        )
    except AdmissionError as error:
        return Candidate(file.name, str(file), version, "refused", str(error))
    uses = tuple(offer.use for offer in offers)
    return Candidate(file.name, str(file), version, "admissible", "", uses, offers)


def _offer_of(file: Path, version: str, use: str, name: str, schema: OfferSchema) -> Offer:
    if problem := "; ".join(schema.problems()):
        raise AdmissionError(f"{file}: {name}: {problem}")
    return Offer(
        use=use,
        kind=schema.kind,
        capabilities=schema.capabilities,
        replay="none",
        target=f"{file.name}:{name}",
        plugin=file.name,
        version=version,
        schema=schema.of(use, schema.capabilities),
        file=file.absolute(),
    )


def _settle(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Refuses those that offer the same name. One that is refused already takes no name from others."""
    sound = [candidate for candidate in candidates if candidate.verdict != "refused"]
    counts = Counter(use for candidate in sound for use in candidate.uses)
    settled = []
    for candidate in candidates:
        twice = [use for use in candidate.uses if counts[use] > 1]
        if candidate.verdict != "refused" and twice:
            others = [
                f"{c.name} of {c.distribution}"
                for c in sound
                if c is not candidate and twice[0] in c.uses
            ]
            reason = (
                f"`{twice[0]}` is also offered by {' and '.join(others)}; uninstall one of them"
            )
            candidate = candidate.refused(reason)  # noqa: PLW2901
        settled.append(candidate)
    return settled


def _give_way(candidate: Candidate, taken: dict[str, str]) -> Candidate:
    for use in candidate.uses:
        if candidate.verdict != "refused" and use in taken:
            return candidate.refused(f"`{use}` comes from {taken[use]}, given with --plugin")
    return candidate
