"""Alarms of the audit log: it can't be written, it is not whole, an anchor takes nothing. One for each."""

from __future__ import annotations

from collections.abc import Mapping

from bedplate.model import AlarmPriority
from bedplate.runtime.kernel_alarms import KernelAlarms

WRITTEN, WHOLE, ANCHOR = (f"kernel/audit/{name}" for name in ("written", "whole", "anchor"))
DO = {
    WRITTEN: "make room on the disk of the audit log, or replace it: no command and no change is allowed meanwhile",
    WHOLE: "find out who could write there: bedplate audit verify names the first entry that is not the kernel's",
    ANCHOR: "bring the anchor back, as `bedplate status` says: until then the log can be cut off unseen",
}
OVER = {
    WRITTEN: "the audit log is written again",
    WHOLE: "the newest files of the audit log are whole",
    ANCHOR: "the anchor has a new checkpoint",
}


def tell(alarms: KernelAlarms, wrong: Mapping[str, str]) -> None:
    """wrong: source → why; "" when nothing is."""
    for source, why in wrong.items():
        if why:
            alarms.raised(source, AlarmPriority.HIGH, why, DO[source])
        else:
            alarms.returned(source, OVER[source])
