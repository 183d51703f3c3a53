"""What the pages say can be done: links lead somewhere, commands exist, files pass `check`, named tests are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from textwrap import indent

import click
import pytest
from tests.docs.pages import ROOT, blocks, command_lines, inline, links, pages, text

from bedplate.admission.candidate import schemas_for
from bedplate.admission.survey import survey
from bedplate.cli.group import root
from bedplate.config import load, unserved
from bedplate.errors import ConfigError

READING = ("README.md", "core/bedplate/contracts.py", "plugins/alarms/bedplate_alarms/analytic.py")
READING += ("core/bedplate/runtime/supervisor.py",)
OURS = [page for page in pages() if page.parts[0] in ("docs", "README.md")]


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for target in links(page):
        name, _, anchor = target.partition("#")
        there = (ROOT / page.parent / name).resolve() if name else ROOT / page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(target)

    assert not lost


def anchors(page: Path) -> set[str]:
    """As they are made of headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


GENERATED = Path("docs/reference/commands.md")  # its usage lines have holes in brackets


@pytest.mark.parametrize("page", [page for page in pages() if page != GENERATED], ids=str)
def test_every_command_exists_with_its_options(page: Path) -> None:
    wrong = [
        f"bedplate {' '.join(words)}: {why}"
        for words in command_lines(page)
        if (why := refusal(words))
    ]

    assert not wrong


def refusal(words: list[str]) -> str:
    """Why the command line would not be understood; empty when it would. Nothing is run."""
    rest = words
    try:
        context = root.make_context("bedplate", list(words), ignore_unknown_options=False)
        command: click.Command | None = root
        rest = [*context._protected_args, *context.args]
        while isinstance(command, click.Group) and rest:
            name, command, rest = command.resolve_command(context, rest)
            assert command
            context = command.make_context(name, list(rest), parent=context)
            rest = [*context._protected_args, *context.args]
    except click.exceptions.Exit:
        return ""
    except click.exceptions.NoArgsIsHelpError:
        return ""
    except click.MissingParameter:
        # The bare name of a command, in a sentence, is none that would be typed.
        return "" if len(words) == 1 or not rest else "an argument is missing"
    except click.ClickException as error:
        return error.format_message()
    return ""


@pytest.mark.parametrize("page", OURS, ids=str)
def test_every_deployment_passes_check(page: Path, tmp_path: Path) -> None:
    for table in blocks(page, "csv"):
        (tmp_path / table.name).write_text(table.text)
    found = survey([ROOT / "docs" / "examples" / "scale.py"])
    for number, block in enumerate(blocks(page, "yaml")):
        whole = (
            block.text
            if re.search(r"^bedplate:", block.text, re.M)
            else f"bedplate: 1\nname: page\n{block.text}"
        )
        file = tmp_path / f"block-{number}.yaml"
        file.write_text(whole)
        try:
            deployment = load(file, schemas_for(found), found.offers)
        except ConfigError as error:
            pytest.fail(f"{block.text}\n{error}", pytrace=False)
        assert not unserved(deployment), block.text


def test_every_example_passes_check() -> None:
    found = survey([ROOT / "docs" / "examples" / "scale.py"])
    files = sorted((ROOT / "docs" / "examples").glob("*.yaml"))

    assert len(files) >= 2
    for file in files:
        assert not unserved(load(file, schemas_for(found), found.offers))


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_file_that_is_shown_is_shown_as_it_is(page: Path) -> None:
    """`file#part`: lines that stand in it one after the other, without what they are indented by there."""
    shown = [b for b in blocks(page, "python", "yaml", "toml", "json") if "/" in b.name]

    for block in shown:
        name, _, part = block.name.partition("#")
        file = (ROOT / name).read_text()
        if part:
            assert block.text in file or indent(block.text, "    ") in file, block.name
        else:
            assert block.text == file, name


@pytest.mark.parametrize("page", OURS, ids=str)
def test_every_test_that_is_named_exists(page: Path) -> None:
    words = [word for code in inline(page) for word in code.split()]
    named = [word for word in words if re.fullmatch(r"test_\w+", word)]
    files = [
        word for word in words if re.fullmatch(r"(?:tests|plugins|core|protos|docs)/[\w./-]+", word)
    ]

    assert not [name for name in named if name not in names_of_tests()]
    assert not [file for file in files if not (ROOT / file).exists()]


@cache
def names_of_tests() -> frozenset[str]:
    files = [*(ROOT / "tests").rglob("test_*.py"), *ROOT.glob("plugins/*/tests/test_*.py")]
    names = {file.stem for file in files}
    for file in files:
        names |= set(re.findall(r"def (test_\w+)\(", file.read_text()))
    return frozenset(names)


def test_the_readme_is_one_screen_and_a_bit() -> None:
    assert len(text(Path("README.md")).splitlines()) <= 110


def test_contract_plugin_and_runtime_are_read_in_less_than_a_thousand_lines() -> None:
    readme = text(Path("README.md"))

    assert all(f"({file})" in readme for file in READING[1:])
    assert sum(len(text(Path(file)).splitlines()) for file in READING) < 1000


def test_the_index_names_every_page() -> None:
    index = Path("docs/README.md")
    decisions = Path("docs/decisions/README.md")
    named = {index, *linked(index), *linked(decisions)}

    assert decisions in linked(index)
    assert not {str(page) for page in pages() if page.parts[0] == "docs" and page not in named}


def linked(page: Path) -> set[Path]:
    """The pages that it links to, relative to the root."""
    places = ((ROOT / page.parent / target.partition("#")[0]).resolve() for target in links(page))
    return {place.relative_to(ROOT) for place in places}


def test_the_decisions_have_an_index() -> None:
    index = Path("docs/decisions/README.md")
    named = set(links(index))
    every = {page.name for page in (ROOT / "docs" / "decisions").glob("*.md")} - {"README.md"}

    assert named == every


@pytest.mark.parametrize("page", OURS, ids=str)
def test_every_piece_of_python_is_python_and_names_what_is_there(page: Path) -> None:
    import bedplate

    wrong = []
    for block in blocks(page, "python"):
        compile(block.text, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for owner, name in re.findall(r"\b(bedplate|plant)\.(\w+)", block.text):
            place = bedplate if owner == "bedplate" else bedplate.Client
            wrong += (
                []
                if hasattr(place, name) or name in ("settings", "hookspecs", "testing")
                else [f"{owner}.{name}"]
            )

    assert not wrong
