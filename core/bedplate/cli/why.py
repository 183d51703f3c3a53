"""`bedplate why`: a subject, what became of it, link by link, and at the end what is lost, whose it is, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bedplate.cli.exits import Exit
from bedplate.cli.frame import Invocation, command
from bedplate.cli.parameters import subject

if TYPE_CHECKING:
    from bedplate.client.why import Explanation, Link

MARKS = {"good": ("✔", "green"), "bad": ("✖", "red")}
FIRST = 6  # cells of the first column


@command()
@subject()
def why(invocation: Invocation, subject: str) -> int:
    """SUBJECT is a tag, a device, an asset, a process, a reader, an analytic, an alarm, an address, or any unique tail
    of a path. Ends with 0 when nothing is wrong with it, 1 when something is."""
    with invocation.client() as client:
        found = client.why(subject)
    if invocation.json:
        from bedplate.cli.output import write_json

        write_json(found)
    else:
        for block in screen(found):
            invocation.screen.show(block)
    return Exit.PROBLEMS if found.cause else Exit.DONE


def screen(found: Explanation) -> Iterator[Any]:
    """What to print, from top to bottom; it always ends with lost, whose and do."""
    from rich.text import Text

    yield Text(found.subject, "bold")
    yield Text(found.headline)
    yield ""
    if found.cause or found.facts:
        yield _block("cause", [found.cause or "nothing is wrong with it now", *found.facts])
        yield ""
    yield _chain(found.chain)
    yield ""
    if found.also:
        yield _block("also", [" · ".join(found.also)])
    yield _block("effect", found.effect)
    yield _block("lost", found.lost)
    yield ""
    yield _block("whose", [found.whose_text])
    yield _block("do", found.actions)


def _block(title: str, lines: Any) -> Any:
    """Lines beside a dim title."""
    from rich.text import Text

    from bedplate.cli.screen import Column, indented, table

    rows = [(Text(title if not n else "", "dim"), Text(line)) for n, line in enumerate(lines)]
    return indented(table([Column(width=FIRST), Column(wraps=True)], rows))


def _chain(chain: tuple[Link, ...]) -> Any:
    """A mark, a name and what was seen, for each link."""
    from rich.text import Text

    from bedplate.cli.screen import Column, indented, table

    rows = []
    for number, link in enumerate(chain):
        mark, style = MARKS.get(link.state, ("?", "yellow"))
        first = Text(f"chain  {mark}" if not number else f"       {mark}", "dim")
        first.stylize(style, len(first) - 1)
        rows.append((first, Text(link.name), Text(link.text)))
    return indented(table([Column(width=FIRST), Column(), Column(wraps=True)], rows))
