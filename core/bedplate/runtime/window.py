"""How far ahead a source may be: publications of one session, as the kernel counts them."""

from __future__ import annotations

from bedplate.errors import ProtocolError


class Window:
    """credit: publications that may come before more is granted."""

    def __init__(self, credit: int) -> None:
        self.credit = credit
        self._window = credit

    def take(self, untold: int = 0) -> None:
        """One has come. untold: of the credit, what has not left for the plugin yet. Raises ProtocolError when there
        was no credit for it."""
        if self.credit - untold <= 0:
            raise ProtocolError(f"published beyond its credit of {self._window} publications")
        self.credit -= 1

    def grant(self, credit: int) -> None:
        """So many more may come."""
        self.credit += credit


def due(seq: int, last: int) -> None:
    """Raises ProtocolError when a producer_seq is not the next one."""
    if seq == last + 1:
        return
    why = "some are missing"
    if seq <= last:
        why = "the same came twice" if seq == last and seq else "it went back"
    raise ProtocolError(f"producer_seq {seq} where {last + 1} was due: {why}")
