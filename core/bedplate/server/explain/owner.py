"""Whose it is, in words, with whom to call; and what to do, most useful first."""

from __future__ import annotations

from bedplate.api.v1 import why_pb2
from bedplate.model import quality
from bedplate.runtime.causes import Cause, Kind, Whose
from bedplate.runtime.causes.reading import of_tag, said
from bedplate.runtime.lifecycle import State
from bedplate.runtime.source import Source
from bedplate.runtime.watching import code_of
from bedplate.server.explain.case import Case
from bedplate.server.explain.chain import BAD, GOOD, bad_tag, unseen
from bedplate.shown import some

WORDS = {
    Whose.UNKNOWN: "can't be told",
    Whose.MACHINE_PROGRAM: "machine program",
    Whose.DEVICE: "device",
    Whose.NETWORK: "network",
    Whose.PLUGIN: "plugin",
    Whose.CONFIGURATION: "configuration",
    Whose.STORAGE: "storage",
    Whose.READER: "reader",
    Whose.BEDPLATE: "Bedplate",
    Whose.PERSON: "person",
}
CLEARED = {
    "network": "network",
    "process": "plugin",
    "journal": "storage",
}  # by a link that is good


def reason(case: Case) -> str:
    """The cause in a sentence; empty when nothing is wrong."""
    cause = case.cause
    if cause is None:
        return _quiet(case)
    one = case.first
    if cause.kind is Kind.TAGS and case.subject.tag and one and isinstance(one.role, Source):
        return said(bad_tag(case, one.role))
    return cause.problem if case.subject.name != cause.subject else cause.text


def _quiet(case: Case) -> str:
    one = case.first
    if _orphan(case):
        return "nothing in the deployment gives this tag any more"
    if one and one.life.state in (State.OFF, State.SET_ASIDE):
        return f"{one.life.state}: {one.life.reason}"
    if case.subject.tag and not case.good:
        owner = next(iter(case.subject.components), "what gives it")
        if one and one.component.kind == "analytic":
            missing = inputs_missing(case)
            lacks = (
                f"it lacks {some(missing)}"
                if missing
                else "it has its inputs, and has not written it"
            )
            return f"{owner} has no good result: {lacks}"
        return f"{quality.name(case.code)}, and nothing else is wrong with {owner}"
    return ""


def _orphan(case: Case) -> bool:
    return bool(case.subject.tag) and not case.subject.components


def inputs_missing(case: Case) -> list[str]:
    """Tags that the analytic of this result needs for this asset and that are not Good: asset/name."""
    watched = getattr(case.first.role, "watched", ()) if case.first else ()
    asset = case.subject.tag.split("/")
    found = [
        "/".join(one.path.split("/")[-2:])
        for one in watched
        if one.name.partition("/")[0] in asset
        and not quality.is_good(code_of(one.path, case.kernel.spine))
    ]
    return list(dict.fromkeys(found))


def whose(case: Case, links: list[why_pb2.Link]) -> tuple[Whose, str]:
    """Told with what it is not, as far as the chain shows that."""
    cause, one = case.cause, case.first
    if cause is None:
        return _nobody(case)
    found = _of_tag(case) or (Whose.DEVICE if _refuses(cause, links) else cause.whose)
    text = WORDS[found]
    if one is not None:
        member = case.members[one.component.id]
        if found is Whose.PLUGIN:
            text = f"plugin {member.plugin}; its support: {member.support or 'not named by its manifest'}"
        elif found is Whose.CONFIGURATION:
            text = f"configuration, {_line(case)}"
    clear = [CLEARED[link.name] for link in links if link.state == GOOD and link.name in CLEARED]
    not_these = [f"not {name}" for name in clear if name != WORDS[found].split(" ")[0]]
    if found in (Whose.MACHINE_PROGRAM, Whose.DEVICE, Whose.NETWORK) and not_these:
        text += f" ({', '.join(not_these)}, not Bedplate)"
    if found is Whose.UNKNOWN:
        text += f": could not see {', '.join(unseen(links)) or 'enough'}"
    return found, text


