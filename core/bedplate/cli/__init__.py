"""The `bedplate` command: a client of the API and, for what needs no running kernel, of the kernel's own parts.

Rule: this package and every command module import in a few milliseconds; what is heavy is imported by the command that
needs it, when it runs. A new command is one file and one line in `commands.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


def program() -> None:
    """The `bedplate` of a shell: `main`, and the process ends with it. Threads of gRPC must not hold the exit, and
    Ctrl-C counts wherever the command is."""
    import os
    import sys

    from bedplate.cli.exits import Exit
    from bedplate.cli.interrupt import Interrupt

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what goes wrong is told by us, once
    interrupt = Interrupt(Exit.STOPPED)
    interrupt.watch()
    code: object = Exit.STOPPED
    try:
        main(None, interrupt.came)
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:
        pass
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else Exit.DONE)


def main(
    arguments: Sequence[str] | None = None, interrupted: Callable[[], bool] = lambda: False
) -> None:
    """Runs one command line (by default the one this process was started with) and raises SystemExit with a code of
    `exits.py`. Never shows a traceback, unless BEDPLATE_DEBUG is set. interrupted: whether Ctrl-C was pressed."""
    import sys

    from bedplate.cli.faults import Faults
    from bedplate.cli.group import root

    with Faults(interrupted) as faults:
        result = root.main(arguments, prog_name="bedplate", standalone_mode=False)
        faults.code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    sys.exit(faults.code)
