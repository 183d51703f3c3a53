"""`policy: trusted` in a running platform: what runs, what does not, and what is told of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.trust.site import code, plant, plugin_folder, trusted

from bedplate.admission.trust import TrustFile
from bedplate.errors import AdmissionError, BedplateError
from bedplate.runtime.supervisor import Supervisor
from bedplate.server.platform import Platform, prepare

WITHIN = 30.0


@asynccontextmanager
async def running(file: Path, *plugins: Path) -> AsyncIterator[Platform]:
    platform = Platform(prepare(file, plugins))
    try:
        await platform.start("127.0.0.1:0")
        yield platform
    finally:
        await platform.stop()


async def until(platform: Platform, state: str, word: str = "") -> None:
    """Waits for the state of `clock`. Fails with what it says at the end of the wait, or faulted instead."""
    async with asyncio.timeout(WITHIN):
        while (life := clock(platform).life).state != state or word not in life.reason:
            assert state == "faulted" or life.state != "faulted", life.reason
            await asyncio.sleep(0.02)


def clock(platform: Platform) -> Supervisor:
    return platform.kernel.components["clock"]


def audit(folder: Path) -> list[dict[str, str]]:
    lines = (folder / "data" / "audit" / "audit.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.case("A21")
async def test_a_trusted_folder_runs_from_a_read_only_copy(tmp_path: Path, home: Path) -> None:
    """A21: what is started is the copy that was measured, not the folder it came from."""
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    trusted(folder, home)
    async with running(plant(tmp_path, more=", folders: [acme]")) as platform:
        await until(platform, "up")
        (place,) = platform.kernel.places.values()
        copy = Path(place.launch.folder or "")
    ran = {Path(line) for line in (tmp_path / "traces" / "good").read_text().splitlines()}
    assert ran == {copy / "acme_ticker.py"}
    assert copy.parent == home / "plugins" / ".store"
    assert not [p for p in (copy, *copy.rglob("*")) if p.stat().st_mode & 0o222]
    assert not list(folder.rglob("__pycache__"))


@pytest.mark.case("A19")
async def test_one_changed_byte_is_not_started_and_the_file_is_named(
    tmp_path: Path, home: Path
) -> None:
    """A19: event, alarm and audit say PLUGIN_MODIFIED and which file; the platform runs on."""
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    trusted(folder, home)
    file = plant(tmp_path, more=", folders: [acme]")
    content = (folder / "acme_ticker.py").read_bytes()
    (folder / "acme_ticker.py").write_bytes(content.replace(b"1.0", b"1.1", 1))
    async with running(file) as platform:
        await until(platform, "faulted")
        reason = clock(platform).life.reason
        told = [e for e in clock(platform).life.history if "PLUGIN_MODIFIED" in e.reason]
    assert reason.startswith(
        "PLUGIN_MODIFIED: acme-ticker 1.0.0 is not started: acme_ticker.py was changed"
    )
    assert told
    assert not (tmp_path / "traces" / "good").exists()
    (line,) = [line for line in audit(tmp_path) if line["action"] == "plugin.start"]
    assert (line["verdict"], line["resource"]) == ("refused", "clock")
    assert "acme_ticker.py was changed" in line["text"]


@pytest.mark.parametrize("what", ["new", "gone", "manifest"])
@pytest.mark.case("A19", "A20")
async def test_a_file_that_is_new_or_gone_ends_the_trust_too(
    tmp_path: Path, home: Path, what: str
) -> None:
    """A19, A20: more files than were trusted, fewer, and a manifest that asks for something else."""
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    (folder / "extra.txt").write_text("x")
    trusted(folder, home)
    if what == "new":
        (folder / "sitecustomize.py").write_text("import os")
    elif what == "gone":
        (folder / "extra.txt").unlink()
    else:
        text = (folder / "bedplate-plugin.toml").read_text()
        (folder / "bedplate-plugin.toml").write_text(f"{text}\n# changed\n")
    told = {"new": "sitecustomize.py is new", "gone": "extra.txt is gone"}
    async with running(plant(tmp_path, more=", folders: [acme]")) as platform:
        await until(platform, "faulted")
        assert told.get(what, "bedplate-plugin.toml was changed") in clock(platform).life.reason


@pytest.mark.case("A19")
async def test_it_is_measured_at_each_start_of_its_process(tmp_path: Path, home: Path) -> None:
    """A19: changed while it runs, it goes on from its copy; killed, it is not started again."""
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    trusted(folder, home)
    async with running(plant(tmp_path, more=", folders: [acme]")) as platform:
        await until(platform, "up")
        (folder / "acme_ticker.py").write_text(code(tmp_path / "traces", "bad"))
        (place,) = platform.kernel.places.values()
        assert place.run is not None
        os.kill(place.run.pid, signal.SIGKILL)
        await until(platform, "faulted", "PLUGIN_MODIFIED")
    assert not (tmp_path / "traces" / "bad").exists()


@pytest.mark.case("A21")
async def test_a_copy_that_was_changed_is_made_anew(tmp_path: Path, home: Path) -> None:
    """A21: who can write into the store after all gains nothing."""
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    trusted(folder, home)
    file = plant(tmp_path, more=", folders: [acme]")
    async with running(file) as platform:
        await until(platform, "up")
        copy = Path(next(iter(platform.kernel.places.values())).launch.folder or "")
    (copy / "acme_ticker.py").chmod(0o644)
    (copy / "acme_ticker.py").write_text(code(tmp_path / "traces", "bad"))
    async with running(file) as platform:
        await until(platform, "up")
    assert not (tmp_path / "traces" / "bad").exists()


@pytest.mark.case("A21")
def test_a_file_that_is_swapped_all_the_time_is_refused_or_runs_as_trusted(
    tmp_path: Path, home: Path
) -> None:
    """A21: 1,000 renames between check and start; whatever is copied is what was measured."""
    from bedplate.admission.guard import MODIFIED

    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    trusted(folder, home)
    prepared = prepare(plant(tmp_path, more=", folders: [acme]"))
    offer = prepared.admission.offers["ticker"]
    assert offer.verify
    assert offer.folder
    good = (folder / "acme_ticker.py").read_bytes()
    stop = threading.Event()
    swaps = 0

    def swap() -> None:
        nonlocal swaps
        while not stop.is_set() or swaps < 1000:
            for content in (code(tmp_path / "traces", "bad").encode(), good):
                (tmp_path / "other").write_bytes(content)
                os.replace(tmp_path / "other", folder / "acme_ticker.py")
                swaps += 1

    swapping = threading.Thread(target=swap)
    swapping.start()
    refused = ran = 0
    try:
        for _ in range(60):
            try:
                offer.verify()
            except AdmissionError as error:
                refused += MODIFIED in str(error)
            else:
                ran += 1
                assert (offer.folder / "acme_ticker.py").read_bytes() == good
    finally:
        stop.set()
        swapping.join()
    assert swaps >= 1000
    assert refused + ran == 60
    offer.verify()
    assert (offer.folder / "acme_ticker.py").read_bytes() == good


@pytest.mark.case("A20")
def test_what_was_never_trusted_is_no_plugin_of_the_deployment(tmp_path: Path, home: Path) -> None:
    """A20: nothing of it is run, and the words say what to do."""
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    file = plant(tmp_path, more=", folders: [acme]")
    with pytest.raises(AdmissionError, match=r"acme-ticker 1\.0\.0 is not trusted.*plugins trust"):
        prepare(file)
    trusted(folder, home)
    prepare(file)
    plugin_folder(tmp_path / "acme", tmp_path / "traces", version="1.1.0")
    with pytest.raises(AdmissionError, match=r"1\.1\.0 is not trusted \(of it 1\.0\.0 is\)"):
        prepare(file)
    assert not (tmp_path / "traces" / "good").exists()


@pytest.mark.case("A20", "A23")
def test_a_single_file_is_run_only_when_it_is_trusted(tmp_path: Path, home: Path) -> None:
    """A20, A23: even the question what it offers would run it."""
    (tmp_path / "traces").mkdir()
    file = tmp_path / "ticker.py"
    file.write_text(code(tmp_path / "traces"))
    deployment = plant(tmp_path)
    with pytest.raises(AdmissionError, match=r"ticker\.py is not trusted as it is now"):
        prepare(deployment, [file])
    assert not (tmp_path / "traces" / "good").exists()
    trusted(file, home)
    prepared = prepare(deployment, [file])
    place = prepared.admission.offers["ticker"].file
    assert place
    assert place.is_relative_to(home / "plugins" / ".store")
    file.write_text(code(tmp_path / "traces", "bad"))
    with pytest.raises(AdmissionError, match="is not trusted as it is now"):
        prepare(deployment, [file])
    assert not (tmp_path / "traces" / "bad").exists()


def test_an_open_policy_asks_nobody(tmp_path: Path) -> None:
    plugin_folder(tmp_path / "acme", tmp_path / "traces")
    prepared = prepare(plant(tmp_path, policy="open", more=", folders: [acme]"))
    assert prepared.admission.offers["ticker"].verify is None


def test_trust_that_others_could_have_written_is_refused(tmp_path: Path, home: Path) -> None:
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    trusted(folder, home)
    (home / "trusted.json").chmod(0o666)
    with pytest.raises(BedplateError, match="may be written by others"):
        prepare(plant(tmp_path, more=", folders: [acme]"))
    (home / "trusted.json").chmod(0o600)
    (home / "trusted.json").write_text('{"schema": 1, "trusted": [{}]}')
    with pytest.raises(BedplateError, match="damaged"):
        prepare(plant(tmp_path, more=", folders: [acme]"))


@pytest.mark.case("A25")
def test_a_plugin_that_asks_for_more_than_was_granted_is_refused(
    tmp_path: Path, home: Path
) -> None:
    """A grant that is narrower than what the manifest asks, as after --grant or by hand."""
    permissions = 'network = ["tcp:$host:502"]'
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces", permissions=permissions)
    trusted(folder, home)
    file = plant(tmp_path, more=", folders: [acme]")
    prepare(file)
    told = json.loads((home / "trusted.json").read_text())
    del told["trusted"][0]["permissions"]["network"]
    (home / "trusted.json").write_text(json.dumps(told))
    with pytest.raises(AdmissionError, match=r"asks for more than was granted: network tcp:\$host"):
        prepare(file)


@pytest.mark.case("A21")
def test_a_manifest_that_is_another_while_it_is_read_starts_nothing_of_its_own(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A21: swapped between reading and measuring, and put back before the measure: what runs is what the copy says."""
    from bedplate.admission import reading

    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    trusted(folder, home)
    manifest = folder / "bedplate-plugin.toml"
    good = manifest.read_text()
    (folder.parent / "evil.sh").write_text("#!/bin/sh\n")
    (folder.parent / "evil.sh").chmod(0o755)
    evil = good.replace("[[offer]]", '[run]\ncommand = ["../evil.sh"]\n\n[[offer]]', 1)
    evil = evil.replace('class = "acme_ticker:Ticker"\n', "")
    manifest.write_text(evil)
    honest = reading.only_trusted

    def put_back(*words: object) -> object:
        manifest.write_text(good)
        return honest(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "only_trusted", put_back)
    offer = prepare(plant(tmp_path, more=", folders: [acme]")).admission.offers["ticker"]
    assert offer.command == ()
    assert offer.folder
    assert offer.folder.parent == home / "plugins" / ".store"


