"""The write guard of a platform: put together from its kernel, gate and audit log, and how it stands, for `status`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bedplate.api.v1 import command_pb2 as messages
from bedplate.command import AuditLog, Command, Guard, Permit, Rules, State, World
from bedplate.command.kill_switch import thrown
from bedplate.model import AlarmPriority
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.kernel_alarms import KernelAlarms
from bedplate.runtime.writing import Writing
from bedplate.shown import plain

KILL_SWITCH = Path("/etc/bedplate/writes.disabled")
COUNTED = 1000  # of the newest commands
LONGEST = 300  # characters of what an alarm says
NOT_SENT = (State.REJECTED, State.EXPIRED)


class Writes:
    """One for a platform. file: where commands are kept over restarts · changes: how often who may do what has
    changed."""

    def __init__(
        self,
        kernel: Kernel,
        gate: Permit,
        audit: AuditLog,
        file: Path | None,
        changes: Callable[[], int] = lambda: 0,
    ) -> None:
        self._kernel, self._audit = kernel, audit
        world = World(
            Writing(kernel), gate, audit, kernel.clock, self.rules, self._alarm, changes=changes
        )
        self.guard = Guard(world, file)

    def rules(self) -> Rules:
        """As the deployment that runs says."""
        deployment = self._kernel.deployment
        own = deployment.writes.kill_switch
        switches = (KILL_SWITCH, *([deployment.folder(own)] if own else []))
        return Rules(deployment.writes, deployment.calendars, switches)

    def _alarm(self, command: Command) -> None:
        """Somebody has to look at the machine, also when nobody waits for the answer any more."""
        alarms = KernelAlarms(self._kernel.spine)
        source = f"{command.tag}/command"
        what = "did not do as it was told" if command.state is State.MISMATCH else "may have it"
        told = f"{command.by.id} wrote {command.value!r}, and the device {what}: {command.text}"
        do = f"Look at the machine; bedplate write --list {command.tag}"
        alarms.raised(source, AlarmPriority.HIGH, plain(told, LONGEST), do)
        alarms.returned(source, "it was told once")

    def status(self) -> messages.WritesStatus:
        rules, since = self.rules(), self._midnight()
        told = messages.WritesStatus(enabled=rules.writes.enabled, since=since)
        if rules.writes.enabled:
            told.off = self._off(rules)
        for one in self.guard.commands(last=COUNTED):
            if one.submitted >= since or not one.state.ended:
                _count(told, one.state)
        return told

    def _midnight(self) -> int:
        """Of today, where the plant is."""
        return self._kernel.ledger.range(0, 0)[0]

    def _off(self, rules: Rules) -> str:
        for switch in rules.kill_switches:
            if thrown([switch]):
                return f"kill switch {switch}"
        if self._audit.failed:
            return f"the audit log can't be written: {self._audit.failed}"
        if why := self._kernel.spine.not_stored:
            return f"nothing is stored: {why}"
        return self.guard.stopped()


def _count(told: messages.WritesStatus, state: State) -> None:
    if state is State.AWAIT_APPROVAL:
        told.waiting += 1
    elif state in NOT_SENT:
        told.refused += 1
    elif state.public in (State.SENT, State.VERIFIED, State.MISMATCH, State.UNKNOWN):
        told.sent += 1
        told.verified += state is State.VERIFIED
        told.mismatch += state is State.MISMATCH
        told.unknown += state is State.UNKNOWN
