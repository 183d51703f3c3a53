"""[permissions] of a manifest: what a plugin says it needs, its form, and when a new version asks for more.

Rule: what is not declared is not had, and what nobody knows is refused. `$x` is the setting x of each of the plugin's
components, `$x.y` what stands as y in it, so that one manifest fits every machine without a wildcard. Who holds a
plugin to it, and how well, is told by bedplate.isolation; nothing is enforced here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bedplate.config.quantities import size
from bedplate.model.selector import compile_selector

MODEL = ConfigDict(extra="forbid", frozen=True)
MEMORY = "1GiB"  # of a plugin that does not say
MOST = 64  # entries of one list
_SETTING = r"\$[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?"
_WORD = re.compile(_SETTING, re.ASCII)
_HOST = rf"(?:{_SETTING}|\*|\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
_NETWORK = re.compile(rf"(tcp|udp):({_HOST}):({_SETTING}|\*|[0-9]{{1,5}})|{_SETTING}", re.ASCII)
_DEVICE = re.compile(rf"/dev/[A-Za-z0-9._*?/-]+|{_SETTING}", re.ASCII)
_LEAST_MEMORY = 64 << 20


def legible(text: str) -> str:
    if len(text) > 300 or not text.isprintable():
        raise ValueError("must be one line of at most 300 printable characters")
    return text


Line = Annotated[str, AfterValidator(legible)]


def _network(text: str) -> str:
    found = _NETWORK.fullmatch(text)
    if not found:
        raise ValueError(
            f"{text!r} must be tcp: or udp: and an address, such as tcp:$host:$port, or $x of a setting with a URL"
        )
    if found[3] and found[3].isdecimal() and not 0 < int(found[3]) < 65536:
        raise ValueError(f"{text!r} has no port from 1 to 65535")
    return text


def _file(text: str) -> str:
    path = text.removeprefix("read:")
    if _WORD.fullmatch(path):
        return text
    if "$" in path or not path or path.startswith("~"):
        raise ValueError(f"{text!r} must be a path, or $x alone for the setting x that names one")
    if ".." in path.split("/") or not path.strip("/."):
        raise ValueError(f"{text!r} must name a folder or a file, without ..")
    return text


def _device(text: str) -> str:
    if not _DEVICE.fullmatch(text) or ".." in text or text.startswith("/dev/*"):
        raise ValueError(f"{text!r} must be below /dev, such as /dev/ttyS*, or $x of a setting")
    return text


def _selector(text: str) -> str:
    try:
        compile_selector(text)
    except ValueError as error:
        raise ValueError(str(error)) from None
    return text


def _secret(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"{text!r} must be $x of the setting x that takes a secret")
    return text


def _memory(text: str) -> str:
    try:
        enough = size(text) >= _LEAST_MEMORY
    except ValueError as error:
        raise ValueError(f"{text!r} {error}") from None
    if not enough:
        raise ValueError(f"{text!r} is less than any plugin can start in; write 64MiB or more")
    return text


class TagPermissions(BaseModel):
    """[permissions.tags]: selectors over full paths. publish: what it may write, always within its own components ·
    subscribe: what a deployment may give it. Not said: whatever the deployment says."""

    model_config = MODEL

    publish: tuple[Annotated[Line, AfterValidator(_selector)], ...] | None = None
    subscribe: tuple[Annotated[Line, AfterValidator(_selector)], ...] | None = None


class Permissions(BaseModel):
    """network: tcp:host:port, udp:host:port (* for any), or $x of a setting with a URL · files: folders and files it
    writes, or only reads with `read:` in front; relative ones start beside the deployment file · devices: below /dev,
    with * · tags: which it may publish and be given · commands: whether it may be told to write to its machine ·
    secrets: $x of settings that may hold one; not said: each that takes one · memory: how much, 1GiB when not said ·
    cpu: how many cores, all when not said · subprocess: whether it starts other programs.
    """

    model_config = MODEL

    network: Annotated[
        tuple[Annotated[Line, AfterValidator(_network)], ...], Field(max_length=MOST)
    ] = ()
    files: Annotated[
        tuple[Annotated[Line, AfterValidator(_file)], ...], Field(max_length=MOST)
    ] = ()
    devices: Annotated[
        tuple[Annotated[Line, AfterValidator(_device)], ...], Field(max_length=MOST)
    ] = ()
    tags: TagPermissions = TagPermissions()
    commands: bool = False
    secrets: (
        Annotated[tuple[Annotated[Line, AfterValidator(_secret)], ...], Field(max_length=MOST)]
        | None
    ) = None
    memory: Annotated[str, AfterValidator(_memory)] | None = None
    cpu: Annotated[float, Field(ge=0.1, le=1024)] | None = None
    subprocess: bool = False

    def entries(self) -> Iterator[tuple[str, str]]:
        """(permission, what of it), one by one; "" for those that are only there or not."""
        lists: dict[str, Iterable[str]] = {
            "network": self.network,
            "files": self.files,
            "devices": self.devices,
            "tags.publish": self.tags.publish or (),
            "tags.subscribe": self.tags.subscribe or (),
            "secrets": self.secrets or (),
            "memory": [self.memory] if self.memory else (),
            "cpu": [f"{self.cpu:g}"] if self.cpu else (),
        }
        for name, entries in lists.items():
            yield from ((name, entry) for entry in entries)
        yield from ((name, "") for name in ("commands", "subprocess") if getattr(self, name))

    def words(self) -> tuple[str, ...]:
        """One line each, for people."""
        return tuple(f"{name} {entry}".rstrip() for name, entry in self.entries())

    def settings(self) -> set[str]:
        """The settings that `$x` and `$x.y` name."""
        told = " ".join((*self.network, *self.files, *self.devices, *(self.secrets or ())))
        return {found[1:].partition(".")[0] for found in _WORD.findall(told)}

    @property
    def memory_bytes(self) -> int:
        return size(self.memory or MEMORY)

    def may_receive(self, selector: str) -> bool:
        """Whether a deployment may give it what this selector names."""
        return self.tags.subscribe is None or covered(selector, self.tags.subscribe)

    def may_publish(self, path: str) -> bool:
        """Whether it may write this tag, if that is its own."""
        return self.tags.publish is None or covered(path, self.tags.publish)

    def may_hold(self, setting: str) -> bool:
        """Whether this setting may be a secret."""
        return self.secrets is None or f"${setting}" in self.secrets


def wider(old: Permissions, new: Permissions) -> list[str]:
    """What new asks for and old does not have, one line each for people; empty: the old grant is enough."""
    more = [
        f"{name} {entry}"
        for name, covers in _COVERS.items()
        for entry in getattr(new, name)
        if not any(covers(had, entry) for had in getattr(old, name))
    ]
    more += _more_tags("publish", old.tags.publish, new.tags.publish)
    more += _more_tags("subscribe", old.tags.subscribe, new.tags.subscribe)
    if old.secrets is not None:
        asked = ["(every setting that takes one)"] if new.secrets is None else new.secrets
        more += [f"secrets {entry}" for entry in asked if entry not in old.secrets]
    if new.memory_bytes > old.memory_bytes:
        more.append(f"memory {new.memory or MEMORY} instead of {old.memory or MEMORY}")
    if old.cpu and (new.cpu is None or new.cpu > old.cpu):
        more.append(f"cpu {f'{new.cpu:g}' if new.cpu else 'all'} instead of {old.cpu:g}")
    more += [w for w in ("commands", "subprocess") if getattr(new, w) and not getattr(old, w)]
    return more


def _more_tags(name: str, old: Sequence[str] | None, new: Sequence[str] | None) -> Iterable[str]:
    if old is None:
        return []
    return [
        f"tags.{name} {text}"
        for text in (("**",) if new is None else new)
        if not covered(text, old)
    ]


def _network_covers(had: str, asked: str) -> bool:
    a, b = _NETWORK.fullmatch(had), _NETWORK.fullmatch(asked)
    if had == asked or not (a and b and a[1]):
        return had == asked
    return a[1] == b[1] and a[2] in ("*", b[2]) and a[3] in ("*", b[3])


def _file_covers(had: str, asked: str) -> bool:
    if had.startswith("read:") and not asked.startswith("read:"):
        return False
    a, b = (text.removeprefix("read:").rstrip("/") for text in (had, asked))
    return a == b or (not a.startswith("$") and b.startswith(f"{a}/"))


def _device_covers(had: str, asked: str) -> bool:
    return had == asked or ("?" not in had + asked and covers(had, asked))


_COVERS: dict[str, Callable[[str, str], bool]] = {
    "network": _network_covers,
    "files": _file_covers,
    "devices": _device_covers,
}


def covered(selector: str, by: Iterable[str]) -> bool:
    """Whether one of these selectors matches every path that this one matches."""
    return any(covers(wide, selector) for wide in by)


def covers(wide: str, narrow: str) -> bool:
    """Whether every path that narrow matches is matched by wide. A path is a selector without stars. Never says yes
    wrongly; a yes that takes more than absorbing levels and characters one by one is a no."""
    return _absorbs(wide.split("/"), narrow.split("/"), "**", _level_covers)


def _level_covers(wide: str, narrow: str) -> bool:
    if narrow == "**":
        return False
    return _absorbs([*wide], [*narrow], "*", lambda a, b: a == b)


def _absorbs(
    wide: Sequence[str], narrow: Sequence[str], star: str, one: Callable[[str, str], bool]
) -> bool:
    """Stars of wide take any number of the parts of narrow, the others one each."""
    row = [not narrow[:n] for n in range(len(narrow) + 1)]
    for part in wide:
        before, row = row, [row[0] and part == star]
        for n, asked in enumerate(narrow, 1):
            took = row[-1] or before[n] if part == star else before[n - 1] and one(part, asked)
            row.append(took)
    return row[-1]
