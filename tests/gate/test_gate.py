"""Who may do what: the kernel's table, security modules of every temper, and the line each decision leaves."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.gate.rig import (
    ADMIN,
    SOCKET,
    VIEWER,
    BadDisk,
    Module,
    StillClock,
    allowing,
    audit,
    denying,
    lines,
)

from bedplate.contracts import Decision, Subject, Verdict
from bedplate.errors import Denied, NotReady
from bedplate.gate.audit import Audit
from bedplate.gate.gate import Gate
from bedplate.gate.policy import ACTIONS

TOKEN = "cd" * 32


@asynccontextmanager
async def gate(folder: Path, within: float = 0.5, **modules: Module) -> AsyncIterator[Gate]:
    """A gate; its log is complete once this is left."""
    log = audit(folder)
    await log.open()
    try:
        yield Gate(modules, log, within)
    finally:
        await log.close()


async def test_the_holder_of_the_token_may_do_everything(tmp_path: Path) -> None:
    async with gate(tmp_path) as door:
        for action in ACTIONS:
            await door.check(ADMIN, action, "acme/**")
    told = lines(tmp_path)
    assert [line["action"] for line in told] == list(ACTIONS)
    wanted = {
        "time": "2026-11-22T22:31:00.123456Z",
        "action": "catalog.tags",
        "verdict": "allowed",
        "who": "local-token",
        "method": "token",
        "peer": "ipv4:127.0.0.1:5",
        "resource": "acme/**",
        "rule": "",
        "text": "",
    }
    assert wanted.items() <= told[0].items()


@pytest.mark.parametrize(
    "action", ["admin.shutdown", "", "live", "live.*", "Admin.status", "admin.status "]
)
async def test_what_is_not_in_the_table_is_denied_to_everybody(tmp_path: Path, action: str) -> None:
    async with gate(tmp_path) as door:
        for subject in (ADMIN, SOCKET):
            with pytest.raises(Denied):
                await door.check(subject, action)
    assert {line["rule"] for line in lines(tmp_path)} == {"kernel: no such action"}


async def test_a_role_bounds_what_one_may_do(tmp_path: Path) -> None:
    nobody = Subject("nobody", ("guest",))
    async with gate(tmp_path) as door:
        await door.check(VIEWER, "live.subscribe", "**")
        with pytest.raises(
            Denied,
            match=r"^vera may not do alarms.acknowledge to press/hot; `bedplate access check",
        ):
            await door.check(VIEWER, "alarms.acknowledge", "press/hot")
        for action, needed in ACTIONS.items():
            if needed.roles:
                with pytest.raises(Denied):
                    await door.check(nobody, action)
    assert lines(tmp_path)[1]["rule"] == "kernel: needs one of admin, engineer, operator"


async def silent(checks: Any) -> None:
    await asyncio.sleep(60)


async def stubborn(checks: Any) -> Any:
    while True:  # does not even give up when it is told to
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)
            return allowing(checks)


async def raising_late(checks: Any) -> None:
    try:
        await asyncio.sleep(60)
    finally:
        raise ValueError("too late")


async def cancelled(checks: Any) -> None:
    raise asyncio.CancelledError


def failing(checks: Any) -> None:
    raise RuntimeError("a bug in the module")


TEMPERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "denies": (denying, "denied: not on Sundays"),
    "denies without a word": (lambda checks: [Decision(Verdict.DENY)] * len(checks), "denied"),
    "decides nothing": (lambda checks: [Decision(Verdict.UNSPECIFIED)] * len(checks), "denied"),
    "raises": (failing, "RuntimeError: a bug in the module"),
    "is down": (
        lambda checks: (_ for _ in ()).throw(ConnectionError("is not up")),
        "ConnectionError: is not up",
    ),
    "answers None": (lambda checks: None, "did not answer with 2 decisions"),
    "answers too few": (lambda checks: allowing(checks)[1:], "did not answer with 2 decisions"),
    "answers too many": (
        lambda checks: [*allowing(checks), *allowing(checks)],
        "did not answer with 2 decisions",
    ),
    "answers something else": (lambda checks: [True] * len(checks), "denied"),
    "answers a text": (lambda checks: "ok", "denied"),
    "allows only the first": (
        lambda checks: [*allowing(checks[:1]), *denying(checks[1:])],
        "denied: not on",
    ),
    "is silent": (silent, "no answer in time"),
    "is stubborn": (stubborn, "no answer in time"),
    "raises when told to stop": (raising_late, "no answer in time"),
    "gives up": (cancelled, "gave up"),
}


@pytest.mark.parametrize("temper", TEMPERS)
async def test_whatever_is_no_yes_is_a_denial(tmp_path: Path, temper: str) -> None:
    answer, rule = TEMPERS[temper]
    async with gate(tmp_path, 0.05, good=Module(allowing), bad=Module(answer)) as door:
        with pytest.raises(Denied) as error:
            await door.check(ADMIN, "live.subscribe", "a/**", "b/**")
        assert "Sunday" not in str(error.value)
        await asyncio.sleep(0.2 if temper == "is stubborn" else 0)
    (line,) = lines(tmp_path)
    assert (line["verdict"], line["resource"]) == ("refused", "a/**, b/**")
    assert line["rule"].startswith(f"bad: {rule}")


def starting(checks: Any) -> None:
    raise NotReady("security module new is starting; try again")


async def test_a_module_that_is_starting_denies_for_now_unless_another_one_denies(
    tmp_path: Path,
) -> None:
    async with gate(tmp_path, good=Module(allowing), new=Module(starting)) as door:
        with pytest.raises(NotReady, match=r"^security module new is starting; try again$"):
            await door.check(ADMIN, "live.current")
    async with gate(tmp_path, 0.05, bad=Module(denying), new=Module(starting)) as door:
        with pytest.raises(Denied) as error:
            await door.check(ADMIN, "live.current")
    assert not isinstance(error.value, NotReady)
    told = [line["rule"] for line in lines(tmp_path) if line["verdict"] == "refused"]
    assert told[0] == "new: NotReady: security module new is starting; try again"
    assert told[1].startswith("bad: denied: not on Sundays; new: ")


async def test_a_silent_module_denies_within_its_half_second(tmp_path: Path) -> None:
    async with gate(tmp_path, silent=Module(silent), other=Module(silent)) as door:
        began = time.monotonic()
        with pytest.raises(Denied):
            await door.check(ADMIN, "live.current")
        assert 0.4 < time.monotonic() - began < 2


async def test_modules_that_allow_or_abstain_leave_the_kernels_word(tmp_path: Path) -> None:
    abstaining = Module(lambda checks: [Decision(Verdict.ABSTAIN)] * len(checks))
    async with gate(tmp_path, a=Module(allowing), b=abstaining) as door:
        await door.check(ADMIN, "live.subscribe", "a/**", "b/**")
        assert [check.resource for check in abstaining.asked] == ["a/**", "b/**"]


async def test_a_module_cannot_allow_what_the_kernel_denies(tmp_path: Path) -> None:
    module = Module(allowing)
    async with gate(tmp_path, module=module) as door:
        with pytest.raises(Denied):
            await door.check(VIEWER, "alarms.acknowledge", "x")
        assert module.asked == []


async def test_a_dead_module_does_not_lock_the_operator_of_the_machine_out(tmp_path: Path) -> None:
    async with gate(tmp_path, 0.05, dead=Module(silent)) as door:
        await door.check(SOCKET, "admin.status")
        with pytest.raises(Denied):
            await door.check(ADMIN, "admin.status")
        with pytest.raises(Denied):
            await door.check(SOCKET, "history.query", "**")


async def test_a_caller_that_goes_away_leaves_no_question_behind(tmp_path: Path) -> None:
    async with gate(tmp_path, 60, silent=Module(silent)) as door:
        before = asyncio.all_tasks()
        task = asyncio.create_task(door.check(ADMIN, "live.current"))
        await asyncio.sleep(0.01)
        assert len(asyncio.all_tasks() - before) == 2
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before


async def test_changes_are_refused_while_the_log_cannot_be_written_and_data_flows_on() -> None:
    disk = BadDisk()
    log = Audit(disk, StillClock())
    await log.open()
    door = Gate({}, log)
    await door.check(ADMIN, "alarms.acknowledge", "press/hot")
    disk.error = errno.ENOSPC
    with pytest.raises(Denied, match="while the audit log can't be written"):
        await door.check(ADMIN, "alarms.acknowledge", "press/hot")
    assert log.failed == "audit.jsonl: ENOSPC"
    await door.check(ADMIN, "live.current", "**")
    await door.check(ADMIN, "admin.status")
    disk.error = 0
    await door.check(ADMIN, "alarms.acknowledge", "press/hot")
    assert log.failed == ""
    assert disk.written.count(b"alarms.acknowledge") == 3, "also the one that was refused is told"
    await log.close()


async def test_a_decision_without_modules_takes_less_than_50_microseconds(tmp_path: Path) -> None:
    async with gate(tmp_path) as door:
        best = 1.0
        for _ in range(20):
            began = time.perf_counter()
            for _ in range(100):
                await door.check(ADMIN, "live.current", "acme/berlin/press-shop/line1/**")
            best = min(best, (time.perf_counter() - began) / 100)
    assert best < 50e-6, f"{best * 1e6:.1f} µs"


def test_every_method_of_the_api_has_an_action_in_the_table() -> None:
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

    kernel: Any = SimpleNamespace(clock=StillClock())
    nothing: Any = None
    rooms = [
        Catalog(kernel),
        LiveService(kernel),
        HistoryService(kernel),
        AlarmService(kernel),
        Admin(kernel, ()),
        GapService(kernel),
        MaintenanceService(kernel),
        ExplainService(kernel),
        DeploymentService(kernel, nothing, nothing),
        AccessService(nothing, nothing, nothing, kernel.clock.monotonic),
        CheckAccessService(kernel),
        CommandService(kernel, nothing),
        AuditService(nothing),
    ]
    actions = {method.action for room in rooms for method in room.methods()}
    assert actions == set(ACTIONS), "neither may have what the other lacks"
