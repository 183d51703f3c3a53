"""The reference is what the code says: nothing undocumented, nothing documented that is not there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from tests.docs import contracts, reference
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


def declared() -> list[tuple[str, contracts.Part]]:
    return [
        (area, part) for area, file in contracts.files().items() for part in contracts.parts(file)
    ]


def test_everything_in_the_contracts_says_what_it_is() -> None:
    silent = [f"{area} {part.name}" for area, part in declared() if not part.about]
    silent += [
        f"{area} {part.name} {what}"
        for area, part in declared()
        for what, _, about in part.rows
        if not about
    ]

    assert not silent


def test_the_page_of_the_contracts_has_all_that_the_descriptors_have() -> None:
    """Not through the generator: by what was compiled."""
    page = text(Path("docs/reference/contracts.md"))
    missing = []
    for area in contracts.ORDER:
        compiled = import_module(f"bedplate.{area}.v1.{area}_pb2").DESCRIPTOR
        section = page.partition(f"## bedplate.{area}.v1\n")[2].partition("\n## ")[0]
        for message in compiled.message_types_by_name.values():
            part = section.partition(f"### message {message.name}\n")[2].partition("\n### ")[0]
            missing += [
                f.full_name for f in message.fields if f"`{f.name} = {f.number}`" not in part
            ]
        for enum in compiled.enum_types_by_name.values():
            missing += [v.name for v in enum.values if f"`{v.name} = {v.number}`" not in section]
        for service in compiled.services_by_name.values():
            missing += [m.full_name for m in service.methods if f"| `{m.name}` |" not in section]

    assert not missing


def test_every_call_and_every_ask_has_its_rules_in_the_standard() -> None:
    standard = text(Path("protos/README.md"))
    kinds = [
        import_module(f"bedplate.{kind}.v1.{kind}_pb2")
        for kind in ("connector", "analytic", "security")
    ]
    asks = {
        one.name.title().replace("_", "")
        for kind in kinds
        for one in kind.Ask.DESCRIPTOR.oneofs_by_name["what"].fields
    }
    calls = {
        f"{part.name}.{call}"
        for area, part in declared()
        if area == "api" and part.kind == "service"
        for call, _, _ in part.rows
    }

    assert not [ask for ask in asks if f"| `{ask}` |" not in standard]
    assert not [call for call in calls if f"| `{call}` |" not in standard]


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
