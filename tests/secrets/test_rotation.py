"""A secret that changes reaches the component that has it, and no other; what can't be had changes nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.plant import RigOffer, plant, state, until
from tests.secrets.aged import encrypt, keygen

from bedplate.config import PluginSchema
from bedplate.planning.planner import plan
from bedplate.planning.standing import Standing
from bedplate.runtime.kernel import Kernel

KEEPING = Path(__file__).with_name("keeping.py")
SECRET = {"type": "string", "writeOnly": True, "format": "password"}
SETTINGS = {
    "type": "object",
    "properties": {
        "folder": {"type": "string"},
        "how": {"type": "string"},
        "password": SECRET,
        "other": SECRET,
    },
}
TEXT = """
connectors:
  a: {use: keeping, placement: PLACE, folder: FOLDER, password: {secret: "file:a"}, tags: {x: {}}}
  b: {use: keeping, placement: PLACE, folder: FOLDER, password: {secret: "file:b"}, tags: {x: {}}}
"""


class KeepingOffer(RigOffer):
    @property
    def schema(self) -> PluginSchema:
        return PluginSchema(self.use, self.kind, self.capabilities, settings=SETTINGS)


OFFERS = {
    "keeping": KeepingOffer("keeping", "connector", ("read",), "keeping:Keeper", "keeping", KEEPING)
}


def running(
    folder: Path, text: str = TEXT, placement: str = "process"
) -> AbstractAsyncContextManager[Kernel]:
    return plant(folder, text, placement=placement, offers=OFFERS)


def write(file: Path, value: str) -> None:
    """As editors and tools do: beside, then in its stead."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(value)
    beside.replace(file)


def opened(folder: Path, component: str) -> list[str]:
    file = folder / f"{component}.opened"
    return file.read_text().splitlines() if file.exists() else []


def notes(kernel: Kernel) -> Callable[[], list[str]]:
    heard: list[str] = []
    kernel.rotated = lambda component, what, text: heard.append(f"{what}: {text}")
    return lambda: heard


@pytest.mark.parametrize("placement", ["process", "inline"])
async def test_a_secret_that_changes_reaches_its_component_alone(
    tmp_path: Path, placement: str
) -> None:
    write(tmp_path / "a", "first-a\n")
    write(tmp_path / "b", "first-b\n")
    async with running(tmp_path, placement=placement) as kernel:
        heard = notes(kernel)
        await until(lambda: state(kernel, "a") == state(kernel, "b") == "up")
        pid = kernel.components["a"].place.run.pid  # type: ignore[union-attr]
        write(tmp_path / "a", "second-a\n")
        kernel.rotation.look_now()
        await until(lambda: opened(tmp_path, "a") == ["first-a", "second-a"])
        await until(lambda: state(kernel, "a") == "up")

        assert opened(tmp_path, "b") == ["first-b"]
        assert heard() == ["changed: secret file:a has changed; a opens anew with it"]
        assert kernel.components["a"].place.run.pid == pid  # type: ignore[union-attr]
        reasons = [one.reason for one in kernel.components["a"].life.history]
        assert reasons[-2:] == ["secret file:a has changed", "opened"]
        assert kernel.components["b"].role.figures.restarts == 0


async def test_the_same_secret_written_again_is_no_change(tmp_path: Path) -> None:
    write(tmp_path / "a", "first-a\n")
    write(tmp_path / "b", "first-b\n")
    async with running(tmp_path, placement="inline") as kernel:
        await until(lambda: state(kernel, "a") == state(kernel, "b") == "up")
        write(tmp_path / "a", "first-a")
        await kernel.rotation.look()
        await asyncio.sleep(0)

        assert opened(tmp_path, "a") == ["first-a"]


