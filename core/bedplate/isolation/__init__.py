"""What the operating system holds a plugin's process to: the ladder L0 to L3, and how a process is put on it.

Rule: the deployment's least is kept or the process does not start; what a machine can't enforce is told, not promised.
Nothing here confines code inside the kernel: `placement: inline` is a grant of trust.
"""

from bedplate.isolation.grants import Grant, GrantError, grant, together
from bedplate.isolation.machine import Level, Machine, this_machine
from bedplate.isolation.profile import Confinement, IsolationError, Wanted, choose, confine

__all__ = [
    "Confinement",
    "Grant",
    "GrantError",
    "IsolationError",
    "Level",
    "Machine",
    "Wanted",
    "choose",
    "confine",
    "grant",
    "this_machine",
    "together",
]
