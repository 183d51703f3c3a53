"""Commands as clients and people meet them: the API, both clients, and `bedplate write`, against a whole platform."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.cli.terminal import see
from tests.end_to_end.site import Site
from tests.writes.rig import FILE

from bedplate.cli import main
from bedplate.client import AsyncClient, Client, connect, connect_async
from bedplate.contracts import Subject
from bedplate.errors import CallError
from bedplate.gate.identity import Authenticator, by_token

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEXT = """bedplate: 1
name: press
path: acme
connectors:
  press:
    use: device
    placement: inline
    folder: FOLDER
    scan: 50ms
    tags:
      speed: {address: speed, unit: 1/min, write: {range: [10, 120], step: 90, verify_timeout: 500ms}}
      count: {address: count, write: {range: [0, 65535]}}
      state: {address: state, states: {0: stopped, 1: running}, write: {}}
      name: {address: name, write: {}}
      guard: {address: guard}
writes:
  enabled: true
  allow:
    - {role: admin, tags: ["press/speed", "press/state", "press/name"]}
    - {role: admin, tags: ["press/count"], second_person: true}
"""


@dataclass
class Shop:
    """first and second: anna and bert · folder: the machine."""

    site: Site
    first: AsyncClient
    second: AsyncClient
    folder: Path

    def how(self, word: str) -> None:
        (self.folder / "how").write_text(word)

    @property
    def effects(self) -> list[str]:
        file = self.folder / "effects"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.rpartition(" ")[0] for line in lines]

    async def type(self, *words: str) -> tuple[int, str]:
        """Exit code and what it said, without anybody to ask."""

        def run() -> tuple[int, str]:
            out = io.StringIO()
            with redirect_stdout(out), redirect_stderr(out), pytest.raises(SystemExit) as ended:
                main(["write", *words])
            assert isinstance(ended.value.code, int)
            return ended.value.code, out.getvalue()

        return await asyncio.to_thread(run)


def people(expected: str) -> Authenticator:
    """The local token, and two people with tokens of their own."""
    local = by_token(expected)

    def authenticate(token: str, peer: str) -> Subject | None:
        if token in ("anna", "bert"):
            return Subject(token, ("admin",), peer, "token", credential=f"fingerprint of {token}")
        return local(token, peer)

    return authenticate


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder = tmp_path_factory.mktemp("press")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDPLATE_HOME", str(tmp_path_factory.mktemp("h")))
        patch.setattr("bedplate.server.platform.by_token", people)
        site = Site(folder, TEXT, plugins=[FILE])
        try:
            await site.start()
            first, second = (connect_async(site.address, token) for token in ("anna", "bert"))
            async with asyncio.timeout(20):
                while not all(tag.current for tag in await first.tags(current=True)):
                    await asyncio.sleep(0.05)
            yield Shop(site, first, second, folder)
            await first.close()
            await second.close()
        finally:
            await site.stop()


@pytest.fixture(autouse=True)
def calm(shop: Shop) -> None:
    shop.how("")


async def test_a_dry_run_tells_every_check_and_sends_nothing(shop: Shop) -> None:
    before = shop.effects
    dry = await shop.first.write("speed", 95, dry_run=True)
    wrong = await shop.first.write("speed", 300, dry_run=True)

    assert (dry.state, dry.tag, dry.old, dry.value, dry.unit) == (
        *("dry_run", "acme/press/speed", 100.0, 95.0, "1/min"),
    )
    assert len(dry.checks) == 10
    assert dry.passed
    assert dry.by == "anna"
    assert [check.name for check in wrong.checks if not check.passed] == ["limits", "step"]
    assert shop.effects == before


async def test_what_is_written_is_read_back_and_listed_and_told_by_status(shop: Shop) -> None:
    done = await shop.first.write("press/speed", 96, reason="less\nfoam", if_current=100.0)
    listed = await shop.first.commands("press/speed")
    writes = (await shop.first.status()).writes

    assert (done.state, done.read_back, done.reason) == ("verified", 96.0, "less·foam")
    assert listed[0] == done
    assert writes is not None
    assert (writes.enabled, writes.off, writes.unknown) == (True, "", 0)
    assert writes.verified == writes.sent == 1


@pytest.mark.case("A67")
async def test_two_clients_that_race_are_told_who_lost(shop: Shop) -> None:
    await shop.first.write("press/speed", 50)
    both = await asyncio.gather(
        shop.first.write("press/speed", 60, if_current=50.0),
        shop.second.write("press/speed", 70, if_current=50.0),
    )
    states = sorted(one.state for one in both)

    assert states in (["rejected", "verified"], ["verified", "rejected"])
    assert sum(effect in ("speed 60.0", "speed 70.0") for effect in shop.effects) == 1


@pytest.mark.case("A15", "A16")
async def test_a_second_person_approves_exactly_what_was_asked_for(shop: Shop) -> None:
    waits = await shop.first.write("press/count", 8, command_id="two-1")
    with pytest.raises(CallError) as own:
        await shop.first.approve("two-1", waits.intent)
    another = await shop.first.write("press/count", 9, command_id="two-2")
    voided = await shop.second.approve("two-2", waits.intent)
    taken_back = await shop.first.write("press/count", 10, command_id="two-3")
    cancelled = await shop.second.cancel("two-3")
    waiting = await shop.second.commands(waiting=True)
    done = await shop.second.approve("two-1", waits.intent)

    assert {one.state for one in (waits, another, taken_back)} == {"await_approval"}
    assert own.value.code == "PERMISSION_DENIED"
    assert voided.state == "rejected"
    assert cancelled.state == "cancelled"
    assert [one.command_id for one in waiting] == ["two-1"]
    assert (done.state, done.by, done.approved_by) == ("verified", "anna", "bert")
    assert [effect for effect in shop.effects if effect.startswith("count")] == ["count 8"]


async def test_a_client_that_hangs_up_changes_nothing_and_may_ask_again(shop: Shop) -> None:
    await shop.first.write("press/speed", 90)
    shop.how("clamp")
    call = asyncio.create_task(shop.first.write("press/speed", 110, command_id="gone"))
    async with asyncio.timeout(5):
        while "speed 110.0" not in shop.effects:
            await asyncio.sleep(0.01)
    call.cancel()
    again = await shop.first.write("press/speed", 110, command_id="gone")

    assert again.state == "mismatch"
    assert shop.effects.count("speed 110.0") == 1


@pytest.mark.parametrize(
    ("tag", "value", "code"),
    [("nobody", 1, "NOT_FOUND"), ("press", 1, "NOT_FOUND"), ("speed", None, "INVALID_ARGUMENT")],
)
async def test_what_can_not_be_meant_is_an_error_of_the_call(
    shop: Shop, tag: str, value: Any, code: str
) -> None:
    with pytest.raises(CallError) as caught:
        await shop.first.write(tag, value)
    assert caught.value.code == code


@pytest.mark.parametrize("more", [{"command_id": "no such id!"}, {"within": "2min"}])
async def test_a_request_that_breaks_the_contract_is_invalid(shop: Shop, more: Any) -> None:
    with pytest.raises(CallError) as caught:
        await shop.first.write("press/speed", 90, **more)
    assert caught.value.code == "INVALID_ARGUMENT"


async def test_the_blocking_client_does_the_same(shop: Shop) -> None:
    def work(anna: Client, bert: Client) -> list[str]:
        with anna, bert:
            one = anna.write("press/name", "neu", dry_run=True)
            waits = anna.write("press/count", 11, command_id="sync-1")
            done = bert.approve("sync-1", waits.intent)
            back = anna.cancel("sync-1")
            return [one.state, waits.state, done.state, back.state, anna.commands()[0].command_id]

    address = shop.site.address
    found = await asyncio.to_thread(work, connect(address, "anna"), connect(address, "bert"))
    assert found == ["dry_run", "await_approval", "verified", "verified", "sync-1"]


# --- bedplate write ---


async def test_the_command_line_ends_with_a_code_for_each_outcome(shop: Shop) -> None:
    codes = {}
    codes["dry"], dry = await shop.type("speed", "90", "--dry-run")
    codes["dry wrong"], _ = await shop.type("speed", "300", "--dry-run")
    codes["verified"], verified = await shop.type("speed", "91", "--yes")
    codes["rejected"], rejected = await shop.type("speed", "300", "--yes")
    codes["label"], _ = await shop.type("state", "stopped", "--yes")
    codes["not current"], _ = await shop.type("speed", "92", "--if-current", "17", "--yes")
    codes["waits"], waits = await shop.type("count", "12", "--yes")
    shop.how("clamp")
    codes["mismatch"], mismatch = await shop.type("speed", "101", "--yes")
    shop.how("bug")
    codes["unknown"], unknown = await shop.type("speed", "75", "--yes")

    assert codes == {
        "dry": 0, "dry wrong": 8, "verified": 0, "rejected": 8, "label": 0, "not current": 8, "waits": 7,
        "mismatch": 5, "unknown": 6,
    }  # fmt: skip
    assert "All 10 checks passed. Nothing was sent." in dry
    assert "✔ verified  acme/press/speed  reads 91 /min" in verified
    assert "300.0 is outside 10 to 120" in rejected
    assert "reads 80 /min instead of 101 /min" in mismatch
    assert "look at the machine; nothing is sent again by itself" in unknown
    assert "bedplate write --approve" in waits


async def test_nobody_there_to_ask_is_no_yes(shop: Shop) -> None:
    before = shop.effects
    code, said = await shop.type("name", "b")
    assert (code, "nobody is there to ask; --yes says that you are sure" in said) == (2, True)
    assert shop.effects == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["speed", "fast"], "'fast' is not a number"),
        (["state", "flying"], "is not a whole number, or stopped, running"),
        (["press", "1"], "names 5 tags"),
        (["speed"], "name the tag and the value"),
        (["speed", "1", "--dryrun"], "unexpected extra argument"),
        (["name", "--yess"], "no such option"),
        (["--list", "--cancel", "x"], "one of"),
        (["--approve", "zzz"], "no command that waits begins with zzz"),
        (["speed", "90", "--dry-run", "--within", "soon"], "--within"),
    ],
)
async def test_what_is_typed_wrongly_is_said_and_nothing_happens(
    shop: Shop, words: list[str], said: str
) -> None:
    before = shop.effects
    code, told = await shop.type(*words)
    assert code == 2
    assert said in told
    assert shop.effects == before


async def test_what_waits_is_listed_and_taken_back(shop: Shop) -> None:
    await shop.first.write("press/count", 13, command_id="wait-13")
    code, listed = await shop.type("--list")
    again, told = await shop.type("--cancel", "wait-13")
    _, as_json = await shop.type("--list", "press/count", "--json")

    assert code == 0
    assert "wait-13" in listed
    assert "waits for a second person" in listed
    assert again == 0
    assert "cancelled" in told
    newest = json.loads(as_json)[0]
    assert (newest["command_id"], newest["state"]) == ("wait-13", "cancelled")


async def test_the_second_person_approves_by_the_beginning_of_the_id(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.first.write("press/count", 14, command_id="wait-14-long")
    monkeypatch.setenv("BEDPLATE_TOKEN", "bert")
    code, told = await shop.type("--approve", "wait-14", "--yes")
    assert code == 0, told
    assert "✔ verified  acme/press/count  reads 14" in told


@pytest.mark.parametrize(
    ("answer", "code", "said", "sent"),
    [
        ("y\n", 0, "✔ verified  acme/press/name  reads neu", True),
        ("n\n", 2, "Nothing was sent.", False),
        ("", 130, "Write neu to acme/press/name?", False),
    ],
)
async def test_in_a_terminal_a_person_sees_it_and_is_asked(
    shop: Shop, answer: str, code: int, said: str, sent: bool
) -> None:
    (shop.folder / "effects").unlink(missing_ok=True)
    words = ("write", "name", "neu", "--reason", "a new batch")
    seen = await asyncio.to_thread(
        see, *words, environ=dict(os.environ), until="[y/N]", types=answer
    )

    assert seen.code == code, seen.raw
    assert seen.lines[0].startswith("acme/press/name  ")
    assert "  reason  a new batch" in seen.lines
    assert "  All 10 checks passed." in seen.lines
    assert said in "\n".join(seen.lines)
    assert (shop.effects == ["name neu"]) is sent
