"""What the grammar knows and nothing serves yet. `check` accepts it; `run` refuses it by name, so that no operator
believes in a guard or a buffer that is not there. Serving something means deleting its row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from bedplate.config.deployment import Component, Deployment, Source
from bedplate.errors import Problem

# path in the file, whether it is asked for, what to do instead
DEPLOYMENT: list[tuple[str, Callable[[Deployment], Any], str]] = [
    ("apps", lambda d: d.of_kind("app"), "apps come with the console"),
    ("engine", lambda d: d.engine != "embedded", "other engines come later; write embedded"),
    (
        "telemetry.prometheus",
        lambda d: d.telemetry.prometheus,
        "write otlp, or use a collector that serves Prometheus",
    ),
]
COMPONENT: list[tuple[str, Callable[[Component], Any], str]] = [
    (
        "buffer.when_full",
        lambda c: c.buffer and c.buffer.when_full == "block",
        "nobody is held back for a sink yet; write drop_oldest",
    ),
]


def unserved(deployment: Deployment) -> list[Problem]:
    """What this deployment asks for and `run` must refuse, by file and line."""
    source = deployment.source
    places = [
        (source.file, source.lines.get(path, 0), path, why, "")
        for path, asked, why in DEPLOYMENT
        if asked(deployment)
    ]
    for component in deployment.components:
        places += _of_component(component, source)
    count = Counter(places)
    problems = []
    for (file, line, path, why, entry), times in count.items():
        reach = f"reaches {times} {entry}" if times > 1 else ""
        problems.append(Problem(file, line, path, f"not served yet: {why}", reach))
    return sorted(problems)


def _of_component(component: Component, source: Source) -> Iterator[tuple[str, int, str, str, str]]:
    homes = (f"types.{component.type}", f"connectors.{component.entry}")
    for word, asked, why in COMPONENT:
        if asked(component):
            known = [f"{home}.{word}" for home in homes if f"{home}.{word}" in source.lines]
            path = known[0] if known else f"{component.id}.{word}"
            file, line = (
                (source.file, source.lines[path]) if known else (component.file, component.line)
            )
            yield file, line, path, why, component.entry
