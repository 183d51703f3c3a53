"""What somebody may do, by Cedar policies: the ready-made ones of the roles, and those of the deployment.

Rule: any `forbid` wins, and what nothing permits is denied. Policies are parsed and checked once, when the module is
opened; a change on disk counts from the next time on, and is noted meanwhile.
"""

from bedplate_access.policy.decider import Decider
from bedplate_access.policy.policies import Policies
from bedplate_access.policy.rules import Rules
from bedplate_access.policy.texts import Broken

__all__ = ["Broken", "Decider", "Policies", "Rules"]
