"""Who may come in, and what they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bedplate_access.module import Access

__all__ = ["Access"]


def __getattr__(name: str) -> Any:
    """Access, when it is asked for: a command that lists users needs no cryptography of tokens."""
    if name != "Access":
        raise AttributeError(name)
    from bedplate_access.module import Access

    return Access
