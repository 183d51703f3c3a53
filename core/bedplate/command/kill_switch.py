"""The kill switch: files that stop all writing while they are there. They work without the API, by hand."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def thrown(switches: Iterable[Path]) -> str:
    """Which one stops writing now; empty: none. What can't be looked at counts as there: a link into nowhere too."""
    for path in switches:
        try:
            os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return f"writing is stopped: {path} can't be looked at ({error.strerror})"
        return f"writing is stopped by {path}; who put it there takes it away"
    return ""
