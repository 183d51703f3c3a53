"""`bedplate completion`: the script that a shell reads to complete commands, options and tags."""

from __future__ import annotations

import click

from bedplate.cli.frame import Invocation, command

SHELLS = ("bash", "zsh", "fish")


@command(local=True)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(invocation: Invocation, shell: str) -> None:
    """Into a file that your shell reads at its start:

    \b
    For bash:  bedplate completion bash >> ~/.bashrc
    For zsh:   bedplate completion zsh >> ~/.zshrc
    For fish:  bedplate completion fish > ~/.config/fish/completions/bedplate.fish
    """
    from click.shell_completion import get_completion_class

    from bedplate.cli.group import root

    kind = get_completion_class(shell)
    assert kind
    script = kind(root, {}, "bedplate", "_BEDPLATE_COMPLETE").source()
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json({"shell": shell, "script": script})
    else:
        click.echo(script)
