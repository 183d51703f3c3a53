"""The OPC UA stack (asyncua) as the rest of this package sees it: its types, and what its exceptions mean.

Rule: nothing that asyncua raises leaves this package. Whatever a server answers, however broken, becomes a
ConnectionError or a TimeoutError with a sentence for people; the kernel then builds a new session.
Does not connect.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncua

from bedplate.model import quality

ua: Any = asyncua.ua  # its re-exports are not declared, which strict type checking minds
StatusCodeError: Any = ua.UaStatusCodeError

BROKEN = (
    ua.UaError,
    struct.error,
    RuntimeError,  # also RecursionError: variants in variants in variants
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
)
"""What asyncua raises when an answer is not what the standard says."""

ADVICE = {
    "BadTooManySessions": "the server has no session left; it frees those of dead clients after their time-out",
    "BadSecurityChecksFailed": "the server does not trust our certificate",
    "BadCertificateUntrusted": "the server does not trust our certificate",
    "BadCertificateInvalid": "the server does not accept our certificate",
    "BadCertificateUriInvalid": "our application_uri is not the one in our certificate",
    "BadServerHalted": "the server is stopped",
    "BadShutdown": "the server is shutting down",
}


def code_name(code: int) -> str:
    """BadNodeIdUnknown for 0x80340000; codes that neither Bedplate nor asyncua knows keep their number."""
    known = quality.NAMES.get(code & 0xFFFF_0000)
    if known is None:
        known = ua.status_codes.get_name_and_doc(code & 0xFFFF_0000)[0]
    return known if known.startswith(("Good", "Uncertain", "Bad")) else quality.name(code)


def not_cancelled() -> None:
    """Raises the CancelledError that asyncio.wait_for of Python 3.11, on which asyncua connects, may have swallowed."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Around one or more requests. Raises ConnectionError or TimeoutError that says what was asked and how it went."""
    try:
        yield
    except StatusCodeError as error:
        name = code_name(error.code or 0)
        advice = f": {ADVICE[name]}" if name in ADVICE else ""
        raise ConnectionError(f"{what}: the server answered {name}{advice}") from error
    except TimeoutError as error:
        raise TimeoutError(f"{what}: the server did not answer in time") from error
    except OSError as error:
        text = error.strerror or str(error) or "the connection was lost"
        raise ConnectionError(f"{what}: {text}") from error
    except BROKEN as error:
        raise ConnectionError(f"{what}: the answer can't be read ({error})") from error
