"""Every method of the API, called by nobody, by somebody without a role, and by a viewer. The list is that of the
contracts, so a new method is covered by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import grpc.aio
import pytest
from tests.door.rig import plant

import bedplate.api.v1
from bedplate.gate.policy import ACTIONS

FOR_ANYBODY = {"WhoAmI", "Login", "CheckAccess"}
REFUSED = {  # to whoever may only look
    *("Acknowledge", "SetMaintenance", "EndMaintenance", "Apply", "Submit", "Approve", "Cancel"),
    *("ListAudit", "VerifyAudit", "ListSessions"),
}


def methods() -> list[str]:
    found = []
    for path in Path(bedplate.api.v1.__path__[0]).glob("*_pb2.py"):
        module = import_module(f"bedplate.api.v1.{path.stem}")
        for service in module.DESCRIPTOR.services_by_name.values():
            found += [f"/{service.full_name}/{method.name}" for method in service.methods]
    return sorted(found)


async def answers(address: str, paths: Sequence[str], token: str = "") -> Mapping[str, str]:
    """method → gRPC code, OK for anything else. Streams that want to hear more first are hung up on."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    told = {}
    async with grpc.aio.insecure_channel(address) as channel:
        for path in paths:
            call = channel.stream_stream(path)(iter([b""]), metadata=metadata, timeout=5)
            try:
                await call.read()
                told[path.rpartition("/")[2]] = "OK"
            except grpc.aio.AioRpcError as error:
                told[path.rpartition("/")[2]] = error.code().name
    return told


def lines(folder: Path) -> list[dict[str, str]]:
    log = (folder / "data/audit/audit.jsonl").read_text().splitlines()
    return [json.loads(line) for line in log]


@pytest.mark.case("A01", "A03", "A14")
async def test_nobody_gets_nothing_somebody_gets_his_name_and_a_viewer_changes_nothing(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path) as running:
        running.know(
            who={"n": {"id": "nora", "roles": []}, "v": {"id": "vera", "roles": ["viewer"]}}
        )
        paths = methods()
        nobody = await answers(running.address, paths)
        nora = await answers(running.address, paths, "n")
        vera = await answers(running.address, paths, "v")

    assert len(paths) > 20
    assert {name for name, code in nobody.items() if code != "UNAUTHENTICATED"} == set()
    asked_later = {"Subscribe"}  # by what its first message says
    assert {name for name, code in nora.items() if code != "PERMISSION_DENIED"} == (
        FOR_ANYBODY | asked_later
    )
    assert {name for name, code in vera.items() if code == "PERMISSION_DENIED"} == REFUSED
    written = lines(tmp_path)
    assert sum(one["rule"] == "kernel: no credential" for one in written) >= len(paths)
    denied = {
        one["action"] for one in written if one["who"] == "vera" and one["verdict"] == "refused"
    }
    changes = {name for name, action in ACTIONS.items() if action.changes}
    assert denied == changes | {"admin.audit", "access.sessions"}


@pytest.mark.case("A14", "A47")
def test_no_call_takes_lines_away_or_installs_a_plugin() -> None:
    names = " ".join(path.rpartition("/")[2] for path in methods()).lower()

    assert not [w for w in ("install", "delete", "rotate", "purge", "disable") if w in names]
