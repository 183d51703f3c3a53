"""Causes instead of components: facts that belong together become one cause, one line, one alarm.

Rule: pure. Facts and the members of a plant go in, causes come out; the order of facts does not matter, and each
component that is in trouble is in exactly one cause. Who is silent together is told by time and network, who fails
together by process and plugin. Nothing here looks at a kernel, a clock or a socket.
"""

from bedplate.runtime.causes.cause import Cause, Whose
from bedplate.runtime.causes.fact import BadTag, Fact, Kind, Member, Spot
from bedplate.runtime.causes.grouping import causes

__all__ = ["BadTag", "Cause", "Fact", "Kind", "Member", "Spot", "Whose", "causes"]
