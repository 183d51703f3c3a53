"""Series as one table of numpy, pandas or Arrow. The two libraries are imported when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bedplate.client.series import Series

if TYPE_CHECKING:  # pragma: no cover
    import pandas
    import pyarrow


def records(series: Sequence[Series]) -> NDArray[Any]:
    """One record array of all samples; see `Result.to_numpy`."""
    kind = _common([one.value.dtype for one in series])
    fields = [("path", object), ("time", "datetime64[ns]"), ("value", kind), ("quality", np.uint32)]
    table = np.empty(sum(map(len, series)), fields).view(np.recarray)
    at = 0
    for one in series:
        part = slice(at, at + len(one))
        table["path"][part] = one.path
        table["time"][part], table["value"][part], table["quality"][part] = (
            one.time,
            one.value,
            one.quality,
        )
        at += len(one)
    return table


def _common(kinds: Sequence[np.dtype[Any]]) -> np.dtype[Any]:
    if any(kind.hasobject for kind in kinds):
        return np.dtype(object)
    return np.result_type(*kinds) if kinds else np.dtype(np.float64)


def frame(series: Sequence[Series], wide: bool) -> pandas.DataFrame:
    """Long: one row a sample. Wide: one column a tag, which keeps the last of several samples of one instant."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("pandas is not installed; pip install bedplate[pandas]") from error
    if wide:
        apart = {
            one.path: pd.Series(one.value, pd.DatetimeIndex(one.time, tz="UTC")) for one in series
        }
        once = {
            path: column[~column.index.duplicated(keep="last")] for path, column in apart.items()
        }
        return pd.DataFrame(once).rename_axis("time")
    codes = np.repeat(np.arange(len(series)), [len(one) for one in series])
    columns = {
        "path": pd.Categorical.from_codes(codes, [one.path for one in series]),
        "time": pd.DatetimeIndex(
            _stacked([one.time for one in series], "datetime64[ns]"), tz="UTC"
        ),
        "value": _stacked([one.value for one in series], _common([s.value.dtype for s in series])),
        "quality": _stacked([one.quality for one in series], np.uint32),
    }
    return pd.DataFrame(columns, copy=False)


def arrow(series: Sequence[Series]) -> pyarrow.Table:
    """See `Result.to_arrow`."""
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ImportError("pyarrow is not installed; pip install bedplate[arrow]") from error
    codes = np.repeat(np.arange(len(series), dtype=np.int32), [len(one) for one in series])
    path = pa.DictionaryArray.from_arrays(
        pa.array(codes), pa.array([one.path for one in series], pa.string())
    )
    time = pa.array(
        _stacked([one.time for one in series], "datetime64[ns]").view(np.int64),
        pa.timestamp("ns", "UTC"),
    )
    quality = pa.array(_stacked([one.quality for one in series], np.uint32))
    columns = {"path": path, "time": time, **_values(series, pa), "quality": quality}
    return pa.table(columns)


def _stacked(columns: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate([np.empty(0, kind), *columns], dtype=kind)


def _values(series: Sequence[Series], pa: Any) -> dict[str, Any]:
    numbers = [one.value.dtype for one in series if not one.value.dtype.hasobject]
    objects = any(one.value.dtype.hasobject and len(one) for one in series)
    if not objects or not numbers:
        kinds = [one.value.dtype for one in series]
        return {"value": pa.array(_stacked([one.value for one in series], _common(kinds)))}
    kind = pa.from_numpy_dtype(_common(numbers))
    apart = [(one.value.dtype.hasobject, one) for one in series]
    value = [
        pa.nulls(len(one), kind) if text else pa.array(one.value).cast(kind) for text, one in apart
    ]
    texts = [
        pa.array(list(map(_text, one.value)) if text else [None] * len(one), pa.string())
        for text, one in apart
    ]
    return {"value": pa.chunked_array(value, kind), "text": pa.chunked_array(texts, pa.string())}


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
