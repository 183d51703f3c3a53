"""Calls hooks: one plugin at a time, each on its own thread, within a time; a failure is recorded on its plugin.

pluggy validates and keeps what was registered. It never calls: its own call loses every result when one plugin raises.
"""

from __future__ import annotations

import importlib
import inspect
import queue
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

import pluggy

from bedplate import hookspecs
from bedplate.admission.discovery import EntryPoint, entry_points

GROUP = "bedplate.hooks"
LOAD_WITHIN = 5.0  # s
CLOSE_WITHIN = 2.0  # s
BEHIND = 1000  # calls told and not yet made

Answer = Future["pluggy.Result[Any]"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one plugin made of a call. value: what it returned, None when it failed · error: "" or one line ·
    elapsed: s."""

    plugin: str
    value: Any
    error: str
    elapsed: float


@dataclass(slots=True)
class HookPlugin:
    """One entry point. verdict: registered, not trusted or refused · reason: one sentence · failures: calls that raised
    or took too long · left_out: calls it was not told because it was too far behind."""

    name: str
    distribution: str
    verdict: str
    reason: str = ""
    failures: int = 0
    last_error: str = ""
    left_out: int = 0


class HookCaller:
    """Safe to use from any thread. `call_each` and `close` block; `tell` does not."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._workers: dict[str, _Worker] = {}
        self._plugins: list[HookPlugin] = []

    @property
    def plugins(self) -> tuple[HookPlugin, ...]:
        """Every entry point of the group with what became of it."""
        return tuple(self._plugins)

    def load(self, trusted: Collection[str], within: float = LOAD_WITHIN) -> None:
        """Imports and registers the hooks of trusted distributions, and nothing of others. within: s, for each."""
        for point in entry_points(GROUP):
            plugin = HookPlugin(
                f"{point.distribution}:{point.name}", point.distribution, "refused", point.problem
            )
            self._plugins.append(plugin)
            if point.problem:
                continue
            if point.distribution not in trusted:
                plugin.verdict = "not trusted"
                plugin.reason = f"no component of {point.distribution} is placed inline"
                continue
            worker = _Worker(plugin)
            loaded = worker.call(partial(_load, point), within)
            plugin.reason = loaded.error or self._register(loaded.value, worker)
            plugin.verdict = "refused" if plugin.reason else "registered"

    def call_each(self, name: str, timeout: float, **arguments: Any) -> list[Outcome]:
        """Asks one plugin after the other. timeout: s, for each. Raises nothing of theirs."""
        return [
            self._workers[impl.plugin_name].call(_bind(impl, arguments), timeout)
            for impl in self._impls(name)
        ]

    def tell(self, name: str, **arguments: Any) -> None:
        """Lets plugins know, some time soon, in order."""
        for impl in self._impls(name):
            self._workers[impl.plugin_name].tell(_bind(impl, arguments))

    def close(self, reason: str) -> None:
        """Tells plugins that the kernel stops, and ends their threads. Legal twice."""
        self.call_each("bedplate_shutdown", CLOSE_WITHIN, reason=reason)
        for name, worker in self._workers.items():
            worker.stop()
            self._manager.unregister(name=name)
        self._workers.clear()

    def _impls(self, name: str) -> list[pluggy.HookImpl]:
        return list(getattr(self._manager.hook, name).get_hookimpls())

    def _register(self, found: Any, worker: _Worker) -> str:
        """Why its hooks can't be had; empty when they are registered."""
        name = worker.plugin.name
        result = pluggy.Result.from_call(lambda: self._manager.register(found, name))
        if result.exception is not None:
            return _say(result.exception)
        impls = self._manager.get_hookcallers(found) or []
        own = [impl for hook in impls for impl in hook.get_hookimpls() if impl.plugin is found]
        problem = "" if own else "it implements no hook"
        problem = problem or next(filter(None, map(_problem, own)), "")
        misspelt = pluggy.Result.from_call(self._manager.check_pending).exception
        problem = problem or (_say(misspelt) if misspelt else "")
        if problem:
            self._manager.unregister(found)
            worker.stop()
        else:
            self._workers[name] = worker
        return problem


class _Worker:
    """One plugin's thread. A call that hangs holds up its own plugin and nobody else."""

    def __init__(self, plugin: HookPlugin) -> None:
        self.plugin = plugin
        self._jobs: queue.Queue[tuple[Callable[[], Any], Answer] | None] = queue.Queue(BEHIND)
        self._stuck: Answer | None = None
        threading.Thread(target=self._run, name=f"hooks {plugin.name}", daemon=True).start()

    def call(self, job: Callable[[], Any], timeout: float) -> Outcome:
        """Waits for the answer, at most timeout s."""
        began = time.monotonic()
        if self._stuck and not self._stuck.done():
            return self._failed("is still busy with an earlier call", began)
        answer = self._put(job)
        if answer is None:
            return self._failed(f"is {BEHIND} calls behind", began)
        try:
            result = answer.result(timeout)
        except TimeoutError:
            self._stuck = answer
            return self._failed(f"no answer within {timeout:g} s", began)
        if result.exception is not None:
            return self._failed(_say(result.exception), began)
        return Outcome(self.plugin.name, result.get_result(), "", time.monotonic() - began)

    def tell(self, job: Callable[[], Any]) -> None:
        answer = self._put(job)
        if answer is None:
            self.plugin.left_out += 1
        else:
            answer.add_done_callback(self._told)

    def stop(self) -> None:
        """The thread ends after what it does now; one that hangs is left behind and ends with the process."""
        while True:
            try:
                self._jobs.put_nowait(None)
                return
            except queue.Full:
                self._jobs.get_nowait()

    def _put(self, job: Callable[[], Any]) -> Answer | None:
        answer: Answer = Future()
        try:
            self._jobs.put_nowait((job, answer))
        except queue.Full:
            return None
        return answer

    def _told(self, answer: Answer) -> None:
        if (error := answer.result().exception) is not None:
            self._failed(_say(error), time.monotonic())

    def _failed(self, error: str, began: float) -> Outcome:
        self.plugin.failures += 1
        self.plugin.last_error = error
        return Outcome(self.plugin.name, None, error, time.monotonic() - began)

    def _run(self) -> None:
        while (item := self._jobs.get()) is not None:
            job, answer = item
            answer.set_result(pluggy.Result.from_call(job))  # it holds whatever the plugin raises


def _bind(impl: pluggy.HookImpl, arguments: dict[str, Any]) -> Callable[[], Any]:
    return partial(impl.function, *(arguments[name] for name in impl.argnames))


def _load(point: EntryPoint) -> Any:
    module, _, name = point.value.partition(":")
    found = importlib.import_module(module.strip())
    for part in filter(None, name.strip().split(".")):
        found = getattr(found, part)
    return found


def _problem(impl: pluggy.HookImpl) -> str:
    """What pluggy lets pass and would surprise the author."""
    name = impl.function.__name__
    if inspect.iscoroutinefunction(impl.function):
        return f"{name} is an async def; hooks are plain functions"
    if impl.wrapper or impl.hookwrapper:
        return f"{name} is a wrapper; there is nothing to wrap, each plugin is called by itself"
    if impl.kwargnames:
        return f"{name}: argument {impl.kwargnames[0]} has a default, so it would never be passed"
    return ""


def _say(error: BaseException) -> str:
    """One line."""
    text = f"{type(error).__name__}: {error}"
    return "".join(c if c.isprintable() else " " for c in text)[:300]
