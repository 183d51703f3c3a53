"""contracts.py and the model say the same as protos/.

Every ask is a method, every enum has its numbers, every field its field or a reason why not.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
from typing import Any

import pytest
from tests.contract.descriptors import files

from bedplate import contracts, model
from bedplate.analytic.v1 import analytic_pb2
from bedplate.connector.v1 import connector_pb2
from bedplate.plugin.v1 import plugin_pb2
from bedplate.record.v1 import record_pb2
from bedplate.security.v1 import security_pb2

# Asks that a plugin's host answers by itself, so that an author has nothing to write.
BY_THE_HOST = {"ping", "shutdown"}


@pytest.mark.parametrize(
    ("python", "messages", "beside"),
    [
        (contracts.Connector, connector_pb2, {"cursor"}),  # the position in its OpenReply
        (contracts.Analytic, analytic_pb2, {"restore", "state"}),  # states in Open and ProcessReply
        (contracts.SecurityModule, security_pb2, set()),
    ],
)
def test_every_ask_has_its_method_and_every_method_its_ask(
    python: type, messages: Any, beside: set[str]
) -> None:
    asks = {field.name for field in messages.Ask.DESCRIPTOR.oneofs_by_name["what"].fields}
    methods = {name for name, _ in inspect.getmembers(python, inspect.isfunction)}

    assert methods == (asks - BY_THE_HOST) | beside


def test_capabilities_are_the_asks_that_a_connector_may_leave_out() -> None:
    connector = next(file for file in files() if file.package == "bedplate.connector.v1")
    index, ask = next((i, m) for i, m in enumerate(connector.message_type) if m.name == "Ask")
    said = {tuple(p.path): p.trailing_comments for p in connector.source_code_info.location}
    optional = {
        field.name
        for i, field in enumerate(ask.field)
        if said.get((4, index, 2, i), "").strip() == f'if "{field.name}"'
    }

    assert optional == set(contracts.CAPABILITIES)


@pytest.mark.parametrize(
    ("python", "proto", "prefix"),
    [
        (model.DataType, record_pb2.DataType, "DATA_TYPE_"),
        (model.EventKind, record_pb2.EventKind, "EVENT_KIND_"),
        (model.AlarmState, record_pb2.AlarmState, "ALARM_STATE_"),
        (model.AlarmPriority, record_pb2.AlarmPriority, "ALARM_PRIORITY_"),
        (contracts.Aggregate, connector_pb2.Aggregate, "AGGREGATE_"),
        (contracts.Verdict, security_pb2.Verdict, "VERDICT_"),
    ],
)
def test_enums_have_the_same_names_and_numbers(
    python: type[enum.IntEnum], proto: Any, prefix: str
) -> None:
    ours = {member.name: member.value for member in python}
    if python is contracts.Aggregate:  # no aggregate: for an author that is a choice with a name
        ours["UNSPECIFIED"] = ours.pop("RAW")

    assert ours == {name.removeprefix(prefix): number for name, number in proto.items()}


def test_every_enum_of_the_protos_has_its_python() -> None:
    known = {"DataType", "EventKind", "AlarmState", "AlarmPriority", "Aggregate", "Verdict"}
    by_exception = {"Code"}  # in Python an ask ends with a return or an exception
    of_the_api = {"Kind", "Step", "GapReason", "Whose", "CommandState"}

    assert {e.name for f in files() for e in f.enum_type} == known | by_exception | of_the_api


def test_bodies_are_the_fields_of_a_record() -> None:
    body = record_pb2.Record.DESCRIPTOR.oneofs_by_name["body"].fields

    assert {b.name.lower(): b.value for b in model.Body} == {f.name: f.number for f in body}


def test_flags_are_those_that_the_comment_lists() -> None:
    record = next(file for file in files() if file.package == "bedplate.record.v1")
    said = next(
        place.trailing_comments
        for place in record.source_code_info.location
        if "StatusCode can't say" in place.trailing_comments
    )
    listed = re.findall(r"(\d+) ([a-z ]+)", said)

    assert {flag.name: flag.value for flag in model.Flag} == {
        name.strip().replace(" ", "_").upper(): int(number) for number, name in listed
    }


@dataclasses.dataclass(frozen=True)
class Pair:
    """A Python value and its message. renamed: field in Python → field on the wire · python, wire: fields that only one
    side has, each with the reason."""

    value: type
    message: Any
    renamed: dict[str, str] = dataclasses.field(default_factory=dict)
    python: dict[str, str] = dataclasses.field(default_factory=dict)
    wire: dict[str, str] = dataclasses.field(default_factory=dict)


COLUMNS = "one of them is `value`"
PAIRS = [
    Pair(contracts.Node, connector_pb2.Node),
    Pair(
        contracts.Output,
        analytic_pb2.Output,
        wire={"asset": "in Python there is one object for each asset"},
    ),
    Pair(
        contracts.Query,
        connector_pb2.Query,
        renamed={"start": "from", "end": "to"},  # `from` is a keyword
        wire={
            "page": "an answer is an iterator of pages",
            "credit": "the iterator is asked for the next page when there is room for it",
        },
    ),
    Pair(
        contracts.Page,
        connector_pb2.QueryReply,
        wire={"next_page": "an answer is an iterator of pages"},
    ),
    Pair(contracts.Delivery, connector_pb2.Deliver, renamed={"table": "tables"}),  # gathered
    Pair(
        contracts.Tag,
        plugin_pb2.Tag,
        renamed={"settings": "settings_json", "scan": "scan_ms"},  # parsed; in seconds
    ),
    Pair(
        contracts.Asset,
        plugin_pb2.Asset,
        python={"labels": "Input.tag.states of its inputs"},
    ),
    Pair(
        contracts.Stretch,
        analytic_pb2.Process,
        python={"inputs": "batches of records, by input", "events": "events of records"},
        wire={
            "records": "taken apart into inputs and events",
            "tables": "used to take records apart",
            "outputs": "an author names outputs, not handles",
        },
    ),
    Pair(contracts.Subject, security_pb2.Subject),
    Pair(contracts.Check, security_pb2.Check),
    Pair(contracts.Decision, security_pb2.Decision, renamed={"remember": "remember_ms"}),
    Pair(
        contracts.Credential,
        security_pb2.Authenticate,
        python={"name": "Password.name"},
        wire={},
    ),
    Pair(model.TagInfo, record_pb2.Tag, python={"stream": "TagTable.stream"}),
    Pair(model.Event, record_pb2.Event, renamed={"detail": "detail_json"}),
    Pair(model.Alarm, record_pb2.Alarm),
    Pair(
        model.Record,
        record_pb2.Record,
        python={
            "kind": "which body there is",
            "payload": "the body, still encoded",
            "samples": "Batch.count",
        },
        wire=dict.fromkeys(("batch", "event", "gap", "tags"), "payload"),
    ),
    Pair(
        model.Batch,
        record_pb2.Batch,
        python={"value": "the column that data_type names"},
        wire={
            "count": "the length",
            "end": "Strings.end",
            **dict.fromkeys(("float64", "int64", "uint64", "bool", "text", "blob"), COLUMNS),
        },
    ),
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.value.__name__)
def test_values_have_the_fields_of_their_message(pair: Pair) -> None:
    names = {field.name for field in dataclasses.fields(pair.value)}
    fields = set(pair.message.DESCRIPTOR.fields_by_name)

    assert set(pair.renamed) | set(pair.python) <= names
    assert {pair.renamed.get(name, name) for name in names - set(pair.python)} == fields - set(
        pair.wire
    )


def test_every_message_that_an_author_meets_has_its_value() -> None:
    met = {pair.message.DESCRIPTOR.full_name for pair in PAIRS}
    by_the_host = {
        *("ToConnector", "FromConnector", "ToAnalytic", "FromAnalytic"),
        *("ToSecurity", "FromSecurity", "Ask", "Reply"),  # frames
        *("Hello", "Open", "Close", "Ping", "Shutdown", "Answer", "Problem"),  # the session
        *("Publication", "Receipt", "Note", "PageCredit"),  # send, note, the next page
        *("State", "Input"),  # state(), Asset.inputs
        *("Read", "ReadHistory", "Write", "Browse", "Subscribe", "Authorize"),  # arguments
        "Password",  # name and password of a Credential
        *("OpenReply", "ReadReply", "ReadHistoryReply", "BrowseReply"),  # results
        *("DeliverReply", "ProcessReply"),
        *("Value", "TagTable"),  # any Python value; model.TagTable is built from many
        "Gap",  # no author meets one yet
    }
    left = {
        message.name
        for file in files()
        if file.package != "bedplate.api.v1"
        for message in file.message_type
        if f"{file.package}.{message.name}" not in met
    }

    assert left == by_the_host


def test_send_takes_what_a_batch_can_say_of_one_sample() -> None:
    parameters = set(inspect.signature(contracts.Send.__call__).parameters)

    assert parameters == {"self", "tag", "value", "time", "quality", "server_time"}
    assert {"tag", "time", "quality", "server_time"} <= set(
        record_pb2.Batch.DESCRIPTOR.fields_by_name
    )
