"""grpc.health.v1, by hand: two messages of one field each, and no further dependency.

The one service that needs no identity: it says that the server serves, nothing else (gRPC health checking).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

SERVING = b"\x08\x01"  # HealthCheckResponse{status: SERVING}


async def _check(request: bytes, context: Any) -> bytes:
    await _known(request, context)
    return SERVING


async def _watch(request: bytes, context: Any) -> AsyncIterator[bytes]:
    await _known(request, context)
    yield SERVING
    await asyncio.Future()


async def _known(request: bytes, context: Any) -> None:
    """Only the server as a whole (an empty service name) is known; others are NOT_FOUND, as the protocol asks."""
    if request:
        await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")


def health_handler() -> Any:
    handlers: dict[str, Any] = {
        "Check": grpc.unary_unary_rpc_method_handler(_check),
        "Watch": grpc.unary_stream_rpc_method_handler(_watch),
    }
    return grpc.method_handlers_generic_handler("grpc.health.v1.Health", handlers)
