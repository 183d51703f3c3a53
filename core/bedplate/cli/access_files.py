"""Files that commands of the security plugin read in our ways: strict YAML, and a deployment's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bedplate.errors import BedplateError, ConfigError

if TYPE_CHECKING:
    from bedplate.config import Deployment

READ = "bedplate.access.read"  # in ctx.meta, as is the other
POLICIES = "bedplate.access.policies"


def read_list(file: Path) -> list[tuple[int, Any]]:
    """The items of a list, each with its line. Raises ConfigError, BedplateError."""
    from bedplate.config.document import read

    try:
        root, problems = read(file.read_bytes(), str(file))
    except OSError as error:
        raise BedplateError(f"{file}: {error.strerror or error}") from None
    if problems:
        raise ConfigError(problems)
    if root is None or not isinstance(root.value, list):
        raise BedplateError(f"{file}: must be a list: each item begins with a dash")
    return [(node.line, node.plain()) for node in root.value]


def policies_of(file: Path) -> tuple[Sequence[Path], bool]:
    """The policy files of a deployment, and whether the ready-made ones are in force. Raises BedplateError."""
    deployment, settings = access_of(file)
    named = settings.get("policies", ())
    return [deployment.folder(str(one)) for one in named], settings.get("ready_made", True)


def access_of(file: Path) -> tuple[Deployment, Mapping[str, Any]]:
    """A deployment, and the settings of its `use: access`. Raises BedplateError."""
    from bedplate.admission.reading import read_deployment
    from bedplate.config.deployment import resolve_settings

    _, deployment = read_deployment(file)
    for component in deployment.of_kind("security"):
        if component.use == "access":
            return deployment, resolve_settings(component, deployment)
    raise BedplateError(f"{file}: no security module there says `use: access`")
