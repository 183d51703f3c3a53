"""The `bedplate` command: a client of the API and, for what needs no running kernel, of the kernel's own parts.

Rule: this package and every command module import in a few milliseconds; what is heavy is imported by the command that
needs it, when it runs. A new command is one file and one line in `commands.py`.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command line (by default the one this process was started with) and ends the process with a code of
    `exits.py`. Never shows a traceback, unless BEDPLATE_DEBUG is set."""
    import sys

    from bedplate.cli.faults import Faults
    from bedplate.cli.group import root

    with Faults() as faults:
        result = root.main(arguments, prog_name="bedplate", standalone_mode=False)
        faults.code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    sys.exit(faults.code)
