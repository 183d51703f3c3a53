"""What a question brings: samples by tag, in columns, and as the tables that data people use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bedplate.client.series import Part, Series, by_path
from bedplate.model import TagInfo, tails
from bedplate.shown import cells, padded

if TYPE_CHECKING:  # pragma: no cover
    import pandas
    import pyarrow

LISTED = 20  # tags that repr lists


class Result(Mapping[str, Series]):
    """A mapping from full path to `Series`; `result["filler/power"]` finds any unique tail too.

    samples: how many there are in all · history: the component that answered, empty when none was asked ·
    progress: 0 to 1, of a page.
    """

    def __init__(
        self,
        tags: Iterable[TagInfo],
        parts: Iterable[Part],
        *,
        history: str = "",
        progress: float = 1.0,
    ) -> None:
        self._tags = tuple(tags)
        self.batches: Sequence[Part] = tuple(parts)
        self.history = history
        self.progress = progress

    @cached_property
    def _series(self) -> dict[str, Series]:
        return by_path(self._tags, self.batches)

    @property
    def samples(self) -> int:
        return sum(len(batch) for batch, _ in self.batches)

    def __getitem__(self, path: str) -> Series:
        """Raises KeyError when no tag, or more than one, has this path or tail; TypeError for what is no path."""
        if not isinstance(path, str):
            raise TypeError(
                f"a result is asked for by path, such as result[{next(iter(self), 'filler/power')!r}], not by {path!r};"
                " list(result.values()) has its series in order"
            )
        found = tails(path, self._series)
        if len(found) != 1:
            raise KeyError(f"{path} names {len(found)} of the {len(self)} tags of this result")
        return self._series[found[0]]

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and len(tails(path, self._series)) == 1

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def to_numpy(self) -> NDArray[Any]:
        """All samples in one record array, by path, then time.

        Fields: path (text) · time (datetime64[ns], UTC) · value (the one type that holds all: float64 when types are
        mixed, which keeps integers exact up to 2**53; object when texts are among them) · quality (uint32 StatusCode,
        0 is Good). `a.value.mean()`, `a[a.quality == 0]` and `a[a.path == "line1/filler/power"]` work.
        """
        from bedplate.client.tables import records

        return records(list(self._series.values()))

    def to_pandas(self, *, wide: bool = False) -> pandas.DataFrame:
        """A DataFrame with the same columns, path as a category, time in UTC; wide: a column of values per tag.

        Raises ImportError without pandas.
        """
        from bedplate.client.tables import frame

        return frame(list(self._series.values()), wide)

    def to_arrow(self) -> pyarrow.Table:
        """An Arrow table: path (dictionary), time (timestamp[ns, UTC]), value, quality; when texts are among numbers
        they are in a column text of their own and null in value. Raises ImportError without pyarrow."""
        from bedplate.client.tables import arrow

        return arrow(list(self._series.values()))

    def __repr__(self) -> str:
        series = list(self._series.values())
        lines = [
            f"{len(series)} tag{'s' * (len(series) != 1)}, {self.samples} samples{_range(series)}"
        ]
        wide = max((cells(one.path) for one in series[:LISTED]), default=0)
        lines += [
            f"  {padded(one.path, wide)} {len(one):>8}  {one.newest()}" for one in series[:LISTED]
        ]
        if len(series) > LISTED:
            lines.append(f"  … and {len(series) - LISTED} more")
        return "\n".join(lines)


def _range(series: Sequence[Series]) -> str:
    filled = [one.time for one in series if len(one)]
    if not filled:
        return ""
    first, last = (
        np.datetime_as_string(t, "s")
        for t in (min(t[0] for t in filled), max(t[-1] for t in filled))
    )
    return f", {first.replace('T', ' ')} to {last.replace('T', ' ')} UTC"
