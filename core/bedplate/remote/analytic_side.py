"""An analytic inside a plugin: one object for each asset, one answer for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bedplate.contracts import Analytic, Asset, Stretch, Written
from bedplate.model import DataType, Event, Record, TagTable
from bedplate.remote.columns import written_batches
from bedplate.remote.opening import with_secrets
from bedplate.remote.session import Session, on_thread
from bedplate.remote.stretches import Run, runs
from bedplate.wire import encode_batch, encode_event, records_of, tag_of


@dataclass(slots=True)
class Results:
    """What the objects made of one Process ask."""

    written: list[tuple[int, DataType, Written]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    states: dict[str, bytes] = field(default_factory=dict)


class AnalyticSession(Session):
    """Serves Process for an Analytic."""

    _objects: list[Analytic]

    def build(self, cls: type[Analytic], open_: Any) -> Any:
        config = cls.Config.model_validate(with_secrets(open_.config_json, dict(open_.secrets)))
        self._objects = [self._analytic(cls, config, asset) for asset in open_.assets]
        self._states = {state.key: state.value for state in open_.states}
        self._paths = [
            {i.path: [n.name for n in asset.inputs if n.path == i.path] for i in asset.inputs}
            for asset in open_.assets
        ]
        self._table = TagTable(open_.epoch)
        return self

    def _analytic(self, cls: type[Analytic], config: Any, asset: Any) -> Analytic:
        one = cls()
        labels = {i.name: dict(i.tag.states) for i in asset.inputs if i.tag.states}
        one.config, one.component, one.note = config, self.component, self._note
        one.asset = Asset(asset.path, {i.name: i.path for i in asset.inputs}, labels)
        return one

    def open(self) -> list[list[Any]]:
        """Opens all objects and gives them back their state; on this component's thread."""
        outputs = [list(one.open()) for one in self._objects]
        for one in self._objects:
            if state := self._states.get(one.asset.path):
                one.restore(state)
        return outputs

    def close_all(self) -> None:
        for one in self._objects:
            one.close()

    async def after_open(self, result: Any, reply: Any) -> None:
        self._outputs: dict[tuple[int, str], tuple[int, DataType]] = {}
        self._declared: list[tuple[int, Any]] = []
        for index, outputs in enumerate(result):
            for output in outputs:
                self._declared.append((index, output))
                reply.open.outputs.add(
                    asset=index,
                    name=output.name,
                    data_type=int(output.data_type),
                    unit=output.unit,
                    description=output.description,
                )
        reply.open.SetInParent()

    async def serve(self, what: str, ask: Any, reply: Any) -> None:
        process = ask.process
        for handle, (index, output) in zip(process.outputs, self._declared, strict=False):
            self._outputs[index, output.name] = (handle, output.data_type)
        for table in process.tables:
            if table.epoch != self._table.epoch:  # handles mean nothing across epochs
                self._table = TagTable(table.epoch)
            for tag in table.tags:
                self._table.put(tag_of(tag, table.stream))
        records = records_of(process.records)
        results = await self.call("process_all", records, process.until)
        reply.process.batches.extend(map(encode_batch, written_batches(results.written)))
        reply.process.events.extend(map(encode_event, results.events))
        for key, value in results.states.items():
            reply.process.states.add(key=key, value=value)
        reply.process.SetInParent()

    def process_all(self, records: Sequence[Record], until: int) -> Results:
        """All objects, one after the other; on this component's thread."""
        results = Results()
        stretches = list(runs(records, self._table))
        for run in stretches:
            # of all but the last only so much is known: what follows was received later
            self._process(run, until if run is stretches[-1] else run.received, results)
        for one in self._objects:
            state = one.state()
            if state != self._states.get(one.asset.path, b""):
                self._states[one.asset.path] = results.states[one.asset.path] = state
        return results

    def _process(self, run: Run, until: int, results: Results) -> None:
        series = run.series()
        for index, one in enumerate(self._objects):
            inputs = {
                name: series[path]
                for path, names in self._paths[index].items()
                if path in series
                for name in names
            }
            mine = [e for e in run.events if e.source.startswith(one.asset.path + "/")]
            for result in one.process(Stretch(inputs, mine, until)):
                if isinstance(result, Event):
                    results.events.append(result)
                else:
                    results.written.append((*self._output(index, result.output), result))

    def _output(self, index: int, name: str) -> tuple[int, DataType]:
        if (index, name) not in self._outputs:
            raise ValueError(f"wrote {name!r}, which is none of the outputs that open named")
        return self._outputs[index, name]

    async def call(self, method: str, *arguments: Any) -> Any:
        function: Any = {
            "open": self.open,
            "close": self.close_all,
            "process_all": self.process_all,
        }[method]
        return await on_thread(self._threads, function, *arguments)
