"""Who may come in, and what they may do."""

from __future__ import annotations

from bedplate_access.module import Access

__all__ = ["Access"]
