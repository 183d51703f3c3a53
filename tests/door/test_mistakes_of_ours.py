"""An exception that nobody foresaw, in every method there is: a caller sees an id, the log has the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from tests.door.rig import plant

from bedplate.api.v1 import api_pb2
from bedplate.server.api import ApiServer

SECRET = "/etc/bedplate/secret: hunter2"


async def breaks(*_: Any) -> Any:
    raise RuntimeError(SECRET)


async def breaks_later(*_: Any) -> Any:
    raise RuntimeError(SECRET)
    yield


@pytest.mark.case("A46")
async def test_a_mistake_of_ours_is_an_id_to_the_caller_and_a_trace_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In each method, and in what names the things that it changes."""
    made = ApiServer._methods

    def broken(self: ApiServer) -> list[Any]:
        found = []
        for method in made(self):
            call = breaks_later if method.shape == "stream" else breaks
            found.append(replace(method, call=call, named=breaks if method.named else None))
        return found

    monkeypatch.setattr(ApiServer, "_methods", broken)
    async with plant(tmp_path, module=False) as running:
        assert running.platform.api
        methods = broken(running.platform.api)
        metadata = (("authorization", f"Bearer {running.here.token}"),)
        async with grpc.aio.insecure_channel(running.address) as channel:
            for method in methods:
                call = channel.stream_stream(f"/{method.service}/{method.name}")
                with pytest.raises(grpc.aio.AioRpcError) as failed:
                    await call(iter([b""]), metadata=metadata).read()
                told = failed.value.details() or ""
                assert failed.value.code() is grpc.StatusCode.INTERNAL, method.name
                assert told.startswith("unexpected error "), (method.name, told)
                assert "hunter2" not in told
                assert "Traceback" not in told
                number = told.split()[2].rstrip(";")
                assert f"error {number}: Traceback" in capfd.readouterr().err
    services = api_pb2.DESCRIPTOR.services_by_name.values()
    assert {m.name for m in methods} == {m.name for s in services for m in s.methods}
