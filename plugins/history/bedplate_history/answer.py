"""Answer: a question becomes pages. Runs on the asker's thread, beside deliveries, over one view of everything.

A segment that turns out to be unreadable is set aside and the answer goes on without it, noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np

from bedplate.contracts import Aggregate, Page, Query, Refused
from bedplate.model import Batch, DataType, TagInfo
from bedplate_history import statement
from bedplate_history.archive import Archive
from bedplate_history.block import WIDEST
from bedplate_history.columns import batch_of, batches_of, memory_table, pieces, text_bytes
from bedplate_history.folder import first_line
from bedplate_history.plan import CHUNK, Chunk, chunks, clipped
from bedplate_history.reader import ROWS, Reader
from bedplate_history.segment import Segment
from bedplate_history.tags import StoredTag
from bedplate_history.view import View

FIRST_LOOK = 60_000_000_000
"""ns back from the end, when the newest samples are looked for; then eight times as far, and so on."""

BYTES = 2_000_000
"""Most texts or blobs in a page together, unless a single one is larger."""

Part = tuple[Batch, float]  # samples, and how much of the answer was done before them


class Answer:
    """One question over one view. Iterate `pages` once."""

    def __init__(self, query: Query, view: View, archive: Archive, reader: Reader) -> None:
        """Raises Refused when the question makes no sense."""
        if not 0 <= query.every <= WIDEST:
            raise Refused("a window is between 1 ns and 146 years wide")
        self._query = query
        self._view = view
        self._archive = archive
        self._reader = reader
        self._span = clipped(view, query.start, query.end)
        self._lost: set[str] = set()
        self._tags, self._infos = self._matched()

    def _matched(self) -> tuple[list[StoredTag], list[TagInfo]]:
        try:
            matching = self._archive.tags.matching(self._query.selectors)
        except ValueError as error:
            raise Refused(str(error)) from error
        aggregate = self._query.aggregate
        kinds = {tag.data_type: statement.result_type(aggregate, tag.data_type) for tag in matching}
        tags = [tag for tag in matching if kinds[tag.data_type]]
        if matching and not tags:
            kind = matching[0].data_type.name.lower()
            raise Refused(f"{matching[0].path} is {kind}, which has no {aggregate.name.lower()}")
        infos = [
            tag.info(n, kinds[tag.data_type] or tag.data_type) for n, tag in enumerate(tags, 1)
        ]
        return tags, infos

    def pages(self) -> Iterator[Page]:
        """At least one, the last with progress 1; each of at most ROWS samples and about BYTES of text. Raises Refused
        when it takes more memory than there is to be, OSError when the history is closed meanwhile."""
        waiting: list[Batch] = []
        rows = size = 0
        for whole, progress in self._parts():
            for batch in pieces(whole, BYTES):
                if waiting and (rows + len(batch) > ROWS or size + text_bytes(batch) > BYTES):
                    yield Page(self._infos, waiting, progress)
                    waiting, rows, size = [], 0, 0
                waiting.append(batch)
                rows += len(batch)
                size += text_bytes(batch)
        yield Page(self._infos, waiting, 1.0)

    def _parts(self) -> Iterator[Part]:
        query = self._query
        if not self._tags:
            return
        if query.aggregate is not Aggregate.RAW:
            yield from self._aggregated()
        elif 0 < query.limit < self._at_most():
            yield from self._limited(query.limit)
        else:
            yield from self._whole()

    def _at_most(self) -> int:
        """No tag has more samples in the range."""
        sealed = sum(segment.rows for segment in self._view.segments.within(*self._span))
        return sealed + sum(map(len, self._view.blocks))

    # kinds of answers -------------------------------------------------------------------------------------------------

    def _whole(self) -> Iterator[Part]:
        """All samples of the range, and where asked for the newest ones before it."""
        for chunk, progress in self._chunks(np.inf, 0):
            first = chunk.start <= self._span[0]
            before = self._before(chunk) if first and self._query.last_before else None
            for rows in self._rows(chunk, statement.raw, {}, before):
                yield from ((batch, progress) for batch in batches_of(chunk.data_type, rows))

    def _limited(self, limit: int) -> Iterator[Part]:
        """The newest samples of the range, and where asked for the newest one before it."""
        if limit > CHUNK:
            raise Refused(f"a limit can't be more than {CHUNK:,}; ask for a range of time instead")
        for chunk, progress in self._chunks(limit, None):
            found = self._newest(chunk, *self._span, limit)
            before = self._before(chunk) if self._query.last_before else None
            memory = memory_table(chunk.data_type, [t for t in (found, before) if t is not None])
            for rows in self._from_memory(statement.raw, memory, {}):
                yield from ((batch, progress) for batch in batches_of(chunk.data_type, rows))

    def _aggregated(self) -> Iterator[Part]:
        query = self._query
        parameters = {"every": query.every} if query.every else {"begin": query.start}
        most = 1.0 + (self._span[1] - self._span[0]) / query.every if query.every else 1.0
        if query.limit:
            parameters["limit"] = min(query.limit, 2**63 - 1)
        # With a limit, one statement must see all windows of a tag.
        cut = None if query.limit else query.every
        for chunk, progress in self._chunks(most, cut):
            stored = chunk.data_type
            kind = statement.result_type(query.aggregate, stored) or stored

            def sql(relation: str, stored: DataType = stored) -> str:
                windows, limit = query.every > 0, query.limit > 0
                return statement.aggregated(
                    relation, query.aggregate, stored, windows=windows, limit=limit
                )

            for rows in self._rows(chunk, sql, parameters):
                yield batch_of(kind, rows), progress

    def _chunks(self, most: float, every: int | None) -> Iterator[tuple[Chunk, float]]:
        planned = list(chunks(self._view, self._tags, self._span, most, every))
        for done, chunk in enumerate(planned):
            yield chunk, done / len(planned)

    # the newest samples -----------------------------------------------------------------------------------------------

    def _before(self, chunk: Chunk) -> Any:
        """The newest sample of each tag before the range."""
        first, last = clipped(self._view, self._view.span()[0], self._query.start)
        return self._newest(chunk, first, last, 1)

    def _newest(self, chunk: Chunk, start: int, end: int, count: int) -> Any:
        """Table of the newest samples of each tag in [start, end), None without any. Looks back further and further,
        for the tags that have not enough yet."""
        found: list[Any] = []
        counts = np.zeros(len(self._tags) + 1, np.int64)
        width = FIRST_LOOK
        while end > start and chunk.tags:
            low = max(start, end - width)
            for rows in self._rows(chunk.over(low, end), statement.newest, {"count": count}):
                found.append(rows)
                counts += np.bincount(rows.column("tag").to_numpy(), minlength=len(counts))
            chunk = chunk.of(handle for handle in chunk.handles if counts[handle] < count)
            end, width = low, width * 8
        memory = memory_table(chunk.data_type, found)
        if memory is None or counts.max() <= count:
            return memory
        trimmed = self._from_memory(statement.newest, memory, {"count": count})
        return memory_table(chunk.data_type, list(trimmed))

    # statements -------------------------------------------------------------------------------------------------------

    def _rows(
        self,
        chunk: Chunk,
        sql: Callable[[str], str],
        parameters: Mapping[str, Any],
        more: Any = None,
    ) -> Iterator[Any]:
        """Result rows over the samples of a chunk and, where given, those of a table."""
        numbers = np.array([tag.number for tag in chunk.tags], np.int64)
        unsealed = self._view.in_memory(chunk.data_type, chunk.by_number, chunk.start, chunk.end)
        memory = memory_table(chunk.data_type, [t for t in (unsealed, more) if t is not None])
        holding = self._view.holding(numbers, chunk.start, chunk.end)
        while True:
            segments = [segment for segment in holding if segment.file not in self._lost]
            if not segments and memory is None:
                return
            answer = self._reader.rows(*self._statement(chunk, sql, parameters, segments, memory))
            try:
                first = next(answer, None)  # sorted or grouped: by now every file was read
                break
            except duckdb.Error as error:
                self._judge(segments, error)
        if first is not None:
            yield first
            yield from answer

    def _statement(
        self,
        chunk: Chunk,
        sql: Callable[[str], str],
        parameters: Mapping[str, Any],
        segments: Sequence[Segment],
        memory: Any,
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        one = len(chunk.tags) == 1
        tables = {} if memory is None else {"memory": memory}
        values = dict(parameters)
        if segments:
            samples = self._archive.folder.samples.absolute()
            values["files"] = [str(samples / segment.file) for segment in segments]
            values |= {"start": chunk.start, "end": chunk.end}
            if one:
                values |= {"tag": chunk.handles[0], "path": chunk.tags[0].path}
            else:
                tables["wanted"] = chunk.wanted()
        relation = statement.samples(
            chunk.data_type, files=bool(segments), memory=memory is not None, one=one
        )
        return sql(relation), values, tables

    def _from_memory(
        self, sql: Callable[[str], str], memory: Any, parameters: Mapping[str, Any]
    ) -> Iterator[Any]:
        if memory is not None:
            yield from self._reader.rows(sql(statement.UNSEALED), parameters, {"memory": memory})

    def _judge(self, segments: Sequence[Segment], error: duckdb.Error) -> None:
        """Sets aside what can't be read; raises when that is not what was wrong."""
        if isinstance(error, duckdb.OutOfMemoryException):
            raise Refused(
                f"this takes more memory than queries may use ({first_line(error)}); ask for fewer tags, a shorter "
                "range, or raise `memory` of the history"
            ) from error
        unreadable = [(s, why) for s in segments if (why := self._archive.folder.readable(s))]
        if not unreadable:
            raise error
        for segment, why in unreadable:
            self._lost.add(segment.file)
            self._archive.set_aside(segment, why)
