"""How far something has read the log, on disk, so that it goes on there after a restart. Blocking."""

from __future__ import annotations

import json
from pathlib import Path

from bedplate.private import put_private
from bedplate.strict_json import loads


class Cursor:
    """<folder>/cursor-NAME.json. index: of the last line that is settled; 0: none."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"cursor-{name}.json"
        self.index = self._load()

    def _load(self) -> int:
        """One that can't be read begins anew: lines may come twice, none is left out."""
        try:
            return max(0, int(loads(self._path.read_bytes())["index"]))
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def save(self, index: int) -> None:
        """Raises OSError."""
        if index != self.index:
            put_private(self._path, json.dumps({"index": index}).encode() + b"\n")
            self.index = index
