"""What a token for some paths alone lets its holder do.

Rule: the kernel decides a call that shows things for the platform first ("") and then path by path; so these calls pass
here for the platform, and nothing else does that is not about a path within the scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from bedplate import Check
from bedplate.model.selector import Selector

BY_PATH = ("catalog.", "live.", "history.", "alarms.", "command.", "access.")


def within(check: Check, paths: Sequence[str]) -> bool:
    """Whether a token for these selectors is good for this."""
    if not check.resource:
        return check.action.startswith(BY_PATH) and check.action != "access.sessions"
    return "*" not in check.resource and _selector(tuple(paths)).matches(check.resource)


@lru_cache(maxsize=256)
def _selector(paths: tuple[str, ...]) -> Selector:
    return Selector(paths)
