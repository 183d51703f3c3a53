"""The gate. Order: the kernel's table → every security module, side by side → the audit log. Who asks is known before.

Modules may only add denials. One that denies, raises, answers too few decisions or none, or takes longer than 500 ms,
denies. One that is starting denies too, and where nobody else does, the caller is told to try again. A decision is
remembered only as long as its module says, and by nobody once the module says `forget` or its session ends.

A call that shows things is decided as such, for the platform itself; then each thing that it could show, by its full
path. What is denied is left out as if it were not there.
"""

from __future__ import annotations

import shlex
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from bedplate.contracts import Subject
from bedplate.errors import Denied, NotReady
from bedplate.gate.asking import DECIDE_WITHIN, FOR_EVER, Asking, Module, Outcome
from bedplate.gate.audit import Audit, Entry
from bedplate.gate.memory import Memory, Who, who
from bedplate.gate.policy import ACTIONS, by_kernel_alone, granted, objection

VIEWS = 64  # sights that are kept
FEW = 50  # paths that are not worth one


@dataclass(frozen=True, slots=True)
class _View:
    """What of these paths was seen last, until when, and in which generation of the memory."""

    paths: Collection[str]
    size: int
    seen: Collection[str]
    until: float
    generation: int

    def of(self, paths: Collection[str]) -> bool:
        return self.paths is paths and self.size == len(paths)


@dataclass(frozen=True, slots=True)
class Reasons:
    """rules: by which it is allowed or not, each with who says so."""

    allowed: bool
    rules: tuple[str, ...]


class Gate:
    """modules: id → module. now: a monotonic clock, s. Safe to use from many calls at once, on one loop."""

    def __init__(
        self,
        modules: Mapping[str, Module],
        audit: Audit,
        decide_within: float = DECIDE_WITHIN,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._modules = modules
        self._audit = audit
        self.memory = Memory(now)
        self._asking = Asking(modules, self.memory, decide_within)
        self._views: OrderedDict[tuple[Who, str], _View] = OrderedDict()

    async def check(self, subject: Subject, action: str, *resources: str, told: str = "") -> None:
        """Returns when the subject may do this to all of these resources, each a full path; none: to the platform
        itself. told: what was asked for in the caller's words, for the audit log.

        Raises Denied; NotReady when a module that is starting is all that stands against it. The rule stands in the
        audit log, not in the error.
        """
        rule, waits = objection(subject, action), ""
        if not rule and not self.open_to(subject, action):
            rule, waits = _verdict(await self._asking.ask(subject, action, resources or ("",)))
        named = ", ".join(resources)
        if rule:
            raise self._refused(subject, action, named or told, rule, waits)
        entry = self._entry(subject, action, named or told)
        if not ACTIONS[action].changes:
            self._audit.add(entry)
        elif not await self._audit.write(entry):
            raise Denied(
                f"{action} is refused while the audit log can't be written; `bedplate status` says why"
            )

    def bar(self, subject: Subject, action: str) -> None:
        """Raises Denied when the kernel's own table is against it, whatever it is done to."""
        if rule := objection(subject, action):
            raise self._refused(subject, action, "", rule, "")

    def write_down(self, subject: Subject, action: str, rule: str) -> None:
        """A refusal that was found behind the gate."""
        self._audit.add(self._entry(subject, action, "", rule), urgent=True)

    async def reasons(self, subject: Subject, action: str, resource: str = "") -> Reasons:
        """Whether this is allowed now, and by which rules. Asks anew, and leaves no line in the log."""
        if rule := objection(subject, action):
            return Reasons(False, (rule,))
        by_kernel = f"kernel: {granted(subject, action)}"
        if self.open_to(subject, action):
            return Reasons(True, (by_kernel,))
        found = await self._asking.told(subject, action, resource)
        against = tuple(f"{one.module}: {one.rule}" for one in found if one.rule)
        for_it = tuple(f"{one.module}: {one.words}" for one in found if one.words)
        return Reasons(not against, against or (by_kernel, *for_it))

    # --- what they see ---

    async def seen(self, subject: Subject, action: str, paths: Collection[str]) -> Collection[str]:
        """Those of these full paths that this action may show, in their order; the same object when it is all of them.

        Raises Denied, NotReady when a module has no answer: part of a list must not look like the whole.
        """
        return (await self.look(subject, action, paths))[0]

    async def look(
        self, subject: Subject, action: str, paths: Collection[str], *, keep: bool = True
    ) -> tuple[Collection[str], float]:
        """The same, with the monotonic moment up to which it may be remembered. keep: the same object will be asked
        about again."""
        if self.open_to(subject, action) or not paths:
            return paths, FOR_EVER
        if objection(subject, action):
            return (), FOR_EVER
        key, now = (who(subject), action), self.memory.now()
        view = self._views.get(key)
        generation = self.memory.generation
        if view and view.of(paths) and view.generation == generation and now < view.until:
            return view.seen, view.until
        outcomes = await self._asking.ask(subject, action, paths)
        if any(one.failed for one in outcomes):
            rule, waits = _verdict([one for one in outcomes if one.failed])
            raise self._refused(subject, action, "", rule, waits)
        hidden = {path for one in outcomes for path in one.denied}
        seen = dict.fromkeys(p for p in paths if p not in hidden) if hidden else paths
        until = min(one.until for one in outcomes)
        if keep and len(paths) >= FEW and until > now:
            self._remember(key, _View(paths, len(paths), seen, until, generation))
        return seen, until

    def _remember(self, key: tuple[Who, str], view: _View) -> None:
        self._views[key] = view
        self._views.move_to_end(key)
        if len(self._views) > VIEWS:
            self._views.popitem(last=False)

    def open_to(self, subject: Subject, action: str) -> bool:
        """Whether the table allows it and there is no module to ask."""
        if objection(subject, action):
            return False
        return not self._modules or by_kernel_alone(subject, action)

    # --- words ---

    def _refused(
        self, subject: Subject, action: str, resource: str, rule: str, waits: str
    ) -> Exception:
        """Written down, and as the caller gets it."""
        self._audit.add(self._entry(subject, action, resource, rule), urgent=True)
        if waits:
            return NotReady(waits)
        what = f" to {resource[:200]}" if resource else ""
        ask = shlex.join(["bedplate", "access", "check", action, *filter(None, [resource[:200]])])
        return Denied(f"{subject.id} may not do {action}{what}; `{ask}` says why")

    def _entry(self, subject: Subject, action: str, resource: str, rule: str = "") -> Entry:
        return Entry(
            action=action,
            verdict="refused" if rule else "allowed",
            who=subject.id,
            method=subject.method,
            peer=subject.peer,
            resource=resource,
            rule=rule,
            credential=subject.credential,
        )


def _verdict(outcomes: Sequence[Outcome]) -> tuple[str, str]:
    """The rule by which some module denies, empty when none does; and who is still starting, when nobody else
    denies."""
    against = [one for one in outcomes if one.rule]
    told = "; ".join(f"{one.module}: {one.rule}" for one in against)
    waits = [one.waits for one in against if one.waits]
    return told, "; ".join(waits) if len(waits) == len(against) else ""


__all__ = ["DECIDE_WITHIN", "Gate", "Module"]
