import asyncio

from bedplate import Connector
from pydantic import BaseModel


class Scale(Connector):
    """A bench scale: ask "W", it answers "  12.340 kg"."""

    class Config(BaseModel):
        host: str
        port: int = 4001

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.config.host, self.config.port)

    async def read(self, tags):
        self.writer.write(b"W\r\n")
        return [float((await self.reader.readuntil()).split()[0])]

    async def close(self):
        self.writer.close()
