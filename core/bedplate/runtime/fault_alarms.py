"""A component is faulted, and somebody has to look after its plugin: one alarm for one bug, or one process.

Over when the component has proved that it is back. That of a component which the deployment no longer has ends at the
start.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from bedplate.config.deployment import Component
from bedplate.model import AlarmPriority
from bedplate.runtime.causes.grouping import alike
from bedplate.runtime.kernel_alarms import KernelAlarms
from bedplate.runtime.spine import Spine

FAULTED = "faulted"  # the last level of their sources, and of no other alarm of the kernel


class FaultAlarms:
    """Keeps nothing, so there may be several."""

    def __init__(self, spine: Spine) -> None:
        self._alarms = KernelAlarms(spine)

    def raised(self, component: Component, reason: str, support: str, process: str = "") -> None:
        """The component is faulted, or with process all that run there. Told again, it changes nothing."""
        subject = f"process {process}" if process else component.id
        bug = json.dumps({"bug": [component.use, alike(reason, component.id)]}).encode()
        if any(event.detail == bug for event in self._alarms.due()):
            return  # one bug, one alarm; told anew when the one that has it is back and this one is not
        do = f"bedplate why {process or component.id}"
        self._alarms.raised(
            _of_process(process) if process else source_of(component),
            AlarmPriority.HIGH,
            f"{subject} faulted: {reason}",
            f"{do}; support of its plugin: {support}" if support else do,
            text=f"{subject} is faulted: {reason}",
            detail=bug,
        )

    def returned(self, component: Component, process: str) -> None:
        """The component is back, and so is the process that it runs in."""
        self._alarms.returned(source_of(component), f"{component.id} is back")
        self._alarms.returned(_of_process(process), f"process {process} is back")

    def forget_all_but(self, components: Collection[Component], processes: Collection[str]) -> None:
        """Ends those of components that are gone: nobody else would. After a restart the others stand until their
        component has proved that it is back."""
        mine = {source_of(component) for component in components}
        mine |= set(map(_of_process, processes))
        for event in self._alarms.every():
            if event.source.endswith(f"/{FAULTED}") and event.source not in mine:
                text = "the deployment has no such component any more"
                self._alarms.withdrawn(event.source, text)


def source_of(component: Component) -> str:
    """Below the place where it hangs: acme/berlin/line1/press-07/faulted."""
    place = component.path or component.id
    own = place if place.split("/")[-1] == component.id else f"{place}/{component.id}"
    return f"{own}/{FAULTED}"


def tells_of(source: str, component: Component, process: str) -> bool:
    """Whether an alarm of this source is about this component, which runs in this process."""
    return source in (source_of(component), _of_process(process))


def _of_process(name: str) -> str:
    """One cause, one alarm, however many components run there."""
    return f"process/{name}/{FAULTED}"
