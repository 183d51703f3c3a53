"""The deployment file, read again and applied when the operating system says so: SIGHUP to `bedplate run FILE`.

A file that can't be applied changes nothing: what runs goes on, an event says why, and `status` tells it until a file
was applied. Goes the way of `bedplate apply`, so it is planned, written down, guarded by health and undone alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bedplate.admission.reading import read_deployment, written_of
from bedplate.api.v1 import deployments_pb2 as messages
from bedplate.contracts import Subject
from bedplate.errors import BedplateError, ConfigError
from bedplate.runtime.kernel import Kernel
from bedplate.server.deployments import DeploymentService

BY = "SIGHUP"
SEVERITY, QUIET = 700, 100  # of an event: it was not taken; it was


class Reloading:
    """Of one platform. told: hears in a line how it went · problem: why the file was not taken the last time."""

    def __init__(
        self,
        kernel: Kernel,
        service: DeploymentService,
        file: Path,
        given: Sequence[Path],
        told: Callable[[str], None],
    ) -> None:
        self._kernel, self._service = kernel, service
        self._file, self._given, self._told = file, given, told
        self._task: asyncio.Task[None] | None = None
        self._once_more = False
        self.problem = ""

    def again(self) -> None:
        """Now, or as soon as the reading under way is done."""
        if self._task and not self._task.done():
            self._once_more = True
        else:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """No more of it. A change under way belongs to the service."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            self._once_more = False
            await self._apply()
            if not self._once_more:
                return

    async def _apply(self) -> None:
        try:
            request = await asyncio.to_thread(self._request)
            last = ""
            # the operating system has let it through the door
            async for message in self._service.change(request, Subject(BY)):
                last = message.text
        except ConfigError as error:
            more = f" and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
            self._refused(f"{error.problems[0]}{more}")
        except (BedplateError, OSError) as error:
            self._refused(str(error).splitlines()[0])
        else:
            self.problem = ""
            self._tell(f"{self._file.name} was read again: {last}", QUIET)

    def _request(self) -> Any:
        """Blocking. Raises what is wrong with the file."""
        _, deployment = read_deployment(self._file, self._given)
        written = written_of(deployment.source)
        file = messages.DeploymentFile(
            name=self._file.name, content=written.content, tables=written.tables
        )
        return messages.ApplyRequest(file=file)

    def _refused(self, why: str) -> None:
        self.problem = f"{self._file.name} was read again and not taken: {why}"
        self._tell(f"{self.problem}; what ran goes on", SEVERITY)

    def _tell(self, text: str, severity: int) -> None:
        self._kernel.note("deployment", text, severity)
        self._told(text)
