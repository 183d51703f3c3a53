"""An entry point as a candidate: its manifest and schema, found beside its package without importing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bedplate.admission.candidate import Candidate, Offer
from bedplate.admission.discovery import EntryPoint, find_manifest
from bedplate.admission.manifest import MAX_BYTES, Manifest, claims, parse
from bedplate.admission.schema import OfferSchema, check_offer, read_schemas
from bedplate.errors import AdmissionError


def of_entry_point(
    point: EntryPoint, points: Iterable[EntryPoint], path: Sequence[Path] | None = None
) -> Candidate:
    """points: all there are · path: where packages lie, by default where this interpreter finds them."""
    candidate = Candidate(point.name, point.distribution, point.version, "refused", point.problem)
    if point.problem:
        return candidate
    content = b""
    try:
        file = find_manifest(point.module, path)
        content = read(file)
        manifest = parse(content, str(file))
        siblings = {other.name for other in points if other.distribution == point.distribution}
        schemas = read_schemas(file, point.module.partition(".")[0])
        offers = _offers(point, manifest, siblings - {point.name}, schemas)
    except AdmissionError as error:
        return Candidate(
            point.name, point.distribution, point.version, "refused", str(error), claims(content)
        )
    uses = tuple(offer.use for offer in offers)
    return Candidate(
        point.name, point.distribution, point.version, "admissible", "", uses, offers, manifest
    )


def read(file: Path) -> bytes:
    """A manifest's bytes, no more than it may have. Raises AdmissionError."""
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise AdmissionError(f"{file}: {error.strerror}") from None


def _offers(
    point: EntryPoint, manifest: Manifest, siblings: set[str], schemas: Mapping[str, OfferSchema]
) -> tuple[Offer, ...]:
    """What this entry point stands for: every offer of its manifest that no sibling is named after."""
    if manifest.run:
        raise AdmissionError(
            "[run] is for plugin folders; an installed package is run by its Python"
        )
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
                idempotent=entry.idempotent,
                lanes=entry.lanes,
                target=target,
                plugin=point.distribution,
                version=point.version,
                schema=schema.of(entry.use, entry.capabilities),
                support=manifest.support,
                permissions=manifest.permissions,
            )
        )
    check_permissions(manifest, schemas.values())
    return tuple(offers)


def check_permissions(manifest: Manifest, schemas: Iterable[OfferSchema]) -> None:
    """`$x` in a permission must be somebody's setting, or nobody could tell what it allows. Raises AdmissionError."""
    known = {name for schema in schemas for name in schema.settings.get("properties", {})}
    if unknown := sorted(manifest.permissions.settings() - known):
        raise AdmissionError(f"permissions: ${unknown[0]} is no setting of what it offers")
