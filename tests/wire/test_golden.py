"""The wire form does not drift, and a stranger reads it from protos/ alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.model.columns import same
from tests.wire.golden_files import BATCHES, EVENT, GOLDEN, TAGS, cases, description

from bedplate.model import DataType
from bedplate.wire import decode_batch, decode_event, decode_table

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "tests/peers/node_modules"
CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_bedplate_writes_the_bytes_that_it_always_wrote(name: str) -> None:
    kind, encoded = CASES[name]

    assert (GOLDEN / f"{name}.bin").read_bytes() == encoded
    assert (GOLDEN / f"{name}.json").read_text(encoding="utf-8") == description(kind, encoded)


def test_every_golden_file_has_its_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


def test_every_value_type_has_a_golden_file() -> None:
    assert {batch.data_type for batch in BATCHES.values()} == set(DataType) - {DataType.UNSPECIFIED}


@pytest.mark.parametrize("name", BATCHES)
def test_golden_batches_are_read(name: str) -> None:
    assert same(decode_batch((GOLDEN / f"{name}.bin").read_bytes()), BATCHES[name])


def test_golden_events_and_tables_are_read() -> None:
    tags = decode_table((GOLDEN / "tag-table.bin").read_bytes())

    assert decode_event((GOLDEN / "event.bin").read_bytes()) == EVENT
    assert [(t.handle, t.path, t.states) for t in tags] == [
        (t.handle, t.path, t.states) for t in TAGS
    ]


@pytest.fixture(scope="module")
def found_by_node() -> Any:
    node = shutil.which("node")
    if not node or not (MODULES / "protobufjs").exists():
        if os.environ.get("CI"):
            pytest.fail("protobufjs is not installed; run .make/peers", pytrace=False)
        pytest.skip("protobufjs is not installed; run .make/peers")
    script = Path(__file__).with_name("read_golden.js")
    files = [GOLDEN / f"{name}.json" for name in CASES]
    done = subprocess.run(
        [node, script, ROOT / "protos", MODULES, *files],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", CASES)
def test_a_stranger_finds_in_the_golden_files_what_they_hold(name: str, found_by_node: Any) -> None:
    wanted = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))

    assert found_by_node[name] == wanted["content"]
