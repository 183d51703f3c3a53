"""What plugin authors test with. Public, like `bedplate` itself. docs/how-to/testing-a-plugin.md shows it at work.

`plugged` runs a plugin without a kernel and speaks the contract with it; `bedplate.testing.fixtures` has the same for
pytest; `running` runs a deployment file, with a kernel, as a process of its own; `bedplate conformance`
(bedplate.testing.conformance) judges any plugin from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bedplate.testing.clock import FakeClock

if TYPE_CHECKING:
    from bedplate.testing.answers import PluginFault, Reading, Results
    from bedplate.testing.deployed import running, until
    from bedplate.testing.fake_kernel import FakeKernel
    from bedplate.testing.plugging import Plugged, plugged
    from bedplate.testing.recording_send import RecordingSend
    from bedplate.testing.runs import Program
    from bedplate.testing.stretch import Journal

_HOMES = {
    "FakeKernel": "fake_kernel",
    "Journal": "stretch",
    "Plugged": "plugging",
    "PluginFault": "answers",
    "Program": "runs",
    "Reading": "answers",
    "RecordingSend": "recording_send",
    "Results": "answers",
    "plugged": "plugging",
    "running": "deployed",
    "until": "deployed",
}
__all__ = [
    "FakeClock",
    "FakeKernel",
    "Journal",
    "Plugged",
    "PluginFault",
    "Program",
    "Reading",
    "RecordingSend",
    "Results",
    "plugged",
    "running",
    "until",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bedplate.testing' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"bedplate.testing.{_HOMES[name]}"), name)
