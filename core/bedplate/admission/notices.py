"""What an operator must not forget about the plugins of a deployment: told at every start, in `status` and `doctor`.

None of it is a fault; all of it is somebody's choice.
"""

from __future__ import annotations

from collections.abc import Iterator

from bedplate import strict_json
from bedplate.admission.candidate import Admission, Offer
from bedplate.admission.guard import Guard
from bedplate.admission.startup_code import startup_code
from bedplate.config.deployment import Deployment

OPEN = (
    "plugins.policy is open: every plugin of this machine that the file names runs, changed or not; for a plant write"
    " trusted"
)
RECORD = "bundle-installed.json"


def notices(deployment: Deployment, admission: Admission) -> tuple[str, ...]:
    """One line each."""
    told = [OPEN] if deployment.plugins.policy == "open" else []
    told += dict.fromkeys(line for offer in admission.offers.values() for line in _unsigned(offer))
    told += [f"{code.path} {code.why}" for code in startup_code()]
    return tuple(told)


def _unsigned(offer: Offer) -> Iterator[str]:
    """An installed bundle that somebody took by its name, though nobody signed it."""
    guard = offer.verify
    folder = guard.offer.folder if isinstance(guard, Guard) else offer.folder
    try:
        record = strict_json.loads((folder / RECORD).read_bytes()) if folder else {}
    except (OSError, ValueError):
        return
    if isinstance(record, dict) and record.get("key") == "":
        yield f"{offer.plugin} {offer.version} was installed though nobody signed it"
