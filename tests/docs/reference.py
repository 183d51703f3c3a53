"""Writes the generated parts of the documentation: what stands between `<!-- generated: x -->` and `<!-- end -->`.

`python -m tests.docs.reference` (`make docs`) writes them; test_reference.py says when they are stale.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from tests.docs.contracts import contracts
from tests.docs.pages import ROOT, table

_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.S)


def fresh(text: str) -> str:
    """The page with its generated parts as they should be."""
    return _PART.sub(lambda match: f"{match[1]}{PARTS[match[2]]().strip()}\n{match[3]}", text)


def pages_with_parts() -> list[Path]:
    return [
        page for page in sorted((ROOT / "docs").rglob("*.md")) if _PART.search(page.read_text())
    ]


# commands


def commands() -> str:
    from bedplate.cli.commands import COMMANDS, GROUPS
    from bedplate.cli.group import root

    parts = []
    with click.Context(root, info_name="bedplate") as top:
        for group in GROUPS:
            parts.append(f"## {group.capitalize()}\n")
            for entry in COMMANDS:
                if entry.group == group:
                    command = root.get_command(top, entry.name)
                    assert command
                    parts += _command(command, top, entry.name)
    return "\n".join(parts)


def _command(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    with click.Context(command, info_name=name, parent=parent) as context:
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        yield f"### {context.command_path}\n\n    {usage}\n"
        yield _help(inspect.cleandoc(command.help or "")) + "\n"
        records = [
            p.get_help_record(context)
            for p in command.get_params(context)
            if isinstance(p, click.Option)
        ]
        yield table(
            ["option", ""],
            [(f"`{r[0]}`", _literal(r[1])) for r in records if r and "--help" not in r[0]],
        )
        if isinstance(command, click.Group):
            for below in command.list_commands(context):
                inner = command.get_command(context, below)
                assert inner
                yield from _command(inner, context, below)


def _help(text: str) -> str:
    """Paragraphs that click must not wrap (behind \\b) are indented, as code."""
    paragraphs = text.split("\n\n")
    kept = [
        re.sub(r"^", "    ", p.removeprefix("\b\n"), flags=re.M) if p.startswith("\b") else p
        for p in paragraphs
    ]
    return _literal("\n\n".join(kept))


def _literal(text: str) -> str:
    return text.replace("*", r"\*")


# settings of plugins


def plugins() -> str:
    import json

    from bedplate.admission.manifest import parse

    parts = []
    for file in sorted((ROOT / "plugins").glob("*/bedplate_*/bedplate-plugin.toml")):
        manifest = tomllib.loads(file.read_text())
        schemas = json.loads(file.with_name("config.schema.json").read_text())["offers"]
        permissions = parse(file.read_bytes(), file.name).permissions.words()
        for offer in manifest["offer"]:
            readme = file.parents[1].relative_to(ROOT) / "README.md"
            parts += _offer(offer, schemas[offer["use"]], permissions, readme)
    return "\n".join(parts)


def _offer(
    offer: Mapping[str, Any], schema: Mapping[str, Any], allowed: Sequence[str], readme: Path
) -> Iterator[str]:
    yield f"## {offer['use']}\n"
    can = f" that can {', '.join(offer['capabilities'])}" if offer.get("capabilities") else ""
    kind = {"connector": "A connector", "analytic": "An analytic", "security": "A security module"}[
        offer["kind"]
    ]
    yield f"{kind}{can}. [What it does](../../{readme})\n"
    if allowed:
        yield f"It declares that it needs: {', '.join(f'`{words}`' for words in allowed)}.\n"
    yield from _model("Settings", schema["settings"], schema["settings"])
    if schema["tag"].get("properties"):
        yield from _model("Settings of a tag", schema["tag"], schema["tag"])
    if schema["address"] and "enum" in schema["address"]:
        yield "**Address**: see `bedplate browse simline`.\n".replace("simline", offer["use"])
    elif schema["address"]:
        about = schema["address"].get("description", "")
        yield f"**Address**: {_type(schema['address'], schema['address'])}{f'. {about}' if about else ''}\n"


def _model(title: str, model: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[str]:
    required = model.get("required", ())
    rows = [
        (
            f"`{name}`",
            _type(part, root),
            "required" if name in required else _default(part),
            part.get("description", ""),
        )
        for name, part in model.get("properties", {}).items()
    ]
    yield f"**{title}**\n"
    yield table(["setting", "", "default", ""], rows) if rows else "None.\n"
    if model is root:
        for name, inner in root.get("$defs", {}).items():
            if "properties" in inner:
                yield from _model(f"`{name}`", inner, root)


def _type(part: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        inner = root.get("$defs", {}).get(name, {})
        return f"a `{name}`, see below" if "properties" in inner else _type(inner, root)
    for word, said in WORDS.items():
        if part.get(word):
            return said
    if "enum" in part:
        return ", ".join(f"`{_yaml(value)}`" for value in part["enum"])
    if "const" in part:
        return f"`{_yaml(part['const'])}`"
    branches = [
        branch
        for branch in (*part.get("anyOf", ()), *part.get("oneOf", ()))
        if branch.get("type") != "null"
    ]
    if branches:
        return " or ".join(dict.fromkeys(_type(branch, root) for branch in branches))
    kind = part.get("type", "")
    if kind == "array":
        return f"list of {_type(part.get('items', {}), root)}"
    if kind == "object" and isinstance(part.get("additionalProperties"), dict):
        return f"names, each {_type(part['additionalProperties'], root)}"
    if kind == "string" and "pattern" in part and part.get("examples"):
        return f"text such as `{part['examples'][0]}`"
    return KINDS.get(kind, "anything") + _bounds(part)


def _bounds(part: Mapping[str, Any]) -> str:
    low, high = part.get("minimum"), part.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    words = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "more than",
        "exclusiveMaximum": "less than",
    }
    return "".join(f", {said} {part[word]}" for word, said in words.items() if word in part)


def _default(part: Mapping[str, Any]) -> str:
    value = part.get("default")
    return "" if value in (None, "", {}, []) else f"`{_yaml(value)}`"


def _yaml(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
}
WORDS = {
    "x-bedplate-duration": "duration",
    "x-bedplate-calendar": "name of a calendar",
    "x-bedplate-tag": "name of a tag",
    "writeOnly": "secret",
}


# hooks, metrics, what is not served


def hooks() -> str:
    from bedplate import hookspecs

    parts = []
    for name, function in vars(hookspecs).items():
        if name.startswith("bedplate_"):
            arguments = ", ".join(inspect.signature(function).parameters)
            parts.append(
                f"## {name}\n\n    def {name}({arguments})\n\n{inspect.getdoc(function)}\n"
            )
    return "\n".join(parts)


class _Meter:
    """Hears what is registered."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []

    def create_observable_counter(
        self, name: str, callbacks: Any, unit: str, description: str
    ) -> None:
        self.rows.append((f"`{name}`", "counter", f"`{unit}`", description))

    def create_observable_gauge(
        self, name: str, callbacks: Any, unit: str, description: str
    ) -> None:
        self.rows.append((f"`{name}`", "gauge", f"`{unit}`", description))


