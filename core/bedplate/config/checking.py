"""JSON Schema over nodes: what is wrong, at which line, in plain words.

Stricter than the standard in one point: a schema of type object with properties and no word on others is closed, since
an unknown key is nearly always a misspelt one. Looser in two: `{secret: …}` fits where text is expected, and a hole
(HOLE: a parameter not filled yet) fits everywhere. Fetches nothing: a `$ref` to elsewhere is a broken schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from ipaddress import ip_address
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker, SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from bedplate.config.document import Node
from bedplate.config.problems import MAX_PROBLEMS, Problems, Subject, shown
from bedplate.config.quantities import duration, rate, size
from bedplate.config.secrets import reference_problem
from bedplate.config.wording import WRITE_A_REFERENCE, SecretReference, leaves, say
from bedplate.model.selector import compile_selector

HOLE = object()

_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?", re.ASCII)
_PASSWORD_IN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://[^/@\s:]*:[^/@\s]+@")

Errors = Iterator[ValidationError]


class _Text(str):
    """Text that knows its node and where to note it, so that a keyword can say where it met it."""

    __slots__ = ("node", "notes")
    node: Node
    notes: list[Reference]


@dataclass(frozen=True, slots=True)
class Reference:
    """A name met in settings. kind: "calendar", "tag", "selector" or "file" (a relative one)."""

    kind: str
    node: Node


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong, and the names met."""

    wrong: tuple[tuple[Node, str], ...] = ()
    references: tuple[Reference, ...] = ()

    @property
    def sound(self) -> bool:
        return not self.wrong

    def tell(self, problems: Problems, subject: Subject | None = None) -> bool:
        """Hands on what is wrong; True when nothing is."""
        for node, text in self.wrong:
            problems.add(node, text, subject)
        return not self.wrong


class Checker:
    """One schema, ready to check many nodes. secrets: whether `{secret: …}` stands for text. Raises ValueError when the
    schema itself is wrong."""

    def __init__(
        self, schema: Mapping[str, Any], problems: Problems, *, secrets: bool = False
    ) -> None:
        if broken := _broken(json.dumps(schema)):
            raise ValueError(broken)
        self._problems = problems
        self._secrets = secrets
        self._validator = _validators()(schema, registry=Registry())
        self._memo: dict[Node, Findings] = {}

    def check(self, node: Node, also: Iterable[str] = ()) -> Findings:
        """Checks a node, once: the same object gives the same findings. also: keys that exist beside the schema's,
        worth suggesting."""
        if node not in self._memo:
            notes: list[Reference] = []
            wrong = tuple(self._check(node, tuple(also), notes))
            self._memo[node] = Findings(wrong, tuple(dict.fromkeys(notes)))
        return self._memo[node]

    def _check(
        self, node: Node, also: tuple[str, ...], notes: list[Reference]
    ) -> Iterator[tuple[Node, str]]:
        yield from _careless(node) if self._secrets else ()
        try:
            whole = self._instance(node, notes)
            errors = list(islice(self._validator.iter_errors(whole), MAX_PROBLEMS))
        except (Unresolvable, RecursionError, re.error) as broken:
            yield node, f"can't be checked, the plugin's schema is broken ({type(broken).__name__})"
            return
        for error in (leaf for found in errors for leaf in leaves(found)):
            place = _place(node, error)
            text = say(error)
            if error.validator == "unknown":
                text += self._problems.nearest(place.key, (*error.validator_value, *also))
            yield place, text

    def _instance(self, node: Node, notes: list[Reference]) -> Any:
        """What the validator sees of a node."""
        value = node.value
        if isinstance(value, dict):
            if self._secrets and is_secret(node):
                return SecretReference()
            return {key: self._instance(child, notes) for key, child in value.items()}
        if isinstance(value, list):
            return [self._instance(child, notes) for child in value]
        if isinstance(value, str):
            text = _Text(value)
            text.node, text.notes = node, notes
            return text
        return value


def _careless(node: Node) -> Iterator[tuple[Node, str]]:
    """Secrets that stand in the file, and references that name nothing."""
    if is_secret(node):
        if problem := reference_problem(node.value["secret"].value, others=True):
            yield node, f"secret {problem}"
    elif isinstance(node.value, dict | list):
        for part in node.value.values() if isinstance(node.value, dict) else node.value:
            yield from _careless(part)
    elif isinstance(node.value, str) and _PASSWORD_IN_URL.match(node.value):
        yield (
            node,
            "a password stands in this address; use the plugin's own setting for it, with a reference",
        )


def is_secret(node: Node) -> bool:
    """Whether a node is `{secret: …}`."""
    return isinstance(node.value, dict) and [*node.value] == ["secret"]


def _place(node: Node, error: ValidationError) -> Node:
    for step in error.absolute_path:
        node = node.value[step]
    return node


def _is_text(_checker: Any, value: Any) -> bool:
    return isinstance(value, str | SecretReference)


_STRUCTURE = {"type", "$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if"}


def _lenient(keyword: str, function: Callable[..., Any]) -> Callable[..., Errors]:
    def check(validator: Any, wanted: Any, value: Any, schema: Any) -> Errors:
        if value is HOLE or (isinstance(value, SecretReference) and keyword not in _STRUCTURE):
            return
        yield from function(validator, wanted, value, schema) or ()

    return check


