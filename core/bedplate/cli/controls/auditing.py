"""The audit log: whole, anchored, and where its keys are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bedplate.audit.anchor import anchor_file, compare
from bedplate.audit.anchoring import OVERDUE
from bedplate.audit.checkpoint import NAME as SIGNING
from bedplate.audit.checkpoint import Checkpoint, log_of, read_checkpoints, signer
from bedplate.audit.key_file import KeyFile
from bedplate.audit.verification_key import waits
from bedplate.audit.verify import verify
from bedplate.cli.controls.scene import Proof, Scene, held, told, weak
from bedplate.errors import BedplateError

READ = "docs/how-to/audit.md"


def chain(scene: Scene) -> Iterator[Proof]:
    """All of its files are read."""
    folder = scene.deployment.folder(scene.deployment.audit.folder)
    tried = f"bedplate audit verify {folder}"
    if not (folder / "audit.jsonl").exists():
        yield told("audit-chain", tried, "not tried: there is no log before the first start")
        return
    try:
        seen = [*_seen(scene, folder)]
        wanted = {one.index for one in seen}
        report = verify(folder, wanted=wanted, stands=KeyFile(folder).load(), live=True)
    except (OSError, BedplateError) as error:
        yield weak("audit-chain", tried, f"can't be read: {error}", READ)
        return
    astray = compare(report, seen, scene.deployment.audit.anchor) if seen else None
    if problem := report.problem or astray:
        yield weak("audit-chain", tried, str(problem), "keep the disk as it is, and find out who")
    else:
        yield held(
            "audit-chain", tried, f"{report.entries:,} entries, whole, head {report.head[:16]}…"
        )
    yield from _anchored(scene, folder, seen)


def _seen(scene: Scene, folder: Path) -> Iterator[Checkpoint]:
    written = scene.deployment.audit.anchor
    if not written or not (folder / SIGNING).exists():
        return
    public = signer(folder).public
    place = anchor_file(scene.deployment.folder(written), log_of(public))
    if place.exists():
        yield from read_checkpoints(place, public)


def _anchored(scene: Scene, folder: Path, seen: list[Checkpoint]) -> Iterator[Proof]:
    audit = scene.deployment.audit
    tried = f"audit.anchor is {audit.anchor or 'not set'}"
    if seen:
        yield held("audit-anchor", tried, f"its newest checkpoint is of {seen[-1].time}")
    elif audit.syslog:
        yield told(
            "audit-anchor", tried, f"checkpoints go to {audit.syslog}: look whether they are there"
        )
    elif audit.anchor and _just_started(scene):
        yield told("audit-anchor", tried, "no checkpoint yet: the first comes within minutes")
    elif audit.anchor:
        do = "see that the share is there, and that Bedplate may write it"
        yield weak("audit-anchor", tried, "it has no checkpoint of this log", do)
    else:
        came = "anchored nowhere: who has this machine can write the log anew"
        yield weak("audit-anchor", tried, came, f"audit: {{anchor: /mnt/elsewhere}}, {READ}")
    if waits(folder):
        came = "the verification key still lies beside the log, so its MACs prove nothing"
        yield told("audit-key", str(folder), f"{came}: bedplate audit key FILE")


def _just_started(scene: Scene) -> bool:
    return scene.running is not None and scene.now() - scene.running.started / 1e9 < OVERDUE
