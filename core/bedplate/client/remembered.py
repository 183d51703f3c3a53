"""What a login leaves for the next command: how to reach that Bedplate, and the token it gave. One file for each host
and port, of mode 0600, beside what kernels of this machine leave.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from bedplate.endpoints import REMEMBERED, Endpoint, file_of
from bedplate.errors import BedplateError
from bedplate.private import private_folder, put_private


def remember(endpoint: Endpoint, environ: Mapping[str, str] = os.environ) -> Path:
    """The next `find` of this address finds it. Returns the file. Raises BedplateError when it can't be written."""
    file = file_of(endpoint.address, environ, REMEMBERED)
    private_folder(file.parent, closed=True)
    try:
        put_private(file, json.dumps(asdict(endpoint)).encode())
    except OSError as error:
        raise BedplateError(f"{file}: {error.strerror}") from None
    return file


def forget(address: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether there was something to forget."""
    file = file_of(address, environ, REMEMBERED)
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True
