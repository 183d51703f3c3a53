"""The reference is what the code says: nothing undocumented, nothing documented that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs import reference
from tests.docs.pages import ROOT, text

PAGES = reference.pages_with_parts()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_generated_parts_are_fresh(page: Path) -> None:
    assert page.read_text() == reference.fresh(page.read_text()), "make docs"


def test_every_part_stands_on_some_page() -> None:
    whole = "".join(page.read_text() for page in PAGES)

    assert not [name for name in reference.PARTS if f"<!-- generated: {name} -->" not in whole]


def test_every_command_and_option_is_documented() -> None:
    """Not through the generator: by what click would print."""
    import click

    from bedplate.cli.group import root

    page = text(Path("docs/reference/commands.md"))
    missing = []
    with click.Context(root, info_name="bedplate") as top:
        for name in root.list_commands(top):
            command = root.get_command(top, name)
            assert command
            section = page.partition(f"### bedplate {name}\n")[2].partition("\n### ")[0]
            options = [
                option for p in command.params for option in p.opts if option.startswith("--")
            ]
            missing += [f"{name} {option}" for option in options if option not in section]
            missing += [name] if not section else []

    assert not missing


def test_every_word_of_the_file_has_its_place_in_the_description() -> None:
    from bedplate.config.grammar import RESERVED, SECTIONS, TAG, TOP

    page = text(Path("docs/deployment-file.md"))
    words = [*TOP, *SECTIONS, "types", *RESERVED, *TAG["properties"]]

    assert not [word for word in words if f"`{word}`" not in page]


def test_every_metric_of_the_page_exists() -> None:
    import re

    page = text(Path("docs/reference/metrics.md"))
    told = set(re.findall(r"`(bedplate\.[a-z.]+[a-z])`", page))

    assert told <= set(re.findall(r"`(bedplate[^`]+)`", reference.metrics()))


def test_the_readmes_of_plugins_are_there() -> None:
    for manifest in (ROOT / "plugins").glob("*/bedplate_*/bedplate-plugin.toml"):
        assert (manifest.parents[1] / "README.md").is_file()
