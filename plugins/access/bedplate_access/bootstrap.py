"""The way in for the first admin: one token in a file 0600, for 24 h or until another admin has come in.

Made where the store is made, and never again: whoever is locked out uses the local socket, or the store itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from bedplate_access.folder import Folder, write_private
from bedplate_access.passwords import Hashing
from bedplate_access.registry import DAY, Registry
from bedplate_access.roster import BOOTSTRAP
from bedplate_access.store import Store


def begin(folder: Folder, by: str, now: Callable[[], int], hashing: Hashing) -> Store:
    """A new store with its first token. Raises FileExistsError when there is one, OSError."""
    store = Store.create(folder)
    registry = Registry(store, by, now, hashing)
    registry.add(BOOTSTRAP, ["admin"])
    _, token = registry.create_token(BOOTSTRAP, ["admin"], DAY)
    write_private(folder.bootstrap, f"{token}\n".encode())
    return store


def end(store: Store, by: str, now: Callable[[], int], hashing: Hashing) -> None:
    """A real admin has come in."""
    Registry(store, by, now, hashing).revoke(BOOTSTRAP)
    with contextlib.suppress(FileNotFoundError):
        store.folder.bootstrap.unlink()


def told(folder: Folder) -> str:
    """The one line that names it."""
    return f"the first admin's token is in {folder.bootstrap}: it ends in 24 h, or when another admin has come in"
