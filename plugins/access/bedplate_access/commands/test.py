"""`bedplate access test`: examples are tried on policies, without a kernel and without a device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from bedplate import BedplateError
from bedplate_access.policy import examples, texts
from bedplate_access.policy.decider import Decider, Found
from bedplate_access.policy.rules import Rules
from bedplate_access.policy.texts import Broken

READ = "bedplate.access.read"  # in ctx.meta: file → [(line, value)] of a list in strict YAML
POLICIES = "bedplate.access.policies"  # in ctx.meta: deployment file → (policy files, ready_made)


@click.command()
@click.argument("policies", type=click.Path(path_type=Path))
@click.option(
    "--examples",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What should be allowed and denied. Without it the policies are only read.",
)
@click.option("--alone", is_flag=True, help="Without the ready-made policies of the roles.")
@click.pass_context
def test(ctx: click.Context, policies: Path, file: Path | None, alone: bool) -> None:
    """POLICIES is a file of Cedar policies, or a deployment file, whose policies are then tried.

    \b
      bedplate access test line.cedar --examples line.examples.yaml

    Each example that comes out otherwise is printed with the rules that decided. Nothing is contacted.
    Exit code 0: all as expected; 1: some are not; 2: policies or examples can't be read.
    """
    decider = _decider(ctx, policies, alone)
    written = ctx.meta[READ](file) if file else []
    tried = [(line, one, examples.told(one, decider)) for line, one in _examples(file, written)]
    wrong = [(line, one, found, text) for line, one, found in tried
             if (text := examples.wrong(one, found))]  # fmt: skip
    if getattr(ctx.obj, "json", False):
        _json(file, tried)
    elif file is None:
        click.echo(f"{policies.name} can be used; say --examples FILE to try it")
    else:
        for line, one, _, text in wrong:
            click.echo(f"{file}:{line}  {one.words}\n    {text}")
        fine = len(tried) - len(wrong)
        click.echo(f"{fine} of {len(tried)} examples as expected")
    ctx.exit(1 if wrong else 0)


def _decider(ctx: click.Context, policies: Path, alone: bool) -> Decider:
    """Raises BedplateError with each mistake, at its line."""
    own: Sequence[Path] = [policies]
    ready_made = True
    find: Callable[[Path], tuple[Sequence[Path], bool]] | None = ctx.meta.get(POLICIES)
    if policies.suffix in (".yaml", ".yml") and find:
        own, ready_made = find(policies)
    try:
        read = [texts.read(one) for one in own]
        first = [texts.ready_made()] if ready_made and not alone else []
        return Decider(Rules([*first, *read]))
    except Broken as error:
        raise BedplateError(str(error)) from None


def _examples(
    file: Path | None, written: Sequence[tuple[int, Any]]
) -> list[tuple[int, examples.Example]]:
    """With their lines. Raises BedplateError."""
    found, wrong = [], []
    for line, value in written:
        try:
            found.append((line, examples.Example.model_validate(value)))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            text = first["msg"].removeprefix("Value error, ")
            wrong.append(f"{file}:{line}  {where + ': ' if where else ''}{text}")
    if wrong:
        raise BedplateError("\n".join(wrong))
    return found


def _json(file: Path | None, tried: Sequence[tuple[int, examples.Example, Found]]) -> None:
    import json

    told = [
        {
            "file": str(file),
            "line": line,
            "example": one.words,
            "expect": one.expect,
            "allowed": found.allowed,
            "rules": list(found.rules),
            "wrong": examples.wrong(one, found) or None,
        }
        for line, one, found in tried
    ]
    click.echo(json.dumps(told, indent=2, ensure_ascii=False))
