"""Failed calls as a sentence: what gRPC says becomes a CallError with a code and what to do, never a traceback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from bedplate.client.diagnosis import why_no_tls
from bedplate.client.link import Link, is_here
from bedplate.endpoints import announced
from bedplate.errors import CallError

TOKEN_KEYS = ("bedplate-resume-token-bin", "bedplate-resume-token")
# Words of gRPC's own, when no answer of the kernel came. What the kernel says reaches people word for word.
NOT_REACHED = ("failed to connect", "dns resolution failed", "connection refused", "no such file")
BROKEN = (
    "cancelling all calls",
    "socket closed",
    "recvmsg",
    "connection reset",
    "broken pipe",
    "goaway",
    "stream removed",
    "rst_stream",
)
UNKNOWN = "a valid credential is needed"  # of the kernel, whatever is wrong with the one that came
UNKNOWN_NOW = "; it may have ended or been revoked: `bedplate access login`, or another token"
# What a module that is dead, wrong or hostile may stand in the way of.
ADMINISTRATION = re.compile("may not do admin[.]|^security module .* is starting")
NO_CREDENTIAL = "`bedplate access login`, a token (BEDPLATE_TOKEN) or a client certificate"
# What asyncio's gRPC makes of any end of a call that crosses with something we send.
LOST_BY_A_WRITE = "internal error from core"
OWN_WORDS = {
    "DEADLINE_EXCEEDED": "Bedplate at {address} did not answer in time",
    "UNIMPLEMENTED": "Bedplate at {address} does not offer this call; it is of another version",
    "CANCELLED": "the call was cancelled",
}


@contextmanager
def failing(link: Link) -> Iterator[None]:
    """Turns what gRPC raises into CallError."""
    try:
        yield
    except grpc.RpcError as error:
        raise call_error(error, link) from None


def call_error(error: Any, link: Link) -> CallError:
    """The CallError of a failed call. Where no connection came about it looks why, which takes a moment."""
    code, text = error.code().name, str(error.details() or "")
    if code == "UNAVAILABLE" and any(words in text.lower() for words in NOT_REACHED):
        text = why_no_tls(link) or not_running(link.address)
    elif code == "UNAUTHENTICATED" and not link.known:
        text = f"Bedplate at {link.address} wants to know who you are: {NO_CREDENTIAL}"
    elif code == "UNAUTHENTICATED" and text == UNKNOWN:
        text = f"Bedplate at {link.address} does not know this token or certificate{UNKNOWN_NOW}"
    else:
        text = _sentence(code, text, link.address)
    if code in ("PERMISSION_DENIED", "UNAVAILABLE") and ADMINISTRATION.search(text):
        text += _by_socket(link.address)
    return CallError(text, code=code)


def _by_socket(address: str) -> str:
    """The way that no security module stands in, for the user of this machine."""
    here = next((one for one in announced() if one.address == address), None)
    if here is None or not here.socket:
        return ""
    return f"\nOn this machine the kernel alone decides about administration: --endpoint unix:{here.socket}"


def not_running(address: str) -> str:
    if not is_here(address):
        return f"nothing answers at {address}: is Bedplate running there, and does a firewall let you through?"
    return f"no Bedplate runs at {address}; start one with `bedplate run plant.yaml`"


def _sentence(code: str, text: str, address: str) -> str:
    said = text.lower()
    if code in {"UNAVAILABLE", "INTERNAL"} and any(words in said for words in BROKEN):
        return f"the connection to Bedplate at {address} broke off; is it still running?"
    if said == LOST_BY_A_WRITE:
        return f"Bedplate at {address} ended the call; a subscription goes on with its resume token"
    if code == "RESOURCE_EXHAUSTED" and "larger than max" in said:
        return "the answer is too large for one message; ask for fewer tags or a shorter time"
    if code in OWN_WORDS:
        return OWN_WORDS[code].format(address=address, text=text)
    return text or f"Bedplate at {address} failed without a word ({code})"


def resume_token(error: Any) -> bytes:
    """The token by which a subscription that was cut goes on; empty when the kernel gave none."""
    for key, value in error.trailing_metadata() or ():
        if key in TOKEN_KEYS:
            return value if isinstance(value, bytes) else str(value).encode()
    return b""
