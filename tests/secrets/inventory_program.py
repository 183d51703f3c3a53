"""A kernel that says what is loaded in it, as Python and the operating system see it. python FILE DEPLOYMENT"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.secrets.canaries import below

from bedplate import connect
from bedplate.endpoints import find
from bedplate.server.platform import Platform, prepare


async def main(file: Path) -> None:
    platform = Platform(prepare(file))
    await platform.start("127.0.0.1:0")
    try:
        async with asyncio.timeout(30):
            while any(str(s.life.state) != "up" for s in platform.kernel.components.values()):
                await asyncio.sleep(0.05)
        with connect(find().address) as client:
            status = await asyncio.to_thread(client.status)
            plugins = await asyncio.to_thread(client.plugins)
        print(
            json.dumps(
                {
                    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
                    "distributions": packages_distributions(),
                    "children": {pid: _command(pid) for pid in below(os.getpid())},
                    "processes": {one.pid: one.plugin for one in status.processes if one.pid},
                    "inline": [one.plugin for one in status.processes if not one.pid],
                    "admitted": {
                        p.distribution: p.version for p in plugins if p.verdict == "admitted"
                    },
                    "others": [p.distribution for p in plugins if p.verdict != "admitted"],
                }
            )
        )
    finally:
        await platform.stop()


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
