"""The SQL of history: one relation of samples, and what is asked of it. Names come from here, values are parameters.

Aggregates are those of OPC UA Part 13 (OPC 10000-13 §5.4), simplified: only Good and Uncertain samples count; the time
of a result is where its window begins; its quality is Good when all samples of the window are Good, else
UncertainDataSubNormal; FIRST and LAST keep the quality of their sample. A window without samples that count is absent.
NaN is no number to MINIMUM and MAXIMUM as long as there is another; AVERAGE and SUM of it are NaN.
"""

from __future__ import annotations

from typing import Final

from bedplate.contracts import Aggregate
from bedplate.model import DataType, quality
from bedplate_history.segment import VALUES

SUBNORMAL: Final = 0x40A40000
"""UncertainDataSubNormal: fewer than the required number of Good values went in (OPC 10000-6 Annex A.2)."""

NUMBERS: Final = {DataType.FLOAT64, DataType.INT64, DataType.UINT64, DataType.BOOL}

AT: Final = "make_timestamp_ns(${}::BIGINT)::TIMESTAMPTZ_NS"
SEALED: Final = (
    "SELECT {tag} AS tag, time, {value} AS value, quality, position, file_row_number AS row, server_time, flags "
    "FROM read_parquet($files, file_row_number = true) {wanted} {value} IS NOT NULL "
    f"AND time >= {AT.format('start')} AND time < {AT.format('end')}"
)
ONE: Final = {"tag": "$tag::UINTEGER", "wanted": "WHERE path = $path AND"}
MANY: Final = {"tag": "wanted.tag", "wanted": "JOIN wanted USING (path) WHERE"}
UNSEALED: Final = "SELECT * FROM memory"

IN_ORDER: Final = "tag, s.time, position, row"
NEWEST_FIRST: Final = "time DESC, position DESC, row DESC"

WINDOW: Final = "epoch_ns(time) - ((epoch_ns(time) % $every) + $every) % $every"
USABLE: Final = f"quality < {quality.BAD}"
COUNTING: Final = f"FILTER (WHERE {USABLE})"
NUMBERED: Final = f"FILTER (WHERE {USABLE} AND NOT isnan(value))"
PLACE: Final = "ROW(time, position, row)"


def result_type(aggregate: Aggregate, stored: DataType) -> DataType | None:
    """Type of an aggregate's results over samples of a type; None when it has none."""
    if aggregate is Aggregate.COUNT:
        return DataType.UINT64
    if aggregate in (Aggregate.RAW, Aggregate.FIRST, Aggregate.LAST):
        return stored
    if stored not in NUMBERS:
        return None
    return stored if aggregate in (Aggregate.MINIMUM, Aggregate.MAXIMUM) else DataType.FLOAT64


def samples(data_type: DataType, *, files: bool, memory: bool, one: bool) -> str:
    """A relation of samples of one type: tag, time, value, quality, position, row, server_time, flags. Parameters when
    there are files: files, start, end, and with one: tag, path. Tables: memory; wanted (path, tag) unless one."""
    sealed = SEALED.format(value=VALUES[data_type].name, **(ONE if one else MANY))
    return " UNION ALL ".join([sealed] * files + [UNSEALED] * memory)


def raw(relation: str) -> str:
    """All samples, by tag, then time."""
    return (
        "SELECT tag, epoch_ns(s.time) AS time, value, quality, epoch_ns(server_time) AS server_time, flags "
        f"FROM ({relation}) AS s ORDER BY {IN_ORDER}"
    )


def newest(relation: str) -> str:
    """The $count newest samples of each tag, as such a relation."""
    rank = f"row_number() OVER (PARTITION BY tag ORDER BY {NEWEST_FIRST})"
    return f"SELECT * FROM ({relation}) QUALIFY {rank} <= $count"


def aggregated(
    relation: str, aggregate: Aggregate, stored: DataType, *, windows: bool, limit: bool
) -> str:
    """One row for each tag and window, by tag, then time: tag, w (its begin), value, quality. Windows are $every ns
    wide; without windows there is one and it begins at $begin. With limit: the newest $limit of each tag."""
    window = WINDOW if windows else "$begin::BIGINT"
    newest_only = "QUALIFY row_number() OVER (PARTITION BY tag ORDER BY w DESC) <= $limit " * limit
    return (
        f"SELECT tag, {window} AS w, {_value(aggregate, stored)} AS value, {_quality(aggregate)} AS quality "
        f"FROM ({relation}) GROUP BY 1, 2 HAVING count(*) {COUNTING} > 0 {newest_only}ORDER BY 1, 2"
    )


def _value(aggregate: Aggregate, stored: DataType) -> str:
    number = "value::INTEGER" if stored is DataType.BOOL else "value"
    match aggregate:
        case Aggregate.COUNT:
            return f"(count(*) {COUNTING})::UBIGINT"
        case Aggregate.AVERAGE:
            return f"(avg({number}) {COUNTING})::DOUBLE"
        case Aggregate.SUM:
            return f"(sum({number}) {COUNTING})::DOUBLE"
        case Aggregate.FIRST | Aggregate.LAST:
            return f"{_place(aggregate)}(value, {PLACE}) {COUNTING}"
    extreme = "min" if aggregate is Aggregate.MINIMUM else "max"
    if stored is DataType.FLOAT64:
        return f"coalesce({extreme}(value) {NUMBERED}, {extreme}(value) {COUNTING})"
    return f"{extreme}(value) {COUNTING}"


def _quality(aggregate: Aggregate) -> str:
    if aggregate in (Aggregate.FIRST, Aggregate.LAST):
        return f"{_place(aggregate)}(quality, {PLACE}) {COUNTING}"
    return f"(CASE WHEN max(quality) < {quality.UNCERTAIN} THEN 0 ELSE {SUBNORMAL} END)::UINTEGER"


def _place(aggregate: Aggregate) -> str:
    return "arg_min" if aggregate is Aggregate.FIRST else "arg_max"