async def back(platform: Platform) -> None:
    """Waits until `clock` is up, whatever it was before."""
    async with asyncio.timeout(WITHIN):
        while clock(platform).life.state != "up":
            await asyncio.sleep(0.02)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bedplate.runtime.lifecycle.HALF_OPEN", 0.3)
    monkeypatch.setattr("bedplate.runtime.placement.REFUSAL_STANDS", 0.0)


@pytest.mark.usefixtures("impatient")
async def test_what_is_as_it_was_trusted_again_comes_back_by_itself(
    tmp_path: Path, home: Path
) -> None:
    """Also when it was another one when the deployment was read."""
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    trusted(folder, home)
    code_file = folder / "acme_ticker.py"
    good = code_file.read_text()
    code_file.write_text(code(tmp_path / "traces", "bad"))
    async with running(plant(tmp_path, more=", folders: [acme]")) as platform:
        await until(platform, "faulted", "PLUGIN_MODIFIED")
        code_file.write_text(good)
        await back(platform)
    assert (tmp_path / "traces" / "good").exists()
    assert not (tmp_path / "traces" / "bad").exists()


@pytest.mark.usefixtures("impatient")
async def test_what_is_trusted_anew_runs_from_its_new_copy_and_what_is_no_longer_trusted_not_at_all(
    tmp_path: Path, home: Path
) -> None:
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces")
    grant = trusted(folder, home)
    async with running(plant(tmp_path, more=", folders: [acme]")) as platform:
        await until(platform, "up")
        (folder / "acme_ticker.py").write_text(code(tmp_path / "traces", "newer"))
        (place,) = platform.kernel.places.values()
        assert place.run is not None
        os.kill(place.run.pid, signal.SIGKILL)
        await until(platform, "faulted", "PLUGIN_MODIFIED")
        trusted(folder, home)
        await back(platform)
        copy = Path(place.launch.folder or "")
        assert (tmp_path / "traces" / "newer").read_text() == f"{copy / 'acme_ticker.py'}\n"
        TrustFile(home).remove(grant.name, grant.version)
        os.kill(place.run.pid, signal.SIGKILL)
        await until(platform, "faulted", "it is not trusted any more")
    (last,) = [e for e in audit(tmp_path) if "not trusted any more" in e["text"]][:1]
    assert (last["verdict"], last["resource"]) == ("refused", "clock")


@pytest.mark.case("A19", "A21")
async def test_a_manifest_that_is_not_what_the_deployment_was_read_with_stays_out(
    tmp_path: Path, home: Path
) -> None:
    """A19, A21: its permissions hold the process; so neither the one put back nor a wider one is started with them."""
    network = 'network = ["tcp:$host:502"]'
    folder = plugin_folder(tmp_path / "acme", tmp_path / "traces", permissions=network)
    trusted(folder, home)
    manifest = folder / "bedplate-plugin.toml"
    good = manifest.read_text()
    manifest.write_text(good.replace(network, ""))
    verify = prepare(plant(tmp_path, more=", folders: [acme]")).admission.offers["ticker"].verify
    assert verify
    with pytest.raises(AdmissionError, match="PLUGIN_MODIFIED"):
        verify()
    manifest.write_text(good)
    with pytest.raises(AdmissionError, match="start Bedplate again"):
        verify()

    verify = prepare(plant(tmp_path, more=", folders: [acme]")).admission.offers["ticker"].verify
    assert verify
    verify()
    manifest.write_text(good.replace("tcp:$host:502", "tcp:*:*"))
    trusted(folder, home)
    with pytest.raises(AdmissionError, match="start Bedplate again"):
        verify()
