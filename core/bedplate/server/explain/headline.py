"""How a subject stands now, and since when."""

from __future__ import annotations

import math
from typing import Any

from bedplate.model import TagInfo, quality
from bedplate.runtime.supervisor import Supervisor
from bedplate.server.explain.case import FINE, QUIET, Case, length, value_text


def headline(case: Case) -> str:
    if case.subject.kind == "alarm":
        return _alarm(case)
    if case.subject.tag:
        return _tag(case)
    if case.subject.kind == "journal":
        return _journal(case)
    supervisors = case.supervisors()
    return _component(case, supervisors[0]) if len(supervisors) == 1 else _group(case, supervisors)


def _tag(case: Case) -> str:
    tag, current = case.tag, case.kernel.spine.current
    if tag is None or not current.has(tag.handle):
        return "no value yet: none has come since it is there"
    at = int(current.time[tag.handle])
    if case.good:
        ago = length((case.now - at) / 1e9)
        return (
            f"{quality.name(case.code)} · {value_text(current.value(tag.handle), tag)}, {ago} ago"
        )
    name, since = quality.name(case.code), case.lapsed()
    word = "Bad" if quality.is_bad(case.code) else "Uncertain"
    how_long = f" for {case.ago(since)}" if since else ""
    known = f" · last good {_last(case.last_good(), tag, case)}" if case.last_good() else ""
    return f"{word if name == word else f'{word} ({name})'}{how_long}{known}"


def _last(last: tuple[int, Any] | None, tag: TagInfo, case: Case) -> str:
    assert last
    at, value = last
    text = "NaN" if isinstance(value, float) and math.isnan(value) else value_text(value, tag)
    return f"{text} at {case.at(at)}"


def _component(case: Case, one: Supervisor) -> str:
    life, member = one.life, case.members[one.component.id]
    since = case.cause.since if case.cause else life.since
    text = f"{life.state} for {case.ago(since)}"
    if member.tags:
        text += f" · {member.tags - member.bad} of {member.tags} tags good"
    return text


def _group(case: Case, supervisors: list[Supervisor]) -> str:
    whole = len(supervisors)
    fine = sum(one.life.state in FINE for one in supervisors)
    quiet = sum(one.life.state in QUIET for one in supervisors)
    if case.cause:
        words = f"{whole - fine - quiet} of {whole} in trouble for {case.ago(case.cause.since)}"
    else:
        words = f"{fine} of {whole} up"
    return f"{words}, {quiet} off or set aside" if quiet else words


def _journal(case: Case) -> str:
    state = case.kernel.engine.state()
    if state.failed:
        return f"NOT STORED: {state.failed}"
    if state.full:
        return f"full: {state.full}"
    waiting = state.appended - state.synced
    return (
        f"takes everything · {waiting:,} records on their way to disk" if waiting else "all on disk"
    )


def _alarm(case: Case) -> str:
    event = case.kernel.spine.alarms.get(case.subject.name)
    if event is None or event.alarm is None:
        name = case.subject.tag.rpartition("/")[2]
        return f"no alarm so far · {name} is {_tag(case)}"
    alarm = event.alarm
    state = alarm.state.name.lower().replace("_", " ")
    since = f" for {case.ago(alarm.active_since)}" if alarm.active_since else ""
    return f"{state}{since}, {alarm.priority.name.lower()}: {alarm.condition or event.text}"
