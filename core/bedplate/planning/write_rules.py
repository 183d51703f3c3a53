"""What another deployment changes of who may write what, in words: a guard that became weaker must not go by unseen.

Rule: every difference that could let through a command that was refused before, or the other way round, is a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from bedplate.config.deployment import Deployment, TagSpec, WriteLimits, WriteRule
from bedplate.planning.live_change import differing

READ_ONLY = "can't be written any more"
HIDES = ("scale", "data_type", "states", "range")  # of a tag: what a written value means or may be


def rules_told(old: Deployment, new: Deployment) -> tuple[str, ...]:
    """One line each; none: the guard stays what it is."""
    return (*_switches(old, new), *_rules(old, new), *_limits(old, new))


def _switches(old: Deployment, new: Deployment) -> Iterator[str]:
    was, now = old.writes, new.writes
    if was.enabled != now.enabled:
        yield f"writes are {_on(was.enabled)} → {_on(now.enabled)}"
    if was.kill_switch != now.kill_switch:
        yield f"kill switch {was.kill_switch or 'none'} → {now.kill_switch or 'none'}"


def _on(enabled: bool) -> str:
    return "on" if enabled else "off"


def _rules(old: Deployment, new: Deployment) -> Iterator[str]:
    was, now = old.writes.allow, new.writes.allow
    yield from (f"new: {rule_told(rule)}" for rule in now if rule not in was)
    yield from (f"no longer: {rule_told(rule)}" for rule in was if rule not in now)
    for name in sorted({rule.during for rule in now if rule.during and rule in was}):
        if old.calendars.get(name) != new.calendars.get(name):
            yield f"calendar {name}, by which it goes, differs"


def rule_told(rule: WriteRule) -> str:
    """operator may write **/speed during three-shift, with a second person"""
    during = f" during {rule.during}" if rule.during else ""
    second = ", with a second person" if rule.second_person else ""
    return f"{rule.role} may write {', '.join(rule.tags)}{during}{second}"


def _limits(old: Deployment, new: Deployment) -> Iterator[str]:
    """Of many tags alike in one line."""
    was, now = _writable(old), _writable(new)
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted(was.keys() | now.keys()):
        if text := _of_tag(was.get(path), now.get(path)):
            found.setdefault((path.rpartition("/")[2], text), []).append(path)
    for (name, text), paths in found.items():
        yield f"{paths[0] if len(paths) == 1 else f'{name} of {len(paths)} machines'}: {text}"


def _writable(deployment: Deployment) -> Mapping[str, TagSpec]:
    return {tag.path: tag for one in deployment.components for tag in one.tags if tag.write}


def _of_tag(was: TagSpec | None, now: TagSpec | None) -> str:
    if now is None or now.write is None:
        return READ_ONLY if was else ""
    if was is None or was.write is None:
        return f"may be written, {limits_told(now.write)}"
    words = [
        f"{_name(word)} {_shown(was.write, word)} → {_shown(now.write, word)}"
        for word in sorted(differing(was.write, now.write))
    ]
    words += [f"its {word.replace('_', ' ')}" for word in HIDES if word in differing(was, now)]
    return " · ".join(words)


def limits_told(limits: WriteLimits) -> str:
    """range [10, 60] · step 5 · rate 6/min; without a limit when there is none."""
    given = [f.name for f in fields(limits) if f.name != "verify_timeout_ns"]
    told = [f"{_name(name)} {_shown(limits, name)}" for name in given if getattr(limits, name)]
    return " · ".join(told) or "without a limit"


def _name(word: str) -> str:
    return word.removesuffix("_ns").replace("_", " ")


def _shown(limits: WriteLimits, word: str) -> str:
    value = getattr(limits, word)
    if value is None or value == "":
        return "none"
    if word == "range":
        return f"[{value[0]:g}, {value[1]:g}]"
    if word == "rate":
        return f"{value[0]} per {value[1] / 1e9:g} s"
    if word == "verify_timeout_ns":
        return f"{value / 1e9:g} s"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
