"""`bedplate access check`: why was I denied."""

from __future__ import annotations

import click

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command


@command(short_help="Whether you may do something, and by which rules")
@click.argument("action")
@click.argument("path", required=False, default="")
def check(invocation: Invocation, action: str, path: str) -> Exit:
    """Whether you may do something, and by which rules. ACTION is as in the refusal, such as live.subscribe or
    command.submit; PATH a tag, asset, device or alarm, or any unique tail of it. Without it the platform is meant.

    \b
      bedplate access check command.submit press-07/speed_setpoint

    What you may not see is answered as what there is not. Exit code 0: you may; 1: you may not.
    """
    with invocation.client() as client:
        found = client.check_access(action, path)
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(found)
    else:
        what = f"{action}{f' to {path}' if path else ''}"
        lines = [f"{'allowed' if found.allowed else 'denied'}: {what}"]
        invocation.screen.show("\n".join([*lines, *(f"  {rule}" for rule in found.rules)]))
    return Exit.DONE if found.allowed else Exit.PROBLEMS
