"""A plant whose deployment admits only trusted plugins, and small plugins that say when they are run."""

from __future__ import annotations

import textwrap
from pathlib import Path

from tests.admission import folders
from tests.admission.site import SCHEMA

from bedplate.admission.artefact import digest
from bedplate.admission.subject import subject_of
from bedplate.admission.trust import Grant, TrustFile

CODE = '''
import os

from bedplate import Connector

with open(os.path.join({traces!r}, "{word}"), "a") as trace:
    trace.write(__file__ + "\\n")


class Ticker(Connector):
    """One value."""

    def read(self, tags):
        return [1.0 for _ in tags]
'''


def manifest(version: str = "1.0.0", permissions: str = "") -> str:
    return textwrap.dedent(
        f"""\
        manifest = 1
        requires_api = ">=1,<2"
        name = "acme-ticker"
        version = "{version}"

        [[offer]]
        use = "ticker"
        kind = "connector"
        class = "acme_ticker:Ticker"
        capabilities = ["read"]

        [permissions]
        {permissions}
        """
    )


def plugin_folder(
    folder: Path, traces: Path, *, version: str = "1.0.0", permissions: str = "", word: str = "good"
) -> Path:
    """A plugin folder in Python; each import of it leaves a line in traces/WORD."""
    traces.mkdir(exist_ok=True)
    allowed = f'files = ["{traces}"]\n{permissions}'  # where a run leaves its line
    files = {"acme_ticker__py": code(traces, word)}
    return folders.plugin_folder(folder, manifest(version, allowed), {"ticker": SCHEMA}, **files)


def code(traces: Path, word: str = "good") -> str:
    return CODE.format(traces=str(traces), word=word)


def plant(folder: Path, *, policy: str = "trusted", more: str = "", use: str = "ticker") -> Path:
    """A deployment of one component, `clock`."""
    file = folder / "plant.yaml"
    file.write_text(
        f"bedplate: 1\nname: plant\nplugins: {{policy: {policy}{more}}}\n"
        f"connectors:\n  clock: {{use: {use}, path: line, tags: {{a: {{address: x, scan: fast}}}}}}\n"
    )
    return file


def trusted(place: Path, home: Path, **more: str) -> Grant:
    """As `bedplate plugins trust PLACE --yes`."""
    subject = subject_of(str(place), lambda: ())
    measure = subject.artefact.measure()
    told = {"publisher": "", "by": "test", "at": "2026-11-23T00:00:00Z"} | more
    grant = Grant(subject.name, subject.version, digest(measure), subject.permissions, **told)
    TrustFile(home).add(grant, measure)
    return grant
