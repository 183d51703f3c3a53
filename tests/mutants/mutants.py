"""All mutants, one for each check at least."""

from __future__ import annotations

from tests.mutants.of_any_plugin import ASKS, ATTACHING, DECLARING, ENDING, FOOTPRINT, OPENING
from tests.mutants.of_connectors import (
    BROWSING,
    CHAOS,
    PUSHING,
    READING,
    RECORDING,
    WRITING,
)
from tests.mutants.of_others import ANALYTICS, DECIDING, KEEPING

MUTANTS = (
    *(ATTACHING + ASKS + OPENING + ENDING + FOOTPRINT + DECLARING),
    *(READING + RECORDING + PUSHING + WRITING + BROWSING + KEEPING + ANALYTICS + DECIDING + CHAOS),
)
