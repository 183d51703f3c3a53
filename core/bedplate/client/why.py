"""Why something is as it is, as values of Python; the fields are those of bedplate.api.v1.ExplainResponse."""

from __future__ import annotations

from dataclasses import dataclass

from bedplate.api.v1 import why_pb2


@dataclass(frozen=True, slots=True)
class Link:
    """One link between the history and the device. state: good, bad, unknown."""

    name: str
    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """cause: empty when nothing is wrong · chain: from the history to the device · whose: machine_program, device,
    network, plugin, configuration, storage, reader, bedplate, person, unspecified · actions: most useful first."""

    subject: str
    headline: str
    cause: str
    facts: tuple[str, ...]
    chain: tuple[Link, ...]
    also: tuple[str, ...]
    effect: tuple[str, ...]
    lost: tuple[str, ...]
    whose: str
    whose_text: str
    actions: tuple[str, ...]


def explanation_of(message: why_pb2.ExplainResponse) -> Explanation:
    """The explanation in a response."""
    return Explanation(
        message.subject,
        message.headline,
        message.cause,
        tuple(message.facts),
        tuple(Link(one.name, one.state, one.text) for one in message.chain),
        tuple(message.also),
        tuple(message.effect),
        tuple(message.lost),
        why_pb2.Whose.Name(message.whose).removeprefix("WHOSE_").lower(),
        message.whose_text,
        tuple(message.actions),
    )
