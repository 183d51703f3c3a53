"""All paths of a kernel that somebody may ask for, in the order of paths, made again only when there are new ones.

Rule: as long as nothing is new it is the same object, so that what a caller may see of it need not be looked up path by
path.
"""

from __future__ import annotations

from bedplate.model import DataType, TagInfo
from bedplate.runtime.kernel import Kernel


class KnownTags:
    """Of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._version = -1
        self._tags: dict[str, TagInfo] = {}

    def tags(self) -> dict[str, TagInfo]:
        """Every tag that is declared or has a handle in force; handle 0: it had no value yet. Not to be changed."""
        registry = self._kernel.spine.registry
        version = registry.version + registry.table.limit
        if version != self._version:
            known = {t.path: t for p in registry.table.paths() if (t := registry.table.newest(p))}
            for path, tag in registry.declared.items():
                known.setdefault(path, TagInfo(0, path, DataType.UNSPECIFIED, "", tag.unit))
            self._tags = dict(sorted(known.items()))
            self._version = version
        return self._tags
