"""What goes wrong: one fault a step at most, chosen by the seed, each with its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.world import World

CHANCE = 0.2  # of a fault in a step
PLUGINS = ("pusher", "poller", "keeper", "sink", "sums")
LATER = 20  # steps after which what was begun ends at the latest


class Trouble:
    """met: how often each kind happened."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.met: Counter[str] = Counter()
        self._ends: list[tuple[int, Callable[[], None]]] = []
        self._step = 0
        self._crashes: Counter[str] = Counter()
        self._kinds: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._kill, 3),
            (self._restart, 1),
            (self._crash, 6),
            (self._freeze, 3),
            (self._device, 4),
            (self._cut, 6),
            (self._half_open, 3),
            (self._program, 1),
            (self._slow_network, 2),
            (self._garble, 1),
            (self._slow_disk, 4),
            (self._fail_sync, 4),
            (self._full_disk, 3),
            (self._slow_readers, 4),
            (self._clock, 2),
            (self._flood, 1),
        ]

    async def step(self, step: int) -> None:
        self._step = step
        due = [end for at, end in self._ends if at <= step]
        self._ends = [pair for pair in self._ends if pair[0] > step]
        for end in due:
            end()
        world = self._world
        if not world.up:
            if world.dice.random() < 0.4:
                await self._boot()
        elif world.dice.random() < CHANCE:
            kinds, weights = zip(*self._kinds, strict=True)
            kind = world.dice.choices(kinds, weights)[0]
            self.met[kind.__name__.strip("_")] += 1
            await kind()

    async def heal(self) -> None:
        """Everything is as it should be from here on."""
        for _, end in self._ends:
            end()
        self._ends = []
        self._world.disk.fail = 0
        if not self._world.up:
            await self._boot()

    def patience(self) -> float:
        return 10.0

    def _until(self, end: Callable[[], None], most: int = LATER) -> None:
        self._ends.append((self._step + self._world.dice.randint(2, most), end))

    def _say(self, text: str) -> None:
        self._world.say(f"* {text}")

    # --- the kernel ---

    async def _boot(self) -> None:
        world = self._world
        world.kill_kernel()
        await world.boot()

    async def _kill(self) -> None:
        self._say("the kernel is killed")
        self._world.kill_kernel()

    async def _restart(self) -> None:
        self._say("the kernel is stopped")
        await self._world.stop_kernel()

    # --- plugins ---

    async def _crash(self) -> None:
        name = self._world.dice.choice(PLUGINS)
        child = self._world.running(name)
        if child and self._crashes[name] < 3:  # more would be faulted, as promised
            self._crashes[name] += 1
            self._say(f"{name} crashes")
            child.end(1)

    async def _freeze(self) -> None:
        name = self._world.dice.choice(PLUGINS)
        child = self._world.running(name)
        if child:
            self._say(f"{name} stands still")
            child.process.freeze()

            def thaw() -> None:
                self._say(f"{name} goes on")
                child.process.thaw()

            self._until(thaw, 15)

    async def _device(self) -> None:
        world = self._world
        name, device = world.dice.choice([("poll", world.poll), ("push", world.push)])
        self._say(f"the device of {name} is away")
        device.cut = True

        def back() -> None:
            self._say(f"the device of {name} is back")
            device.cut = False

        self._until(back)

    async def _flood(self) -> None:
        device = self._world.push
        self._say("push has more than anybody takes")
        device.flood = True

        def ebb() -> None:
            self._say("push has little again")
            device.flood = False

        self._until(ebb, 12)

    async def _garble(self) -> None:
        child = self._world.running(self._world.dice.choice(PLUGINS))
        streams = self._world.network.of(child.process) if child else []
        if child and streams and self._crashes[child.process.name] < 3:
            self._crashes[child.process.name] += 1
            self._say(f"{child.process.name} sends garbage")
            streams[0].garble += 1

    async def _slow_readers(self) -> None:
        world = self._world
        world.archive.slow, world.sink_slow = world.dice.uniform(0, 3), world.dice.uniform(0, 3)
        self._say(f"readers are slow: {world.archive.slow:.1f} s, {world.sink_slow:.1f} s")

        def quick() -> None:
            self._say("readers are quick")
            world.archive.slow = world.sink_slow = 0.0

        self._until(quick)

    # --- elsewhere ---

    async def _cut(self) -> None:
        for stream in self._world.network.of(self._world.program):
            self._say("the connection of away is cut")
            stream.break_()

    async def _half_open(self) -> None:
        for stream in self._world.network.of(self._world.program):
            self._say("the connection of away is dead, and nobody is told")
            stream.darken()
            if self._world.dice.random() < 0.5:
                self._until(stream.lighten)

    async def _program(self) -> None:
        self._say("the program elsewhere is started anew")
        self._world.kill_program()
        self._world.start_program()

    async def _slow_network(self) -> None:
        network = self._world.network
        network.slow = self._world.dice.uniform(0.01, 0.08)
        self._say(f"messages take up to {network.slow:.2f} s")
        self._until(lambda: setattr(network, "slow", 0.0))

    # --- the machine ---

    async def _slow_disk(self) -> None:
        disk = self._world.disk
        disk.slow = self._world.dice.choice([0.05, 0.5, 2.0])
        self._say(f"a sync takes up to {disk.slow} s")
        self._until(lambda: setattr(disk, "slow", 0.004))

    async def _fail_sync(self) -> None:
        self._world.disk.fail = 1
        self._say("the next sync fails")

    async def _full_disk(self) -> None:
        disk = self._world.disk
        disk.full = True
        self._say("the disk is full")

        def room() -> None:
            self._say("the disk has room")
            disk.full = False

        self._until(room)

    async def _clock(self) -> None:
        by = self._world.dice.choice([-86_400, -3600, -1, 1, 3600, 86_400 * 400])
        self._say(f"the clock is set by {by} s")
        self._world.clock.jump(by)
