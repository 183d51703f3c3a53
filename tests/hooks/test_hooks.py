"""Hooks of plugins of every temper: sound, broken, hanging, misspelt, not trusted."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.admission.site import Site

from bedplate import hooks
from bedplate.hooks import HookCaller, HookPlugin

HEAR = """
from bedplate.hookspecs import hookimpl
heard = []
@hookimpl
def bedplate_status_changed(component, state): heard.append((component, state))
@hookimpl
def bedplate_shutdown(reason): return reason.upper()
"""
STATUS: dict[str, Any] = {"component": "press", "state": "up", "reason": "opened", "at": 1}


@pytest.fixture
def caller() -> Iterator[HookCaller]:
    made = HookCaller()
    yield made
    made.close("the test ends")


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Plugins of other tests have the same names."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("ears"):
            del sys.modules[name]


def install(site: Site, name: str, code: str, value: str = "") -> None:
    module = name.replace("-", "_")
    site.install(
        name, manifest=None, code=code, points=f"[bedplate.hooks]\nh = {value or module}\n"
    )


def plugin(caller: HookCaller, distribution: str) -> HookPlugin:
    return next(p for p in caller.plugins if p.distribution == distribution)


def until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_trusted_plugin_hears_and_answers(site: Site, caller: HookCaller) -> None:
    install(site, "ears", HEAR)
    caller.load({"ears"})
    assert plugin(caller, "ears").verdict == "registered", plugin(caller, "ears").reason
    caller.tell("bedplate_status_changed", **STATUS)
    (outcome,) = caller.call_each("bedplate_shutdown", 1.0, reason="over")
    assert (outcome.plugin, outcome.value, outcome.error) == ("ears:h", "OVER", "")
    assert 0 <= outcome.elapsed < 1
    assert sys.modules["ears"].heard == [("press", "up")]


def test_an_object_may_have_the_hooks_too(site: Site, caller: HookCaller) -> None:
    code = """
from bedplate.hookspecs import hookimpl
class Ears:
    @hookimpl
    def bedplate_shutdown(self, reason): return f"{reason} {type(self).__name__}"
ears = Ears()
"""
    install(site, "ears", code, "ears:ears")
    caller.load({"ears"})
    assert caller.call_each("bedplate_shutdown", 1.0, reason="bye")[0].value == "bye Ears"


def test_what_is_not_trusted_is_not_imported(site: Site, caller: HookCaller) -> None:
    install(site, "ears", HEAR)
    caller.load({"other"})
    found = plugin(caller, "ears")
    assert (found.verdict, found.reason) == ("not trusted", "no component of ears is placed inline")
    assert site.imported() == []
    assert caller.call_each("bedplate_shutdown", 1.0, reason="over") == []


def hook(signature: str, body: str = "pass", marker: str = "@hookimpl") -> str:
    return f"from bedplate.hookspecs import hookimpl\n{marker}\n{signature}:\n    {body}\n"


REFUSALS = {
    "misspelt": (hook("def bedplate_shutdwon(reason)"), "unknown hook 'bedplate_shutdwon'"),
    "an argument of its own": (hook("def bedplate_shutdown(reason, when)"), "'when'"),
    "an argument with a default": (
        hook("def bedplate_shutdown(reason='x')"),
        "bedplate_shutdown: argument reason has a default, so it would never be passed",
    ),
    "async": (hook("async def bedplate_shutdown(reason)"), "bedplate_shutdown is an async def"),
    "a wrapper": (
        hook("def bedplate_shutdown(reason)", "yield", "@hookimpl(wrapper=True)"),
        "bedplate_shutdown is a wrapper",
    ),
    "no hooks": ("x = 1", "it implements no hook"),
    "ImportError": ("import nothing_of_that_name", "ModuleNotFoundError: No module named"),
    "SystemExit": ("raise SystemExit(3)", "SystemExit: 3"),
    "a bug": ("1 / 0", "ZeroDivisionError: division by zero"),
    "hanging": ("import time; time.sleep(3600)", "no answer within 0.2 s"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_wrong_with_hooks_is_explained_and_harms_nobody(
    site: Site, caller: HookCaller, case: str
) -> None:
    code, words = REFUSALS[case]
    bad_name = (
        f"ears-{len(case)}-{case[0].lower()}"  # one that hangs keeps Python's lock of its module
    )
    install(site, bad_name, code)
    install(site, "ears-good", HEAR)
    caller.load({bad_name, "ears-good"}, within=0.2 if case == "hanging" else 5.0)
    bad = plugin(caller, bad_name)
    assert bad.verdict == "refused"
    assert words in bad.reason
    assert "\n" not in bad.reason
    assert plugin(caller, "ears-good").verdict == "registered"
    assert [o.value for o in caller.call_each("bedplate_shutdown", 1.0, reason="over")] == ["OVER"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("raise RuntimeError('a bug')", "RuntimeError: a bug"),
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
        ("import time; time.sleep(3600)", "no answer within 0.2 s"),
    ],
)
def test_one_that_fails_is_recorded_and_the_others_are_asked(
    site: Site, caller: HookCaller, body: str, error: str
) -> None:
    install(site, "ears-bad", hook("def bedplate_shutdown(reason)", body))
    install(site, "ears-good", HEAR)
    caller.load({"ears-bad", "ears-good"})
    assert plugin(caller, "ears-bad").verdict == "registered", plugin(caller, "ears-bad").reason
    outcomes = {o.plugin: o for o in caller.call_each("bedplate_shutdown", 0.2, reason="over")}
    assert outcomes["ears-bad:h"].error == error
    assert outcomes["ears-bad:h"].value is None
    assert outcomes["ears-good:h"].value == "OVER"
    assert (plugin(caller, "ears-bad").failures, plugin(caller, "ears-bad").last_error) == (
        1,
        error,
    )


def test_one_that_hangs_costs_its_time_once(site: Site, caller: HookCaller) -> None:
    install(
        site, "ears-bad", hook("def bedplate_shutdown(reason)", "import time; time.sleep(3600)")
    )
    caller.load({"ears-bad"})
    caller.call_each("bedplate_shutdown", 0.2, reason="over")
    began = time.monotonic()
    (outcome,) = caller.call_each("bedplate_shutdown", 5.0, reason="over")
    assert outcome.error == "is still busy with an earlier call"
    assert time.monotonic() - began < 1


def test_telling_waits_for_nobody_and_keeps_order(site: Site, caller: HookCaller) -> None:
    code = """
