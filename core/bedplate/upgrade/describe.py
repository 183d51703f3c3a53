"""What one version of Bedplate makes of a deployment: `python -m bedplate.upgrade.describe FILE`, run by the Python of
that version, so that two versions can be compared without starting either. Contacts nothing, changes nothing.

The form of what it prints is read by earlier and later versions: words are added, none is changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bedplate.errors import BedplateError, ConfigError
from bedplate.version import __version__


def describe(file: Path) -> dict[str, Any]:
    """version, journal_format, problems (why it would not run), components: id → hash, plugin and its version."""
    from bedplate.journal.database import FILE, FORMAT, inspect
    from bedplate.server.platform import prepare

    told: dict[str, Any] = {
        "version": __version__,
        "journal_format": FORMAT,
        "problems": [],
        "components": {},
        "notes": [],
    }
    try:
        prepared = prepare(file, applied=True)
        deployment = prepared.deployment
        inspect(deployment.folder(deployment.journal.folder) / FILE)
    except ConfigError as error:
        told["problems"] = [str(problem) for problem in error.problems]
        return told
    except (BedplateError, OSError) as error:
        told["problems"] = [str(error)]
        return told
    told["notes"] = [str(problem) for problem in deployment.notes]
    for component in deployment.components:
        offer = prepared.admission.offers[component.use]
        told["components"][component.id] = {
            "hash": component.hash(),
            "plugin": offer.plugin,
            "version": offer.version,
        }
    return told


if __name__ == "__main__":
    print(json.dumps(describe(Path(sys.argv[1]))))