def metrics() -> str:
    from bedplate.runtime.instruments import instruments
    from bedplate.server.figures import api_instruments

    meter: Any = _Meter()
    instruments(None, meter)  # type: ignore[arg-type]  # nothing is observed here
    api_instruments(dict, meter)
    return table(["name", "", "unit", ""], meter.rows)


def unserved() -> str:
    from bedplate.config.unserved import COMPONENT, DEPLOYMENT

    said = {
        "engine": "`engine` other than `embedded`",
        "placement": "`placement: remote`",
        "buffer.when_full": "`buffer.when_full: block`",
    }
    rows = [(said.get(word, f"`{word}`"), why) for word, _, why in DEPLOYMENT]
    rows += [(said.get(word, f"`{word}`") + " of a component", why) for word, _, why in COMPONENT]
    return table(["what the file asks for", ""], rows)


# checks of the conformance kit


def conformance() -> str:
    from bedplate.testing.conformance.catalogue import GROUPS, checks_of
    from bedplate.testing.conformance.profile import OfferProfile, Profile, TagEntry

    parts = []
    count = 0
    for group, module in GROUPS.items():
        rows = [
            (f"`{one.id}`", one.level, f"**{one.title}.** {one.why}", one.anchor)
            for one in checks_of(module)
        ]
        count += len(rows)
        parts.append(f"## {group}\n\n{table(['id', '', '', 'where'], rows)}")
    words = {"The whole file": Profile, "A tag": TagEntry}
    for title, model in words.items():
        shared = set(OfferProfile.model_fields) if model is Profile else set()
        fields = [
            (f"`{name}`", field.description or "", "also for one offer" if name in shared else "")
            for name, field in model.model_fields.items()
        ]
        parts.append(f"## conformance.toml: {title.lower()}\n\n{table(['', '', ''], fields)}")
    return f"{count} checks.\n\n" + "\n".join(parts)


PARTS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "plugins": plugins,
    "hooks": hooks,
    "metrics": metrics,
    "unserved": unserved,
    "contracts": contracts,
    "conformance": conformance,
}


def main() -> None:
    for page in pages_with_parts():
        text = page.read_text()
        if (written := fresh(text)) != text:
            page.write_text(written)
            print(page.relative_to(ROOT))


if __name__ == "__main__":
    main()
