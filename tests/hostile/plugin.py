"""The hostile plugin as a connector: the outcomes of its attempts are the value of its one tag."""

from __future__ import annotations

import gc
import json
from typing import Any

import hostile
from pydantic import BaseModel

from bedplate import Connector


class Hostile(Connector):
    """at: whom and what to try it on · forge: in whose name to publish."""

    class Config(BaseModel):
        at: dict[str, Any] = {}
        host: str = "127.0.0.1"
        port: int = 1
        folder: str = ""
        password: str = ""
        forge: str = ""

    def open(self) -> None:
        self.told = json.dumps(hostile.outcomes(self.config.at)) if self.config.at else ""
        if self.config.forge:
            self.publish_for(self.config.forge)

    def publish_for(self, component: str) -> None:
        """Through the innards of its own process, as code of a plugin can."""
        import numpy as np

        from bedplate.model import Batch
        from bedplate.remote.side import PluginSide
        from bedplate.wire import encode_batch

        side = next(one for one in gc.get_objects() if isinstance(one, PluginSide))
        outbox = side._outbox
        message = outbox._kind.come()
        publication = message.publications.add(component=component, producer_seq=1)
        publication.batch = encode_batch(Batch.of([1], [1], np.array([666.0])))
        outbox.loop.call_soon_threadsafe(outbox._send, message)

    def read(self, tags: list[Any]) -> list[Any]:
        return [self.told for _ in tags]