async def test_a_secret_that_can_not_be_had_changes_nothing_and_is_told_once(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a", "first-a\n")
    write(tmp_path / "b", "first-b\n")
    async with running(tmp_path, placement="inline") as kernel:
        heard = notes(kernel)
        await until(lambda: state(kernel, "a") == state(kernel, "b") == "up")
        (tmp_path / "a").unlink()
        await kernel.rotation.look()
        await kernel.rotation.look()
        gone = "secret file:a: No such file or directory; a goes on with what it has"

        assert heard() == [f"absent: {gone}"]
        assert [*kernel.rotation.problems()] == [gone]
        assert state(kernel, "a") == "up"
        write(tmp_path / "a", "second-a\n")
        os.chmod(tmp_path / "a", 0o644)
        await kernel.rotation.look()
        assert "is open to others (mode 0644)" in heard()[-1]
        os.chmod(tmp_path / "a", 0o600)
        await kernel.rotation.look()
        await until(lambda: opened(tmp_path, "a") == ["first-a", "second-a"])
        assert [*kernel.rotation.problems()] == []


async def test_who_waits_for_a_better_secret_is_tried_at_once(tmp_path: Path) -> None:
    """Refused settings wait for a new deployment; a new secret is as good."""
    write(tmp_path / "a", "wrong-a\n")
    lines = TEXT.replace("FOLDER,", "FOLDER, how: picky,").splitlines(keepends=True)
    text = "".join(line for line in lines if "  b:" not in line)
    async with running(tmp_path, text, "inline") as kernel:
        await until(lambda: state(kernel, "a") == "invalid")
        assert kernel.components["a"].life.reason == "/password: the password *** is not right"
        write(tmp_path / "a", "right-a\n")
        kernel.rotation.look_now()

        await until(lambda: state(kernel, "a") == "up")


async def test_an_age_file_that_changes_reaches_those_whose_secret_is_another(
    tmp_path: Path,
) -> None:
    recipient = keygen(tmp_path / "key")
    text = TEXT.replace("file:", "age:s.age#") + "secrets: {identity: key}\n"
    encrypt(tmp_path / "s.age", b"a: first-a\nb: first-b\n", recipient)
    async with running(tmp_path, text, "inline") as kernel:
        heard = notes(kernel)
        await until(lambda: state(kernel, "a") == state(kernel, "b") == "up")
        encrypt(tmp_path / "s.new", b"a: second-a\nb: first-b\n", recipient)
        (tmp_path / "s.new").replace(tmp_path / "s.age")
        await kernel.rotation.look()
        await until(lambda: opened(tmp_path, "a") == ["first-a", "second-a"])

        assert opened(tmp_path, "b") == ["first-b"]
        assert heard() == ["changed: secret age:s.age#a has changed; a opens anew with it"]


async def test_a_secret_of_a_plugin_is_asked_for_now_and_then(tmp_path: Path) -> None:
    known: dict[str, Any] = {"vault:x": "first-a"}
    text = TEXT.replace("file:a", "vault:x").replace("file:b", "env:PATH")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Kernel, "_build", _with_vault(known.get, Kernel._build))
        async with running(tmp_path, text, "inline") as kernel:
            await until(lambda: state(kernel, "a") == "up")
            known["vault:x"] = "second-a"
            kernel.rotation.look_now()
            await until(lambda: opened(tmp_path, "a") == ["first-a", "second-a"])


def _with_vault(hook: Any, build: Any) -> Any:
    def built(kernel: Kernel) -> None:
        kernel.secrets.hook = hook
        build(kernel)

    return built


async def test_no_digest_of_a_secret_tells_anything_to_who_has_not_the_key(tmp_path: Path) -> None:
    write(tmp_path / "a", "1234\n")
    write(tmp_path / "b", "1234\n")
    versions = []
    for _ in range(2):
        async with running(tmp_path, placement="inline") as kernel:
            await until(lambda: state(kernel, "a") == state(kernel, "b") == "up")
            found = kernel.secrets.in_use()
            versions.append(found["a"]["file:a"])
            assert found["a"]["file:a"] == found["b"]["file:b"]

    assert versions[0] != versions[1], "another run, another key"


async def test_one_that_changes_while_its_device_is_away_is_noted_too(tmp_path: Path) -> None:
    write(tmp_path / "a", "first-a\n")
    write(tmp_path / "b", "first-b\n")
    text = TEXT.replace("FOLDER,", "FOLDER, how: unreachable,")
    async with running(tmp_path, text, "inline") as kernel:
        heard = notes(kernel)
        await until(lambda: state(kernel, "a") == "unreachable")
        (tmp_path / "b").unlink()
        write(tmp_path / "a", "second-a\n")
        await until(lambda: "changed: secret file:a has changed; a opens anew with it" in heard())
        await until(lambda: "No such file" in kernel.components["b"].life.reason)

        assert [*kernel.rotation.problems()] == [], "b says itself that it can't open"


@pytest.mark.parametrize("picked_up", [False, True])
async def test_a_plan_tells_a_secret_that_has_changed_until_a_session_has_it(
    tmp_path: Path, picked_up: bool
) -> None:
    write(tmp_path / "a", "first-a\n")
    write(tmp_path / "b", "first-b\n")
    async with running(tmp_path, placement="inline") as kernel:
        await until(lambda: state(kernel, "a") == state(kernel, "b") == "up")
        deployment, book = kernel.deployment, kernel.secrets
        old = Standing(deployment, secrets=book.in_use())
        write(tmp_path / "a", "second-a\n")
        if picked_up:
            await kernel.rotation.look()
            await until(lambda: len(opened(tmp_path, "a")) == 2)
            old = Standing(deployment, secrets=book.in_use())
        new = Standing(
            deployment, secrets={c.id: book.versions(c, deployment) for c in deployment.components}
        )
        steps = {one.component: (str(one.step), one.why) for one in plan(old, new).steps}

        touched = ("restart", "secret file:a has changed")
        untouched = ("untouched", "")
        assert steps == {"a": untouched if picked_up else touched, "b": untouched}
