"""The file of a bundle: written the same way every time, read as if an enemy had written it (A24)."""

from __future__ import annotations

import io
import os
import stat
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.bundle.zips import made, many

from bedplate.bundle.archive import MANIFEST, Archive, BundleError, manifest, write

FILE = stat.S_IFREG


def unpacked(file: Path, into: Path) -> list[str]:
    """As installing does it: everything is judged before anything is written."""
    with Archive(file) as archive:
        archive.check()
        for entry in archive.entries():
            archive.unpack(entry, into / entry.path)
    return sorted(str(p.relative_to(into)) for p in into.rglob("*") if p.is_file())


def test_the_same_files_give_the_same_bytes_and_come_back(tmp_path: Path) -> None:
    files: dict[str, Path | bytes] = {"plugin/a.js": b"1" * 3_000_000, "bundle.json": b"{}"}
    files[MANIFEST] = manifest(files)
    one, two = io.BytesIO(), io.BytesIO()
    write(one, files, frozenset({"plugin/a.js"}))
    write(two, dict(reversed(files.items())), frozenset({"plugin/a.js"}))
    assert one.getvalue() == two.getvalue()
    (tmp_path / "x.bedplate").write_bytes(one.getvalue())
    (tmp_path / "out").mkdir()
    assert unpacked(tmp_path / "x.bedplate", tmp_path / "out") == ["bundle.json", "plugin/a.js"]
    assert (tmp_path / "out/plugin/a.js").stat().st_mode & 0o111
    assert not (tmp_path / "out/bundle.json").stat().st_mode & 0o111


@pytest.mark.parametrize(
    "name",
    [
        *("../outside", "plugin/../../outside", "/outside", "plugin//x", "./x", "plugin/.", ".."),
        *("C:\\outside", "plugin\\..\\outside", "C:outside", "x\0y", "x\ny", "plugin/", "x ", "x."),
        *("ＭＡＮＩＦＥＳＴ", "\u202ex", "x" * 500),
    ],
)
@pytest.mark.case("A24")
def test_a_name_that_could_mean_another_place_is_refused(tmp_path: Path, name: str) -> None:
    """A24: ../, absolute paths, and what other systems take for them."""
    file = made(tmp_path / "x.bedplate", [(name, b"!", FILE)])
    with pytest.raises(BundleError, match=r"not taken|damaged|no bundle"):
        unpacked(file, tmp_path / "out")
    assert {p.name for p in tmp_path.rglob("*")} <= {"x.bedplate", "out"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO])
@pytest.mark.case("A24")
def test_a_link_or_a_device_is_refused(tmp_path: Path, kind: int) -> None:
    """A24: symlink, device node."""
    file = made(tmp_path / "x.bedplate", [("plugin/link", b"/etc/shadow", kind)])
    with pytest.raises(BundleError, match="a bundle holds only files"):
        unpacked(file, tmp_path / "out")


@pytest.mark.parametrize(
    ("one", "two"),
    [("a", "a"), ("a", "A"), ("x/a", "X/b"), ("x", "x/y"), ("x/y", "x"), ("plugin/ß", "plugin/SS")],
)
@pytest.mark.case("A24")
def test_two_names_that_some_system_takes_for_one_are_refused(
    tmp_path: Path, one: str, two: str
) -> None:
    """A24: duplicates and clashes of case."""
    with pytest.warns(UserWarning, match="Duplicate") if one == two else _nothing():
        file = made(tmp_path / "x.bedplate", [(one, b"1", FILE), (two, b"2", FILE)])
    with pytest.raises(BundleError, match=r"twice|both|spellings|not taken"):
        unpacked(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _nothing() -> io.BytesIO:
    return io.BytesIO()


@pytest.mark.case("A24")
def test_a_zip_bomb_is_refused_by_what_it_says_and_by_what_it_holds(tmp_path: Path) -> None:
    """A24: 10 GiB out of a few MiB, declared and hidden."""
    honest = tmp_path / "honest.bedplate"
    with zipfile.ZipFile(honest, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(20_000_000))
        archive.writestr(MANIFEST, b"")
    with pytest.raises(BundleError, match="compressed"):
        unpacked(honest, tmp_path / "out")
    lying = made(tmp_path / "lying.bedplate", [("bomb", b"1234", FILE)])
    content = bytearray(lying.read_bytes())
    for signature, place in ((b"PK\3\4", 18), (b"PK\1\2", 20)):
        at = content.rindex(signature) + place
        content[at : at + 8] = (10 << 28).to_bytes(4, "little") * 2
    lying.write_bytes(content)
    with pytest.raises(BundleError):
        unpacked(lying, tmp_path / "out")
    assert sum(p.stat().st_size for p in tmp_path.rglob("out/**/*")) < 100


@pytest.mark.case("A24")
def test_a_million_files_are_refused_before_their_list_is_read(tmp_path: Path) -> None:
    """A24: 1 M files."""
    file = many(tmp_path / "x.bedplate", 1_000_000)
    tracemalloc.start()
    with pytest.raises(BundleError, match="20,000"):
        unpacked(file, tmp_path / "out")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 << 20


@pytest.mark.parametrize(
    ("files", "listed", "word"),
    [
        ({"a": b"1", "b": b"2"}, {"a": b"1"}, "b is in it and not in its MANIFEST"),
        ({"a": b"1"}, {"a": b"1", "b": b"2"}, "lists b, which is not there"),
        ({"a": b"1"}, {"a": b"2"}, "a is not what its MANIFEST lists"),
    ],
)
@pytest.mark.case("A20")
def test_a_manifest_that_lists_less_or_more_or_something_else_is_refused(
    tmp_path: Path, files: dict[str, bytes], listed: dict[str, bytes], word: str
) -> None:
    """A20: the manifest lists fewer files than are present."""
    told = manifest(dict(listed))
    file = made(tmp_path / "x.bedplate", [(n, c, FILE) for n, c in files.items()], manifest=told)
    with pytest.raises(BundleError, match=word):
        unpacked(file, tmp_path / "out")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_bundle_is_refused_in_words_or_unpacks_to_what_it_was(
    tmp_path: Path, flips: list[tuple[int, int]]
) -> None:
    """Property: no flipped byte raises anything else, or changes what comes out unnoticed, or leaves the folder."""
    folder = tmp_path / os.urandom(8).hex()
    folder.mkdir()
    file = made(folder / "x.bedplate", [("plugin/a", b"abc" * 20, FILE)])
    content = bytearray(file.read_bytes())
    for place, value in flips:
        content[place % len(content)] = value
    file.write_bytes(content)
    try:
        unpacked(file, folder / "out")
    except BundleError:
        pass
    else:
        found = [p for p in (folder / "out").rglob("*") if p.is_file()]
        assert [p.read_bytes() for p in found] in ([b"abc" * 20], [])
    assert {p.name for p in folder.iterdir()} <= {"x.bedplate", "out"}
