"""bedplate-plugin.toml: what a plugin says of itself, read before any of its code runs.

Owns the form of the file and the words for what is wrong with it. The API fence comes before everything else, so that
a plugin of another time is told its real trouble and not of keys this version does not know. Name and version are the
wheel's. What permissions mean: permissions.py; what holds a plugin to them: bedplate.isolation.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bedplate.admission.permissions import Line, Permissions, TagPermissions
from bedplate.contracts import CAPABILITIES, SECURITY_CAPABILITIES
from bedplate.errors import AdmissionError
from bedplate.version import SERVED, __version__

NAME = "bedplate-plugin.toml"
MAX_BYTES = 64 * 1024
_USE = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")
_VERSION = re.compile(r"[0-9A-Za-z]+(?:[.+_-][0-9A-Za-z]+)*", re.ASCII)
_TARGET = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
MAY = {"connector": CAPABILITIES, "security": SECURITY_CAPABILITIES}
_MODEL = ConfigDict(extra="forbid", frozen=True)


def _use(name: str) -> str:
    if len(name) > 64 or not _USE.fullmatch(name):
        raise ValueError(
            f"{name!r} must be lower-case letters, digits, - and _, such as acme-press"
        )
    return name


def _name(text: str) -> str:
    if len(text) > 64 or not _NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} must be lower-case letters, digits, ., - and _, such as acme-press"
        )
    return text


def _version(text: str) -> str:
    if len(text) > 64 or not _VERSION.fullmatch(text):
        raise ValueError(f"{text!r} must be a version, such as 1.4.0")
    return text


def _target(text: str) -> str:
    if not _TARGET.fullmatch(text):
        raise ValueError(f"{text!r} must name a module and a class, such as bedplate_acme:Press")
    return text


class OfferEntry(BaseModel):
    """[[offer]]: one name that `use:` may take. class: "module:Class", by default what the entry point names ·
    idempotent: of a sink, that a record which comes twice counts once there · lanes: of a sink, that it keeps
    apart what is delivered as backlog, so that newer records may come before."""

    model_config = _MODEL

    use: Annotated[str, AfterValidator(_use)]
    kind: Literal["connector", "analytic", "security"]
    capabilities: tuple[
        Literal[
            "read",
            "subscribe",
            "write",
            "browse",
            "deliver",
            "query",
            "read_history",
            "authenticate",
        ],
        ...,
    ] = ()
    replay: Literal["none", "session", "cursor"] = "none"
    idempotent: bool = False
    lanes: bool = False
    target: Annotated[str, AfterValidator(_target)] | None = Field(None, alias="class")


class Run(BaseModel):
    """[run]: what starts a plugin folder that is no Python. command: a program and its words; `./` is the folder."""

    model_config = _MODEL

    command: Annotated[tuple[Line, ...], Field(min_length=1, max_length=100)]


class Manifest(BaseModel):
    """The whole file. requires_api: a range over bedplate.API with an upper end · support: whom to ask, in words ·
    name, version, run: of a plugin folder alone."""

    model_config = _MODEL

    manifest: Literal[1]
    requires_api: str
    name: Annotated[str, AfterValidator(_name)] | None = None
    version: Annotated[str, AfterValidator(_version)] | None = None
    support: Line = ""
    run: Run | None = None
    offer: tuple[OfferEntry, ...]
    permissions: Permissions = Permissions()


def parse(content: bytes, file: str) -> Manifest:
    """The manifest in these bytes. file: how to call it.

    Raises AdmissionError: all that is wrong with it, each with its key, or that it is for another API.
    """
    raw = _toml(content, file)
    if problem := _form(raw) or fence(raw["requires_api"]):
        raise AdmissionError(f"{file}: {problem}")
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        raise AdmissionError(f"{file}: {'; '.join(wording(error))}") from None
    if problem := "; ".join((*_contradictions(manifest.offer), *_two_ways(manifest))):
        raise AdmissionError(f"{file}: {problem}")
    return manifest


def claims(content: bytes) -> tuple[str, ...]:
    """The names that a manifest claims, however broken it is otherwise."""
    try:
        raw = _toml(content, "")
    except AdmissionError:
        return ()
    offers = raw.get("offer")
    names = (
        [offer.get("use") for offer in offers if isinstance(offer, dict)]
        if isinstance(offers, list)
        else []
    )
    return tuple(name for name in names if isinstance(name, str) and _USE.fullmatch(name))


def identity(content: bytes) -> tuple[str, str]:
    """The name and version that a manifest gives itself, "" for what is missing, however broken it is otherwise."""
    try:
        raw = _toml(content, "")
    except AdmissionError:
        return "", ""
    name, version = raw.get("name"), raw.get("version")
    return (
        name if isinstance(name, str) and _NAME.fullmatch(name) else "",
        version if isinstance(version, str) and _VERSION.fullmatch(version) else "",
    )


def fence(requires: str, served: Sequence[str] = SERVED) -> str:
    """Why a plugin that requires these versions of the API can't run here; empty when it can. served: versions of the
    API, the present one first, then the last of each older major that has an adapter."""
    try:
        wanted = SpecifierSet(requires)
    except InvalidSpecifier:
        return f'requires_api: {requires!r} is no range of versions; write one such as ">=1,<2"'
    if wanted.contains("999999", prereleases=True):
        return f'requires_api: {requires!r} has no upper end; write one such as ">=1,<2"'
    if any(wanted.contains(api, prereleases=True) for api in served):
        return ""
    newer = any(_floor(one.operator, one.version) > Version(served[0]) for one in wanted)
    cure = (
        "install a newer Bedplate, or an older version of this plugin"
        if newer
        else "install a newer version of this plugin"
    )
    return (
        f"requires_api: it is made for Bedplate API {requires}, and Bedplate {__version__} serves API"
        f" {_ranges(served)}: {cure}"
    )


def _ranges(served: Sequence[str]) -> str:
    """("2.3", "1.7") → "2 up to 2.3 and 1 up to 1.7"."""
    return " and ".join(f"{Version(api).major} up to {api}" for api in served)


def wording(error: ValidationError) -> Iterator[str]:
    """What pydantic found, in our words, each with its key."""
    for found in error.errors(include_url=False):
        yield f"{_place(found['loc'])}{_say(found, error.title)}"


def _toml(content: bytes, file: str) -> dict[str, Any]:
    if len(content) > MAX_BYTES:
        raise AdmissionError(f"{file}: larger than {MAX_BYTES >> 10} KiB")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise AdmissionError(f"{file}: is no text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise AdmissionError(f"{file}: is no TOML: {error}") from None
    except RecursionError:
        raise AdmissionError(f"{file}: is nested too deeply") from None


def _form(raw: Mapping[str, Any]) -> str:
    """What must be right before the rest has a meaning."""
    form = raw.get("manifest")
    if type(form) is not int:
        return "manifest: must say the form of this file; write manifest = 1"
    if form != 1:
        return f"manifest: is of form {form}, and Bedplate {__version__} reads form 1: install a newer Bedplate"
    if not isinstance(raw.get("requires_api"), str):
        return (
            'requires_api: is missing; write a range over the API, such as requires_api = ">=1,<2"'
        )
    return ""


def _floor(operator: str, version: str) -> Version:
    """The least version a clause admits; 0 when it has no lower end."""
    try:
        return (
            Version(version.removesuffix(".*"))
            if operator in (">=", ">", "~=", "==")
            else Version("0")
        )
    except InvalidVersion:
        return Version("0")


def _contradictions(offers: Sequence[OfferEntry]) -> Iterator[str]:
    seen: set[str] = set()
    if not offers:
        yield "offer: there is none"
    for offer in offers:
        where = f"[[offer]] {offer.use}"
        if offer.use in seen:
            yield f"{where}: is offered twice"
        seen.add(offer.use)
        if offer.kind == "connector" and not offer.capabilities:
            yield f"{where}, capabilities: a connector needs at least one of {', '.join(CAPABILITIES)}"
        if unknown := [name for name in offer.capabilities if name not in MAY.get(offer.kind, ())]:
            yield f"{where}, capabilities: {', '.join(unknown)} is nothing that offers of kind {offer.kind} can do"
        if (offer.idempotent or offer.lanes) and "deliver" not in offer.capabilities:
            word = "idempotent" if offer.idempotent else "lanes"
            yield f"{where}, {word}: only for what can deliver, which gets records"


def _two_ways(manifest: Manifest) -> Iterator[str]:
    for offer in manifest.offer:
        if manifest.run and offer.target:
            yield (
                f"[[offer]] {offer.use}, class: [run] starts this plugin, so it names no class;"
                " leave out one of them"
            )


def _place(location: tuple[int | str, ...]) -> str:
    """("offer", 1, "kind") → "[[offer]] 2, kind: "."""
    words: list[str] = []
    for step in location:
        if isinstance(step, int) and words:
            words[-1] = (
                f"[[{words[-1]}]] {step + 1}" if words[-1] == "offer" else f"{words[-1]} {step + 1}"
            )
        else:
            words.append(str(step))
    return ", ".join(words) + ": " if words else ""


def _say(found: Mapping[str, Any], model: str) -> str:
    value = found.get("input")
    match found["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            near = difflib.get_close_matches(str(found["loc"][-1]), _KEYS, 1, 0.6)
            return "unknown" + (f"; did you mean `{near[0]}`?" if near else "")
        case "literal_error":
            return f"{value!r} is none of {found['ctx']['expected'].replace(chr(39), '').replace(' or ', ', ')}"
        case "value_error":
            return str(found["ctx"]["error"])
    text: str = found["msg"]
    return text[:1].lower() + text[1:]


_KEYS = (
    *Manifest.model_fields,
    *Permissions.model_fields,
    "command",
    *TagPermissions.model_fields,
    "use",
    "kind",
    "capabilities",
    "replay",
    "idempotent",
    "lanes",
    "class",
)
