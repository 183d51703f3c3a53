"""A history that has everything and keeps nothing until a file says that it may: the journal can't forget meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bedplate import Connector
from bedplate.model import Body
from bedplate.wire import decode_batch


class Hoarder(Connector):
    """Writes down the newest number it got; raises when one is missing or comes twice in a session."""

    class Config(BaseModel):
        folder: str
        of: str = ""

    def open(self) -> int:
        folder = Path(self.config.folder)
        self.may, self.got = folder / "may", folder / "got"
        self.last = 0
        self.durable = 0
        return 0

    def deliver(self, delivery: Any) -> int:
        for record in delivery.records:
            if record.kind is Body.BATCH:
                numbers = decode_batch(record.payload).value.tolist()
                assert numbers[0] == self.last + 1, f"{numbers[0]} after {self.last}"
                self.last = numbers[-1]
                self.got.write_text(str(self.last))
        if self.may.exists():
            self.durable = int(delivery.until)
        return self.durable

    def query(self, query: Any) -> Iterator[Any]:
        yield from ()