def _properties(validator: Any, wanted: Any, value: Any, schema: Any) -> Errors:
    yield from Draft202012Validator.VALIDATORS["properties"](validator, wanted, value, schema) or ()
    silent = not {"additionalProperties", "patternProperties", "unevaluatedProperties"} & set(
        schema
    )
    if silent and schema.get("type") == "object":
        yield from _unknown(value, schema)


def _additional(validator: Any, wanted: Any, value: Any, schema: Any) -> Errors:
    if wanted is False and not schema.get("patternProperties"):
        yield from _unknown(value, schema)
    else:
        yield from (
            Draft202012Validator.VALIDATORS["additionalProperties"](
                validator, wanted, value, schema
            )
            or ()
        )


def _unknown(value: Any, schema: Any) -> Errors:
    names = schema.get("properties", {})
    for key in value if isinstance(value, dict) else ():
        if key not in names:
            yield ValidationError(
                "unknown", validator="unknown", validator_value=[*names], path=[key]
            )


def _required(_validator: Any, wanted: Any, value: Any, _schema: Any) -> Errors:
    for name in wanted:
        if isinstance(value, dict) and name not in value:
            yield ValidationError(f"`{name}` is missing", validator="said")


def _unique(_validator: Any, wanted: Any, value: Any, _schema: Any) -> Errors:
    if wanted and isinstance(value, list) and len({repr(item) for item in value}) < len(value):
        yield ValidationError("names something twice", validator="said")


def _secret(_validator: Any, wanted: Any, value: Any, _schema: Any) -> Errors:
    if wanted and isinstance(value, str | int | float):
        yield ValidationError(WRITE_A_REFERENCE, validator="said")


def _form(parse: Callable[[Any], Any]) -> Callable[..., Errors]:
    def check(_validator: Any, wanted: Any, value: Any, _schema: Any) -> Errors:
        try:
            if wanted and value is not None:
                parse(value)
        except ValueError as error:
            yield ValidationError(f"{shown(value)} {error}", validator="form")

    return check


def _host(_validator: Any, wanted: Any, value: Any, _schema: Any) -> Errors:
    """A host, or the host of a URL."""
    if not wanted or not isinstance(value, str):
        return
    host = "" if "://" in value else str(value)
    try:
        host = (urlsplit(value).hostname or "") if "://" in value else host
        named = len(host) <= 253 and _HOST.fullmatch(host) and not re.fullmatch(r"[0-9.]+", host)
        if not named:
            ip_address(host)
    except ValueError:
        yield ValidationError(
            f"{shown(host)} is neither an IP address nor a host name", validator="form"
        )


def selector(text: Any) -> None:
    """Raises ValueError, whose text goes on from the value, when a text is no selector."""
    if (
        not isinstance(text, str)
        or len(text) > 512
        or re.search(r"[?\[\]{}#+$\x00-\x1f\x7f]", text)
    ):
        raise ValueError("is no selector; * stands for one level, ** for any number")
    try:
        compile_selector(text)
    except ValueError:
        raise ValueError(
            "is no selector: no level may be empty, and ** stands alone between slashes"
        ) from None


def _noting(kind: str, check: Callable[..., Errors] | None = None) -> Callable[..., Errors]:
    """A keyword that notes where it met a name."""

    def note(validator: Any, wanted: Any, value: Any, schema: Any) -> Errors:
        if wanted and isinstance(value, _Text):
            value.notes.append(Reference(kind, value.node))
        return check(validator, wanted, value, schema) if check else iter(())

    return note


def _format(validator: Any, wanted: Any, value: Any, schema: Any) -> Errors:
    if wanted in ("path", "file-path", "directory-path") and isinstance(value, _Text):
        value.notes.append(Reference("file", value.node))
    yield from Draft202012Validator.VALIDATORS["format"](validator, wanted, value, schema) or ()


_KEYWORDS: dict[str, Callable[..., Any]] = {
    "format": _format,
    "x-bedplate-calendar": _noting("calendar"),
    "x-bedplate-tag": _noting("tag"),
    "x-bedplate-selector": _noting("selector", _form(selector)),
    "properties": _properties,
    "additionalProperties": _additional,
    "required": _required,
    "uniqueItems": _unique,
    "writeOnly": _secret,
    "x-bedplate-secret": _secret,
    "x-bedplate-duration": _form(duration),
    "x-bedplate-size": _form(size),
    "x-bedplate-rate": _form(rate),
    "x-bedplate-host": _host,
}


@lru_cache(maxsize=256)
def _broken(schema: str) -> str:
    """What is wrong with a schema; empty when nothing is."""
    try:
        Draft202012Validator.check_schema(json.loads(schema))
    except SchemaError as error:
        return f"{'/'.join(map(str, error.absolute_path))}: {error.message[:120]}"
    return ""


@cache
def _validators() -> Any:
    """The class of our validators: the standard's, with the keywords above."""
    keywords = Draft202012Validator.VALIDATORS | _KEYWORDS
    formats = FormatChecker(["ipv4", "ipv6", "date", "uuid", "email"])
    strict: Any = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator,
        {name: _lenient(name, function) for name, function in keywords.items()},
        type_checker=Draft202012Validator.TYPE_CHECKER.redefine("string", _is_text),
    )
    return partial(strict, format_checker=formats)
