"""A28: whatever is done to the files of an audit log, `verify` names the first entry that is not the kernel's."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.audit.rig import AT, DAY, judge, rewritten, stamps, write
from tests.counts import count

from bedplate.audit import anchor, chain, retention
from bedplate.audit.checkpoint import read_checkpoints, signer
from bedplate.audit.entry import Entry
from bedplate.audit.feed import backwards, forwards
from bedplate.audit.files import files_of
from bedplate.audit.key_file import KeyFile
from bedplate.audit.log import ChainLog
from bedplate.audit.verification_key import read_keys, take
from bedplate.audit.verify import verify
from bedplate.testing import FakeClock

pytestmark = pytest.mark.case("A28")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "audit"
    write(folder, rotate=2000)
    assert len(files_of(folder)) > 2
    assert judge(folder).whole
    return folder


@given(data=st.data())
@settings(
    max_examples=count(150, 3000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_byte_line_or_place_that_is_changed_is_found(
    data: st.DataObject, whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "spoiled"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder)
    path = data.draw(st.sampled_from(files_of(folder)))
    content = path.read_bytes()
    spoiled = data.draw(st.sampled_from([_byte, _deleted, _swapped, _inserted, _cut]))(
        data, content
    )
    if spoiled == content:
        return
    path.write_bytes(spoiled)
    found = judge(folder, keys=read_keys(folder / "verification.key"))
    assert not found.whole
    assert found.problem
    assert found.problem.text


def _byte(data: st.DataObject, content: bytes) -> bytes:
    at, byte = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 255))
    return content[:at] + bytes([byte]) + content[at + 1 :]


def _deleted(data: st.DataObject, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    return b"".join(lines)


def _swapped(data: st.DataObject, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    one, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def _inserted(data: st.DataObject, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    line = data.draw(
        st.sampled_from([*lines, b"{}\n", b"\n", lines[0].replace(b"noted", b"other")])
    )
    lines.insert(data.draw(st.integers(0, len(lines))), line)
    return b"".join(lines)


def _cut(data: st.DataObject, content: bytes) -> bytes:
    return content[: data.draw(st.integers(0, len(content) - 1))]


EDITS = {
    "edit": (lambda rows: [*rows[:4], rows[4].replace(b"anna", b"otto"), *rows[5:]], 5, "edited"),
    "delete": (lambda rows: [*rows[:4], *rows[5:]], 6, "entry 5 is missing before it"),
    "insert": (lambda rows: [*rows[:5], rows[3], *rows[5:]], 4, "put in, repeated or moved"),
    "re-order": (
        lambda rows: [*rows[:4], rows[5], rows[4], *rows[6:]],
        6,
        "entry 5 is missing before it",
    ),
    "truncate": (lambda rows: rows[:6], 7, "the key on disk has gone on past them"),
}


@pytest.mark.parametrize("what", EDITS)
def test_the_first_bad_entry_is_named_by_file_line_and_what_was_done(
    tmp_path: Path, what: str
) -> None:
    change, index, text = EDITS[what]
    write(tmp_path)
    rewritten(tmp_path, change)  # type: ignore[arg-type]
    problem = judge(tmp_path).problem
    assert problem
    assert (problem.file, problem.index) == ("audit.jsonl", index)
    assert text in problem.text


def anew(folder: Path, upto: int) -> None:
    """All lines written anew by somebody who knows the format, and has the key of the disk."""
    lines, prev = [], chain.GENESIS
    key = KeyFile(folder).load()
    assert key
    for line in (folder / "audit.jsonl").read_bytes().splitlines()[:upto]:
        link = chain.link(line)
        assert link
        fields = link.fields()
        for name in ("index", "prev", "hash", "mac"):
            fields.pop(name)
        fields["who"] = "nobody"
        made, prev = chain.seal(fields, link.index, prev, key.key)
        lines.append(made)
    (folder / "audit.jsonl").write_bytes(b"".join(lines))


def test_a_log_that_was_written_anew_is_found_by_the_verification_key(tmp_path: Path) -> None:
    folder, kept = tmp_path / "audit", tmp_path / "elsewhere"
    write(folder)
    take(folder, kept)
    assert judge(folder, keys=read_keys(kept)).keyed == 11
    anew(folder, 11)
    assert judge(folder).whole, "the chain alone can't tell"
    problem = judge(folder, keys=read_keys(kept)).problem
    assert problem
    assert problem.index == 1
    assert "MAC" in problem.text


def test_an_end_that_was_cut_off_is_found_by_the_verification_key_even_with_a_made_up_key(
    tmp_path: Path,
) -> None:
    folder, kept = tmp_path / "audit", tmp_path / "elsewhere"
    write(folder)
    take(folder, kept)
    rewritten(folder, lambda lines: lines[:6])
    made_up = KeyFile(folder).load()
    assert made_up
    KeyFile(folder).begin(type(made_up)(made_up.segment, 7, made_up.key))
    assert judge(folder).whole
    problem = judge(folder, keys=read_keys(kept)).problem
    assert problem
    assert "does not follow" in problem.text or "not the one that follows" in problem.text


def test_an_anchor_finds_an_end_cut_off_and_a_log_written_anew(tmp_path: Path) -> None:
    folder, other = tmp_path / "audit", tmp_path / "share"
    other.mkdir()
    write(folder, 4)
    seal = signer(folder)
    for index in (3, 7):
        report = judge(folder, wanted={index})
        point = seal.checkpoint(index, report.hashes[index], "2026-11-22T22:31:00.000000Z")
        anchor.take(other, point)
    (folder / "audit.key").unlink()  # who cuts off the end takes the key away too
    seen = list(read_checkpoints(anchor.anchor_file(other, seal.log), seal.public))

    def compared() -> anchor.Problem | None:
        return anchor.compare(verify(folder, wanted={3, 7}), seen, "share")

    assert len(seen) == 2
    assert compared() is None
    content = (folder / "audit.jsonl").read_bytes()
    rewritten(folder, lambda lines: lines[:5])
    problem = compared()
    assert problem
    assert (problem.index, "6 to 7 are missing at the end" in problem.text) == (6, True)
    (folder / "audit.jsonl").write_bytes(content)
    write(folder, 0)  # a key, for who writes it anew
    anew(folder, 7)
    problem = compared()
    assert problem
    assert (problem.index, "written anew" in problem.text) == (3, True)


ODD = [
    {"action": "n"},
    {"time": "2026-02-30T00:00:00.000000Z", "action": "n", "verdict": "", "who": "", "text": ""},
    {"time": 1, "action": ["n"], "verdict": None, "who": {}, "text": 1.5},
    {"action": "audit.begin"},
    {"action": "audit.missing"},
    {"action": "audit.removed", "through": 7},
    {"action": "audit.removed", "through": {"index": "x"}},
    {"action": "audit.torn", "torn": []},
]
PLAIN = {"time": "2026-11-22T22:31:00.000000Z", "action": "n", "verdict": "", "who": "", "text": ""}


@pytest.mark.parametrize("odd", [*ODD, *(PLAIN | one for one in ODD)])
def test_whatever_somebody_chains_on_is_judged_and_read_without_a_fault(
    tmp_path: Path, odd: dict[str, Any]
) -> None:
    """Who knows the format, and not the key."""
    write(tmp_path, 1)
    keys = read_keys(tmp_path / "verification.key")
    prev = judge(tmp_path).head
    line, _ = chain.seal(odd, 5, prev, bytes(32))
    rewritten(tmp_path, lambda rows: [*rows, line])
    assert not judge(tmp_path, keys=keys).whole
    judge(tmp_path)
    assert len([*forwards(tmp_path)]) in (4, 5)
    assert len([*backwards(tmp_path)]) in (4, 5)
    assert [*retention.going(tmp_path, AT + DAY, 100)] == []
    write(tmp_path, 1)
    assert not judge(tmp_path, keys=keys).whole


def test_a_checkpoint_that_our_key_did_not_sign_is_none(tmp_path: Path) -> None:
    ours, other, file = signer(tmp_path), tmp_path / "other", tmp_path / "anchor"
    other.mkdir()
    anchor.take(file, ours.checkpoint(3, "a" * 64, "2026-11-22T22:31:00.000000Z"))
    anchor.take(file, signer(other).checkpoint(3, "b" * 64, "2026-11-22T22:31:00.000000Z"))
    with open(file, "ab") as stream:
        forged = ours.checkpoint(3, "a" * 64, "2026-11-22T22:31:00.000000Z").line()
        stream.write(forged.replace(b'"index":3', b'"index":4') + b"{\nsyslog says: {}\n")
    assert [one.index for one in read_checkpoints(file, ours.public)] == [3]
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "signing.key").stat().st_mode & 0o777 == 0o600


def test_lines_taken_away_while_the_kernel_was_down_are_told_by_its_next_line(
    tmp_path: Path,
) -> None:
    write(tmp_path)
    rewritten(tmp_path, lambda lines: lines[:6])
    write(tmp_path, 1)
    found = judge(tmp_path)
    assert found.problem
    assert "lines 7 to 11 were taken away" in str(found.problem) or "missing" in str(found.problem)
    assert b"lines 7 to 11 were taken away" in (tmp_path / "audit.jsonl").read_bytes()


def test_a_line_edited_while_the_kernel_was_down_stays_the_first_that_is_wrong(
    tmp_path: Path,
) -> None:
    write(tmp_path)
    rewritten(tmp_path, lambda lines: [*lines[:4], lines[4].replace(b"anna", b"otto"), *lines[5:]])
    write(tmp_path, 1)
    problem = judge(tmp_path).problem
    assert problem
    assert (problem.line, problem.index) == (5, 5)


def test_a_file_taken_away_is_found(whole: Path, tmp_path: Path) -> None:
    for path in files_of(whole):
        folder = tmp_path / path.stem
        shutil.copytree(whole, folder)
        (folder / path.name).unlink()
        assert not judge(folder).whole, path


def test_a_torn_end_is_told_and_the_log_verifies_from_there(tmp_path: Path) -> None:
    write(tmp_path, 2)
    with open(tmp_path / "audit.jsonl", "ab") as stream:
        stream.write(b'{"index":6,"prev":"00')
    assert "this is no line" in str(judge(tmp_path).problem), "nobody repairs it silently"
    write(tmp_path, 1)
    found = judge(tmp_path)
    assert found.whole
    assert found.notes == [
        "audit.jsonl:6  21 bytes at the end of the log were no line: torn by a power cut"
    ]


def test_a_crash_between_the_lines_and_the_next_key_leaves_a_log_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ChainLog(tmp_path, stamps())
    log.open()
    monkeypatch.setattr(KeyFile, "advance", lambda self, key: None)
    log.append([stamps().record(Entry("n", "noted"))])
    monkeypatch.undo()  # it is killed here
    keys = read_keys(tmp_path / "verification.key")
    write(tmp_path, 1)
    assert judge(tmp_path, keys=keys).whole


def test_old_keys_are_not_on_disk(tmp_path: Path) -> None:
    log = ChainLog(tmp_path, stamps())
    log.open()
    first = read_keys(tmp_path / "verification.key")[0]
    log.append([stamps().record(Entry("n", "noted")) for _ in range(5)])
    content = (tmp_path / "audit.key").read_bytes()
    assert (tmp_path / "audit.key").stat().st_mode & 0o777 == 0o600
    for index in range(1, 8):
        assert first.at(index).key not in content
    assert first.at(8).key in content


def test_the_verification_key_is_taken_once_and_not_beside_the_log(tmp_path: Path) -> None:
    folder, kept = tmp_path / "audit", tmp_path / "kept"
    write(folder)
    with pytest.raises(Exception, match="not beside the log"):
        take(folder, folder / "kept")
    assert take(folder, kept) == read_keys(kept)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not (folder / "verification.key").exists()
    with pytest.raises(Exception, match="was taken already"):
        take(folder, tmp_path / "again")


def test_a_log_without_a_chain_is_kept_and_may_not_change_after(tmp_path: Path) -> None:
    old = b'{"time":"2026","action":"live.current"}\n{"torn'
    (tmp_path / "audit.jsonl").write_bytes(old)
    (tmp_path / "audit.jsonl").chmod(0o600)
    write(tmp_path, 1)
    assert (tmp_path / "audit.jsonl").read_bytes().startswith(old + b"\n")
    assert judge(tmp_path).whole
    rewritten(tmp_path, lambda lines: [lines[0].replace(b"2026", b"2025"), *lines[1:]])
    assert "what stands before it was changed" in str(judge(tmp_path).problem)


def test_an_export_verifies_by_itself(tmp_path: Path) -> None:
    write(tmp_path)
    keys = read_keys(tmp_path / "verification.key")
    part = tmp_path / "part"
    lines = (tmp_path / "audit.jsonl").read_bytes().splitlines(keepends=True)
    part.write_bytes(b"".join(lines[3:9]))
    assert verify(part).whole
    found = verify(part, keys=keys)
    assert (found.first, found.last, found.keyed) == (4, 9, 6)
    part.write_bytes(b"".join([*lines[3:5], *lines[6:9]]))
    assert "entry 6 is missing" in str(verify(part, keys=keys).problem)


def test_a_clock_turned_back_does_not_mix_up_the_files(tmp_path: Path) -> None:
    clock = FakeClock(AT)
    write(tmp_path, clock=clock, rotate=1500)
    write(tmp_path, clock=FakeClock(AT - 300 * DAY), rotate=1500)
    assert judge(tmp_path).whole


def test_an_end_that_was_cut_off_is_found_when_the_key_on_disk_is_of_a_made_up_run(
    tmp_path: Path,
) -> None:
    folder, kept = tmp_path / "audit", tmp_path / "elsewhere"
    write(folder)
    take(folder, kept)
    rewritten(folder, lambda lines: lines[:6])
    found = KeyFile(folder).load()
    assert found
    KeyFile(folder).begin(type(found)("00" * 8, 7, found.key))
    problem = judge(folder, keys=read_keys(kept)).problem
    assert problem
    assert "none of the verification keys" in problem.text


def test_verification_keys_without_a_key_on_disk_say_that_an_end_may_be_missing(
    tmp_path: Path,
) -> None:
    folder, kept = tmp_path / "audit", tmp_path / "elsewhere"
    write(folder)
    take(folder, kept)
    rewritten(folder, lambda lines: lines[:6])
    KeyFile(folder).forget()
    report = judge(folder, keys=read_keys(kept))
    assert report.problem or any("cut off" in note for note in report.notes)
