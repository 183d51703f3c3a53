"""The Markdown pages of the repository, and what stands in them: code blocks, links, commands, names."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"(?:^<!-- (?P<name>\S+) -->\n)?^(?P<fence>```+)(?P<language>\w*)\n(?P<text>.*?)^(?P=fence)$",
    re.M | re.S,
)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """A fenced block. name: of the comment above it, `<!-- name -->`: the file that it shows."""

    page: Path
    language: str
    text: str
    name: str


@cache
def pages() -> tuple[Path, ...]:
    """Every page known to git, and every one below docs/ that is still to be added; relative to the root."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "*.md"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    known = {Path(name) for name in done.stdout.decode().split("\0") if name}
    fresh = {path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md")}
    return tuple(sorted(path for path in known | fresh if (ROOT / path).is_file()))


def text(page: Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    for match in _FENCE.finditer(text(page)):
        if match["language"] in languages:
            yield Block(page, match["language"], match["text"], match["name"] or "")


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", text(page))


def inline(page: Path) -> list[str]:
    """What stands between single backticks."""
    return _INLINE.findall(prose(page))


def links(page: Path) -> list[str]:
    """Targets of links, without those that lead out of the repository."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def command_lines(page: Path) -> list[list[str]]:
    """Every `bedplate …` of a page, as words: between backticks, after `$ `, and in indented lines."""
    shown = [line for block in blocks(page, "console", "") for line in block.text.splitlines()]
    shown += [line[4:] for line in prose(page).splitlines() if line.startswith("    ")]
    lines = [*inline(page), *(line.strip().removeprefix("$ ") for line in shown)]
    commands = (words for line in lines for words in _commands(line))
    return [words for words in commands if words]


def _commands(line: str) -> Iterator[list[str]]:
    for part in re.split(r"\s(?:\||>>?|&&)\s|\s\s+#|\s→\s", line):
        match = re.match(r"(?:\.venv/bin/)?bedplate(?:\s+(.*))?$", part.strip())
        if match and not part.strip().startswith("bedplate."):
            yield shlex.split(match[1] or "")


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [titles, ["---"] * len(titles), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text.replace("\n", " "))
