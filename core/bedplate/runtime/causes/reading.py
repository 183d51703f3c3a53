"""What the words and codes of a trouble say of whose it is, and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bedplate.model import quality
from bedplate.runtime.causes.cause import Whose
from bedplate.runtime.causes.fact import BadTag

GONE = {"BadNodeIdUnknown", "BadNodeIdInvalid", "BadNotFound"}
MAY_NOT = {"BadUserAccessDenied", "BadNotReadable"}
UNFIT = {"BadTypeMismatch", "BadDecodingError", "BadNotSupported", "BadConfigurationError"}
QUIET = {"BadNoCommunication", "UncertainNoCommunicationLastUsableValue", "BadTimeout"}


@dataclass(frozen=True, slots=True)
class Reading:
    """whose, and what to do; empty: nothing more than usual."""

    whose: Whose
    do: str = ""


_WORDS = (
    (
        r"name or service not known|name resolution|getaddrinfo|nodename|no address associated",
        Reading(
            Whose.CONFIGURATION,
            "This name can't be resolved: correct the host in {place}, or ask for the name server",
        ),
    ),
    (
        r"refuses a secure channel|does not trust|trust list|untrusted|does not know this certificate",
        Reading(
            Whose.DEVICE,
            "Put our certificate into the device's trust list, as the sentence above says",
        ),
    ),
    (
        r"does not offer",
        Reading(Whose.CONFIGURATION, "Correct {place}: the device says what it offers"),
    ),
    (
        r"connection refused|connect call failed|refused the connection|errno 111",
        Reading(
            Whose.DEVICE,
            "The machine at {spot} is on, and nothing listens there: start its server, or correct the port in {place}",
        ),
    ),
    (
        r"no route to host|network is unreachable|host is unreachable",
        Reading(
            Whose.NETWORK,
            "Nothing leads to {spot}: look at its cable, its power, and the routes of this machine",
        ),
    ),
    (
        r"hung up|closed the connection|reset|ended the call|end of stream|broken pipe",
        Reading(
            Whose.DEVICE,
            "It ended the connection: see whether {spot} restarts or has too many clients",
        ),
    ),
    (
        r"no space|disk is full|disk full|input/output error|read-only file system|quota",
        Reading(Whose.STORAGE, "Make room on that disk, or replace it; it goes on by itself"),
    ),
    (
        r"BadUserAccessDenied|BadIdentityToken|password|refuses user|not authori[sz]ed|login",
        Reading(Whose.CONFIGURATION, "Correct the login in {place}, or have it allowed at {spot}"),
    ),
)
_ASKED = [(re.compile(words, re.IGNORECASE), reading) for words, reading in _WORDS]


def said(tag: BadTag) -> str:
    """Why a tag is not Good: our words where the code says it all, else the plugin's."""
    ours, _ = of_tag(tag)
    name = quality.name(tag.code)
    words = ours if name in GONE | MAY_NOT or not tag.why else tag.why
    return f"{words} ({name})"


def of_words(text: str) -> Reading | None:
    """What a reason in words tells; None: nothing."""
    return next((reading for words, reading in _ASKED if words.search(text)), None)


def of_tag(tag: BadTag) -> tuple[str, Reading]:
    """Why a tag is not Good, in words, and whose that is."""
    name = quality.name(tag.code)
    if name in GONE and tag.had:
        why = "the machine's program no longer has this node"
        return why, Reading(
            Whose.MACHINE_PROGRAM,
            "Ask who changed the machine's program; if the new one stays, correct the address in {place}",
        )
    if name in GONE:
        why = "the machine has no such node"
        return why, Reading(
            Whose.CONFIGURATION,
            "Correct the address in {place}; `bedplate browse` shows what the machine has",
        )
    if name in MAY_NOT:
        why = "the machine does not let us read it"
        return why, Reading(Whose.MACHINE_PROGRAM, "Have it made readable in the machine's program")
    if name in UNFIT:
        why = "what the machine sends does not fit"
        return why, Reading(Whose.CONFIGURATION, "Correct the type or the address in {place}")
    if name in QUIET:
        return "what gives this value is silent", Reading(
            Whose.DEVICE, "Look at the unit behind {spot} that gives it"
        )
    if name == "BadWaitingForInitialData":
        return "no value has come yet", Reading(
            Whose.DEVICE, "See whether the machine gives this value at all"
        )
    if name == "UncertainEngineeringUnitsExceeded":
        return "the value is beyond its range", Reading(
            Whose.DEVICE, "Look at the sensor, or widen `range` in {place}"
        )
    words = (
        "the device says that it can't be trusted"
        if not quality.is_bad(tag.code)
        else "the device says that it has no value"
    )
    return words, Reading(Whose.DEVICE, "Look at the sensor or the module that gives it")
