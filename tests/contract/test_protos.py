"""The contracts themselves: every word explained, none taken back."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from tests.contract.descriptors import BASELINE, PROTOS, buf, files, uncommented, without_comments

from bedplate.server.access import AccessService
from bedplate.server.admin import Admin
from bedplate.server.alarms import AlarmService
from bedplate.server.audit import AuditService
from bedplate.server.catalog import Catalog
from bedplate.server.check_access import CheckAccessService
from bedplate.server.commands import CommandService
from bedplate.server.deployments import DeploymentService
from bedplate.server.explain import ExplainService
from bedplate.server.gaps import GapService
from bedplate.server.history import HistoryService
from bedplate.server.live import LiveService
from bedplate.server.maintenance import MaintenanceService

README = (PROTOS / "README.md").read_text(encoding="utf-8")
CALLS = re.findall(r"^\| `(\w+\.\w+)` \| `([\w.]+)`", README, re.M)  # and what the gate is asked


def test_every_message_field_value_and_call_is_explained() -> None:
    found = [name for file in files() for name in uncommented(file)]

    assert not found, "\n".join(found)


def test_nothing_breaks_a_peer_of_the_baseline() -> None:
    checked = buf("breaking", PROTOS, "--against", BASELINE)

    assert checked.returncode == 0, checked.stdout.decode() + checked.stderr.decode()


def test_the_baseline_holds_everything_so_that_nothing_new_can_go_unseen() -> None:
    kept = descriptor_pb2.FileDescriptorSet.FromString(BASELINE.read_bytes())

    stale = {f.name for f in kept.file} ^ {f.name for f in files()}
    now = {f.name: without_comments(f) for f in files()}
    stale |= {f.name for f in kept.file if now.get(f.name) != f}
    assert not stale, f"run make baseline: {', '.join(sorted(stale))}"


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("record", r"  fixed32 flags = 6;.*\n", ""),
        ("record", r"repeated sfixed64 time = 3", "repeated sfixed64 time = 30"),
        ("record", r"fixed64 position = 1", "uint64 position = 1"),
        ("plugin", r"  CODE_REFUSED = 4;.*\n", ""),
        ("plugin", r"CODE_FAULT = 7", "CODE_BUG = 7"),
        ("connector", r"Browse browse = 11", "Browse look = 11"),
        ("api", r"  rpc ListAssets\(.*\n", ""),
        ("api", r"returns \(stream CurrentResponse\)", "returns (CurrentResponse)"),
    ],
)
def test_the_check_sees_what_would_break_a_peer(
    tmp_path: Path, file: str, before: str, after: str
) -> None:
    checked = _changed(tmp_path, file, before, after)

    assert checked.returncode != 0
    assert f"{file}.proto".encode() in checked.stdout


def test_the_check_lets_fields_and_values_be_added(tmp_path: Path) -> None:
    more = "CODE_FAULT = 7;\n  CODE_TIRED = 8;"

    assert _changed(tmp_path, "plugin", "CODE_FAULT = 7;", more).returncode == 0


def _changed(folder: Path, area: str, before: str, after: str) -> Any:
    copy = folder / "protos"
    shutil.copytree(PROTOS, copy)
    file = copy / "bedplate" / area / "v1" / f"{area}.proto"
    text, found = re.subn(before, after, file.read_text())
    assert found == 1
    file.write_text(text)
    return buf("breaking", copy, "--against", BASELINE)


def test_every_ask_stands_in_a_table_of_the_readme() -> None:
    asks = {
        field.name.title().replace("_", "")
        for file in files()
        for message in file.message_type
        if message.name == "Ask"
        for field in message.field
        if field.HasField("oneof_index")
    }

    assert asks == set(re.findall(r"^\| `(\w+)` \|", README, re.M)) & asks
    assert len(asks) == 14


def test_every_call_of_the_api_has_its_place_in_the_readme() -> None:
    api = [file for file in files() if file.package == "bedplate.api.v1"]
    calls = {f"{s.name}.{m.name}" for file in api for s in file.service for m in s.method}

    assert calls == set(dict(CALLS))


def test_every_call_of_the_api_is_served_and_asks_the_gate_for_what_the_readme_says() -> None:
    kernel: Any = None  # only asked for what they serve
    rooms = [
        Catalog(kernel),
        LiveService(kernel),
        HistoryService(kernel),
        GapService(kernel),
        AlarmService(kernel),
        Admin(kernel, ()),
        MaintenanceService(kernel),
        ExplainService(kernel),
        DeploymentService(kernel, kernel, kernel),
        AccessService(kernel, kernel, kernel, kernel),
        CheckAccessService(kernel),
        CommandService(kernel, kernel),
        AuditService(kernel),
    ]
    served = {
        f"{method.service.rpartition('.')[2]}.{method.name}": method.action
        for room in rooms
        for method in room.methods()
    }

    assert served == dict(CALLS)


def test_every_code_is_explained_in_the_readme() -> None:
    plugin = next(file for file in files() if file.package == "bedplate.plugin.v1")
    codes = {v.name for e in plugin.enum_type if e.name == "Code" for v in e.value}

    assert codes - {"CODE_UNSPECIFIED"} == set(re.findall(r"^\| `(CODE_\w+)` \|", README, re.M))


def test_every_package_is_listed_in_the_readme() -> None:
    assert {file.package for file in files()} == set(
        re.findall(r"^\| `(bedplate\.\w+\.v\d+)` \|", README, re.M)
    )
