"""Goes through every state that a power cut may leave, and through those of a second one during the recovery."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.crash_states.folders import Cut, Folders
from tests.crash_states.mounted import Mount
from tests.crash_states.stores import Store, Story

from bedplate.errors import BedplateError

MORE = 16  # images by chance for each step, besides the four that are always made
SECOND = 6  # the same of each step of a recovery that is cut off


@dataclass
class Count:
    """states: that the disk may be in · again: of these, after a recovery that was cut off."""

    states: int = 0
    again: int = 0
    seen: set[tuple[Any, ...]] = field(
        default_factory=set
    )  # judged already; another step, the same disk


class Wrong(AssertionError):
    """A state from which it does not recover as promised."""


def enumerate_states(store: Store, seed: int, mount: Mount, count: Count) -> None:
    """Raises Wrong, with the step and what to run."""
    dice = Random(f"{store.name} {seed}")
    mount.folders = folders = Folders()
    tried = store.work(dice, folders)
    story = Story([], tried)
    cut = Cut(Folders())
    count.seen.clear()
    for step, entry in enumerate(folders.log):
        if entry[0] == "ack":
            story.acked.append(entry[1])
        else:
            cut.step(entry)
        for number, image in enumerate(cut.images(dice, max(7, MORE // store.fewer))):
            where = f"{store.name}, seed {seed}, step {step} ({entry[0]}), image {number}"
            _one(store, image, story, mount, count, where)
            _cut_off(store, image, story, mount, count, dice, where)


def _copy(image: Folders) -> Folders:
    made = Folders()
    made.nodes = {
        number: type(node)(number, node.mode, bytearray(node.content), dict(node.entries))
        for number, node in image.nodes.items()
    }
    return made


def _one(
    store: Store, image: Folders, story: Story, mount: Mount, count: Count, where: str
) -> None:
    count.states += 1
    same = (len(story.acked), image.picture())
    if same in count.seen:
        return
    count.seen.add(same)
    mount.folders = again = _copy(image)
    try:
        found = store.recover()
        wrong = store.judge(found, story)
        before = again.picture() if store.name != "audit log" else ()
        if not wrong and (
            not _same(store.recover(), found) or (before and again.picture() != before)
        ):
            wrong = "a second start finds something else"
    except (BedplateError, OSError) as error:
        wrong = f"it does not start: {error}"
    if wrong:
        raise Wrong(f"{where}: {wrong}")


def _cut_off(
    store: Store, image: Folders, story: Story, mount: Mount, count: Count, dice: Random, where: str
) -> None:
    """The same after each step of a recovery."""
    mount.folders = recovering = _copy(image)
    store.recover()
    cut = Cut(image)
    for step, entry in enumerate(recovering.log):
        cut.step(entry)
        for second in cut.images(dice, SECOND // store.fewer):
            count.again += 1
            _one(store, second, story, mount, count, f"{where}, recovery cut off at step {step}")


def _same(again: Any, found: Any) -> bool:
    """A log tells of each start."""
    return again == found or (isinstance(found, list) and again[: len(found)] == found)