def _refuses(cause: Cause, links: list[why_pb2.Link]) -> bool:
    """One device whose machine is on, for it refuses the connection itself."""
    network = next((link.text for link in links if link.name == "network"), "")
    alone = cause.kind is Kind.SILENT and cause.whose in (Whose.NETWORK, Whose.DEVICE)
    return alone and len(cause.components) == 1 and "connection refused" in network


def _of_tag(case: Case) -> Whose | None:
    cause, one = case.cause, case.first
    if (
        cause
        and cause.kind is Kind.TAGS
        and case.subject.tag
        and one
        and isinstance(one.role, Source)
    ):
        _, told = of_tag(bad_tag(case, one.role))
        return cause.whose if cause.whose is Whose.CONFIGURATION else told.whose
    return None


def _nobody(case: Case) -> tuple[Whose, str]:
    one = case.first
    if _orphan(case):
        return Whose.CONFIGURATION, f"configuration, {case.kernel.deployment.source.file}"
    if one and one.life.state is State.SET_ASIDE:
        return Whose.PERSON, f"person: {one.life.reason}"
    if one and one.life.state is State.OFF:
        return Whose.UNKNOWN, "nobody's: it is not expected to speak now"
    return Whose.UNKNOWN, "nobody's: nothing is wrong"


def _line(case: Case) -> str:
    """file:line of the tag, or of the component."""
    one = case.first
    assert one
    member = case.members[one.component.id]
    name = case.subject.tag.rpartition("/")[2]
    return dict(member.lines).get(name, "") or member.place or "the deployment file"


def actions(case: Case, links: list[why_pb2.Link]) -> list[str]:
    """Concrete, and at least one."""
    cause, one = case.cause, case.first
    if cause is None:
        return _nothing(case)
    found = list(_told(case, cause))
    network = next((link for link in links if link.name == "network"), None)
    if cause.kind is Kind.SILENT and network and network.state == GOOD and one:
        found.insert(
            0,
            f"The address answers, so network and power are well: look at the server of {one.component.id} itself",
        )
    elif _refuses(cause, links):
        found = [
            "The machine is on, and nothing listens at that port: start its server, or correct the port"
        ]
    elif cause.kind is Kind.SILENT and network and network.state == BAD:
        found.append(f"Try again when something has changed: bedplate why {case.subject.name}")
    if cause.whose is Whose.CONFIGURATION:
        file = case.kernel.deployment.source.file
        found.append(f"bedplate plan {file}     (what the correction would change)")
    if cause.kind in (Kind.SILENT, Kind.TAGS) and one and one.life.state is not State.SET_ASIDE:
        found.append(
            f'If people work on it: bedplate maintenance {one.component.id} --until 06:00 --reason "…"'
        )
    return list(dict.fromkeys(found))


def _told(case: Case, cause: Cause) -> tuple[str, ...]:
    one = case.first
    if cause.kind is Kind.TAGS and case.subject.tag and one and isinstance(one.role, Source):
        _, told = of_tag(bad_tag(case, one.role))
        spot = case.members[one.component.id].spot
        line = told.do.replace("{place}", _line(case)).replace("{spot}", str(spot or "the device"))
        return (line,) if cause.whose is not Whose.CONFIGURATION else cause.advice
    return cause.advice


def _nothing(case: Case) -> list[str]:
    one, owner = case.first, next(iter(case.subject.components), "")
    if _orphan(case):
        return [
            "If it has another name now, `moved:` in the deployment file keeps its history with it"
        ]
    if one and one.life.state is State.SET_ASIDE:
        return [f"Back into service before its time: bedplate maintenance {owner} --end"]
    if one and one.life.state is State.OFF:
        return [
            "nothing: it is looked for by itself; `expected` in the file says when it should speak"
        ]
    if case.subject.tag and not case.good:
        if missing := inputs_missing(case):
            return [f"bedplate why {missing[0]}"]
        return [f"See what gives it: bedplate why {owner}" if owner else "bedplate status"]
    return ["nothing to do"]
