import asyncio

from bedplate import Connector
from pydantic import BaseModel


class PushingScale(Connector):
    """The same scale in its other mode: after "C" it sends a line whenever the weight changes."""

    class Config(BaseModel):
        host: str
        port: int = 4001

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.config.host, self.config.port)

    async def subscribe(self, tags, send):
        self.writer.write(b"C\r\n")
        while True:
            line = await self.reader.readuntil()
            await send(tags[0], float(line.split()[0]))

    async def close(self):
        self.writer.close()
