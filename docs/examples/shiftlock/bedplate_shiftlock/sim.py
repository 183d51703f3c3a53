"""Machines to try the module on, as a single-file plugin:

    bedplate run shiftlock-line.yaml --plugin bedplate_shiftlock/sim.py

A tag has what was written to it last, and 50 before that.
"""

from bedplate import Connector, Tag


class Setpoints(Connector):
    """Contacts nothing."""

    def open(self) -> None:
        self.values: dict[str, float] = {}

    def read(self, tags: list[Tag]) -> list[float]:
        return [self.values.get(tag.name, 50.0) for tag in tags]

    def write(self, tag: Tag, value: float) -> None:
        self.values[tag.name] = value
