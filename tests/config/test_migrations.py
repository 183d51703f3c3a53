"""Settings written for an older version of a plugin: read by the present one, and told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from tests.config.plant import PLANTS

from bedplate import Connector
from bedplate.admission.describing import describe
from bedplate.admission.survey import survey
from bedplate.config import Deployment, PluginSchema, parse
from bedplate.errors import AdmissionError, ConfigError, Problem
from bedplate.settings import Duration, Migration


class Helix(Connector):
    """In version 1 `host` was `hostname`; in 2 `legacy` went; in 3 the mode came, and had always been fast before."""

    class Config(BaseModel):
        host: str
        timeout: Duration = 1.0
        mode: str = "safe"

    migrations = (
        Migration(
            2, rename={"hostname": "address_of"}, drop={"legacy": "machines of 1998 are gone"}
        ),
        Migration(3, rename={"address_of": "host"}, default={"mode": "fast"}),
    )

    def read(self, tags: list[Any]) -> list[float]:
        return [1.0 for _ in tags]


SCHEMA = PluginSchema("helix", "connector", ("read",), describe(Helix)["settings"])


def parsed(written: str) -> Deployment:
    text = f"bedplate: 1\nname: x\nconnectors:\n  packer: {{{written}}}\n"
    return parse(text.encode(), "f.yaml", PLANTS, {"helix": SCHEMA}.get, ["helix"])


@dataclass
class Case:
    written: str
    settings: dict[str, Any]
    notes: list[str]


CASES = {
    "the present one": Case("use: helix, host: h", {"host": "h"}, []),
    "the present one, named": Case("use: helix@3, host: h", {"host": "h"}, []),
    "an old name without a version": Case(
        "use: helix, hostname: h", {"host": "h"}, ["is called `host` now; write that"]
    ),
    "of version 2": Case(
        "use: helix@2, address_of: h",
        {"host": "h", "mode": "fast"},
        ["is called `host` now; write that", "mode is 'fast', as it was in version 2; write it"],
    ),
    "of version 1": Case(
        "use: helix@1, hostname: h, legacy: true, timeout: 5s",
        {"host": "h", "timeout": "5s", "mode": "fast"},
        [
            "is called `host` now; write that",
            "is not used any more: machines of 1998 are gone; remove it",
            "mode is 'fast', as it was in version 1; write it",
        ],
    ),
    "of version 1 and already saying the new": Case(
        "use: helix@1, hostname: h, mode: safe",
        {"host": "h", "mode": "safe"},
        ["is called `host` now; write that"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_older_settings_mean_what_they_meant(case: Case) -> None:
    deployment = parsed(case.written)
    assert deployment.components[0].settings == case.settings
    assert deployment.components[0].use == "helix"
    assert sorted(note.text for note in deployment.notes) == sorted(case.notes)
    assert {note.line for note in deployment.notes} <= {4}


MISTAKES = {
    "use: helix@9, host: h": "`helix` here knows settings up to version 3; install a newer version of it",
    "use: helix@1, hostname: h, host: g": "is the old name of `host`, which is written too; remove one of them",
    "use: helix@x, host: h": '"helix@x" is no plugin, such as modbus or modbus@2',
    "use: helix@0, host: h": '"helix@0" is no plugin, such as modbus or modbus@2',
    "use: helix@1, hostnam: h": "unknown; did you mean `host`?",
    "use: helix@1, hostname: 3": "3 is a number; expected text; put it in quotes",
}


@pytest.mark.parametrize("written", MISTAKES)
def test_what_cannot_be_migrated_is_told_at_its_line(written: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parsed(written)
    assert MISTAKES[written] in {problem.text for problem in raised.value.problems}
    assert {problem.line for problem in raised.value.problems} == {4}


def outcome(written: str) -> tuple[dict[str, Any], list[Problem]]:
    try:
        return dict(parsed(written).components[0].settings), []
    except ConfigError as error:
        return {}, list(error.problems)


@given(st.sets(st.sampled_from(["hostname", "address_of", "host", "legacy", "mode", "timeout"])),
       st.sampled_from(["", "@1", "@2", "@3"]))  # fmt: skip
def test_migrating_never_fails_otherwise_than_with_a_line(keys: set[str], version: str) -> None:
    body = ", ".join([f"use: helix{version}", *(f"{key}: 1s" for key in sorted(keys))])
    settings, problems = outcome(body)
    assert set(settings) <= {"host", "timeout", "mode"}
    assert all(problem.line == 4 and problem.text for problem in problems)


def test_a_migration_that_leads_nowhere_is_the_authors_to_mend() -> None:
    class Lost(Helix):
        migrations = (Migration(2, rename={"hostname": "hots"}),)

    with pytest.raises(AdmissionError, match="migrations to 2: `hots` is no setting"):
        describe(Lost)


FILE = '''
from bedplate import Connector
from bedplate.settings import Migration
from pydantic import BaseModel

class Scale(Connector):
    class Config(BaseModel):
        """A scale."""
        host: str
    migrations = (Migration(2, rename={"hostname": "host"}),)
    def read(self, tags):
        return [1.0 for _ in tags]
'''


def test_the_steps_come_along_with_a_single_file(tmp_path: Path) -> None:
    file = tmp_path / "scale.py"
    file.write_text(FILE)
    (candidate,) = (c for c in survey([file]).candidates if c.name == "scale.py")
    settings = candidate.offers[0].schema.settings
    assert settings["x-bedplate-migrations"] == [{"to": 2, "rename": {"hostname": "host"}}]
