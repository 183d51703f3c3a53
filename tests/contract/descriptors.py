"""What protos/ say, with their comments, as buf reads them: for tests that hold the contracts in place."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

ROOT = Path(__file__).parents[2]
PROTOS = ROOT / "protos"
BASELINE = PROTOS / "baseline.binpb"
BUF = Path(sys.executable).parent / "buf"


def buf(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Runs buf; a missing one is a gap at a desk and a fault in CI."""
    if not BUF.exists():
        if os.environ.get("CI"):
            pytest.fail("buf is not installed; run .make/setup dev", pytrace=False)
        pytest.skip("buf is not installed; run .make/setup dev")
    return subprocess.run([BUF, *arguments], cwd=ROOT, capture_output=True, check=False)


@cache
def files() -> tuple[descriptor_pb2.FileDescriptorProto, ...]:
    """The files of protos/, with source information."""
    built = buf("build", PROTOS, "--as-file-descriptor-set", "-o", "-")
    assert built.returncode == 0, built.stderr.decode()
    return tuple(descriptor_pb2.FileDescriptorSet.FromString(built.stdout).file)


def without_comments(
    file: descriptor_pb2.FileDescriptorProto,
) -> descriptor_pb2.FileDescriptorProto:
    plain = descriptor_pb2.FileDescriptorProto()
    plain.CopyFrom(file)
    plain.ClearField("source_code_info")
    return plain


def uncommented(file: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
    """Names of messages, fields, enums, values, services and calls that no comment explains."""
    said = {
        tuple(place.path): (place.leading_comments + place.trailing_comments).strip()
        for place in file.source_code_info.location
    }
    for path, name in _everything(file):
        if not said.get(path):
            yield f"{file.package}.{name}"


def _everything(
    file: descriptor_pb2.FileDescriptorProto,
) -> Iterator[tuple[tuple[int, ...], str]]:
    """Path in the file (numbers of descriptor.proto) and name of all that can be commented."""
    for i, message in enumerate(file.message_type):
        yield from _message(message, (4, i), message.name)
    for i, enum in enumerate(file.enum_type):
        yield (5, i), enum.name
        yield from (((5, i, 2, j), f"{enum.name}.{v.name}") for j, v in enumerate(enum.value))
    for i, service in enumerate(file.service):
        yield (6, i), service.name
        yield from (
            ((6, i, 2, j), f"{service.name}.{m.name}") for j, m in enumerate(service.method)
        )


def _message(
    message: descriptor_pb2.DescriptorProto, path: tuple[int, ...], name: str
) -> Iterator[tuple[tuple[int, ...], str]]:
    if message.options.map_entry:
        return
    yield path, name
    for i, field in enumerate(message.field):
        yield (*path, 2, i), f"{name}.{field.name}"
    for i, inner in enumerate(message.nested_type):
        yield from _message(inner, (*path, 3, i), f"{name}.{inner.name}")