import threading
from bedplate.hookspecs import hookimpl
gate, heard = threading.Event(), []
@hookimpl
def bedplate_status_changed(at): gate.wait(); heard.append(at)
"""
    install(site, "ears", code)
    caller.load({"ears"})
    began = time.monotonic()
    for at in range(hooks.BEHIND + 50):
        caller.tell("bedplate_status_changed", **(STATUS | {"at": at}))
    assert time.monotonic() - began < 2
    left_out = plugin(caller, "ears").left_out
    assert 49 <= left_out <= 50, "one call is under way, a thousand wait"
    module = sys.modules["ears"]
    module.gate.set()
    until(lambda: len(module.heard) == hooks.BEHIND + 50 - left_out)
    assert module.heard == list(range(hooks.BEHIND + 50 - left_out))


def test_one_that_fails_when_told_is_recorded(site: Site, caller: HookCaller) -> None:
    install(
        site,
        "ears",
        hook("def bedplate_audit_written(record)", "raise ValueError(record['action'])"),
    )
    caller.load({"ears"})
    caller.tell("bedplate_audit_written", record={"action": "live.current"})
    until(lambda: plugin(caller, "ears").failures == 1)
    assert plugin(caller, "ears").last_error == "ValueError: live.current"


def test_closing_says_goodbye_once_and_leaves_no_thread(site: Site) -> None:
    install(site, "ears", HEAR.replace("return reason.upper()", "heard.append(reason)"))
    caller = HookCaller()
    caller.load({"ears"})
    caller.close("over")
    caller.close("over")
    assert sys.modules["ears"].heard == ["over"]
    until(lambda: not [t for t in threading.enumerate() if t.name == "hooks ears:h"])


def test_a_damaged_entry_point_is_told(site: Site, caller: HookCaller) -> None:
    site.declare("ears", "[bedplate.hooks]\nh\n")
    caller.load({"ears"})
    assert plugin(caller, "ears").reason.startswith("entry_points.txt: ")


def test_nobody_asks_for_a_hook_that_is_none(caller: HookCaller) -> None:
    with pytest.raises(AttributeError):
        caller.call_each("bedplate_unheard_of", 1.0)


def test_the_kernel_is_not_slower_without_hooks(caller: HookCaller, tmp_path: Path) -> None:
    caller.load(())
    best = 1.0
    for _ in range(10):
        began = time.perf_counter()
        for _ in range(1000):
            caller.tell("bedplate_status_changed", **STATUS)
        best = min(best, (time.perf_counter() - began) / 1000)
    assert best < 20e-6
