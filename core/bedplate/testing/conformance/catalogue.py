"""Every check there is, by subject: the one list of them."""

from __future__ import annotations

from types import ModuleType

from bedplate.testing.conformance.check import Check
from bedplate.testing.conformance.checks import (
    analytics,
    asks,
    browsing,
    chaos,
    deciding,
    ending,
    footprint,
    hello,
    keeping,
    manifest,
    opening,
    pushing,
    reading,
    recording,
    writing,
)

GROUPS = {
    "Attaching": hello,
    "Asks and answers": asks,
    "Opening and closing": opening,
    "Ending": ending,
    "What it takes and touches": footprint,
    "Manifest and settings": manifest,
    "Reading": reading,
    "Pushing": pushing,
    "Writing": writing,
    "Browsing": browsing,
    "Histories of sources": recording,
    "Keeping and querying": keeping,
    "Analytics": analytics,
    "Security modules": deciding,
    "Chaos": chaos,
}


def checks_of(module: ModuleType) -> list[Check]:
    """By id."""
    return sorted(
        (one for one in vars(module).values() if isinstance(one, Check)), key=lambda one: one.id
    )


def catalogue() -> list[tuple[str, Check]]:
    """(group, check) of all, in the order in which they are run."""
    return [(group, one) for group, module in GROUPS.items() for one in checks_of(module)]
