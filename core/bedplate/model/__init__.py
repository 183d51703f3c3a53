"""Frozen values in numpy columns: tags, batches, quality, events, records, selectors. No I/O, no protocol."""

from bedplate.model import quality
from bedplate.model.batch import Batch, Flag
from bedplate.model.column import DataType
from bedplate.model.event import SEVERITY, Alarm, AlarmPriority, AlarmState, Event, EventKind
from bedplate.model.record import Body, Record
from bedplate.model.selector import Selector, is_selector, tails
from bedplate.model.strings import Strings
from bedplate.model.tag import TagInfo, TagTable, path_problem, segment_problem

__all__ = [
    "SEVERITY",
    "Alarm",
    "AlarmPriority",
    "AlarmState",
    "Batch",
    "Body",
    "DataType",
    "Event",
    "EventKind",
    "Flag",
    "Record",
    "Selector",
    "Strings",
    "TagInfo",
    "TagTable",
    "is_selector",
    "path_problem",
    "quality",
    "segment_problem",
    "tails",
]
