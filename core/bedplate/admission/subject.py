"""What an operator is asked to trust: a plugin as it is now, with all that should be known before saying yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from bedplate.admission.artefact import Artefact, compile_installed, damage, of_file
from bedplate.admission.candidate import Candidate
from bedplate.admission.folder import of_folder
from bedplate.admission.guard import artefact_of
from bedplate.admission.permissions import Permissions
from bedplate.admission.placing import apart
from bedplate.errors import AdmissionError

FILE_VERSION = "file {}"  # as survey calls a single file's version


@dataclass(frozen=True, slots=True)
class Subject:
    """word: how to name it to a command · notes: what a person should know besides · inline: whether it could be placed
    inside the kernel."""

    word: str
    name: str
    version: str
    permissions: Permissions
    artefact: Artefact
    notes: tuple[str, ...] = ()
    inline: bool = True


def subject_of(word: str, installed: Callable[[], tuple[Candidate, ...]]) -> Subject:
    """A Python file, a plugin folder, or the name of an installed plugin or of what it offers. Runs nothing of it.

    Raises AdmissionError when there is no such plugin, or it is refused for another reason, or it is damaged.
    """
    place = Path(word)
    if place.suffix == ".py" and place.is_file():
        return _single(word, place.absolute())
    if place.is_dir():
        return _of(word, _one(word, of_folder(place.absolute())))
    wanted = [c for c in installed() if _is(c, word)]
    return _of(word, _one(word, tuple(wanted)))


def _is(candidate: Candidate, word: str) -> bool:
    same = canonicalize_name(candidate.distribution) == canonicalize_name(word)
    return same or word in candidate.uses or candidate.name == word


def _one(word: str, found: tuple[Candidate, ...]) -> Candidate:
    """Of several entry points of one distribution any: they are trusted together."""
    sound = [c for c in found if c.usable]
    if not sound:
        why = found[0].reason if found else "`bedplate plugins` lists those that there are"
        raise AdmissionError(f"{word}: {why}" if found else f"there is no plugin {word}; {why}")
    if len({(c.distribution, c.version, c.place) for c in sound}) > 1:
        names = ", ".join(sorted({f"{c.distribution} {c.version}" for c in sound}))
        raise AdmissionError(f"{word} may be {names}; name one of them")
    return sound[0]


def _of(word: str, candidate: Candidate) -> Subject:
    offer = candidate.offers[0]
    modules = (offer.target.partition(":")[0],)
    if not (offer.file or offer.folder):
        compile_installed(modules)
    artefact = artefact_of(offer)
    if not artefact.copied and (wrong := damage(offer.plugin)):
        raise AdmissionError(f"{offer.plugin}: {'; '.join(wrong[:3])}: install it again")
    notes = tuple(_notes(artefact))
    return Subject(
        word, offer.plugin, offer.version, offer.permissions, artefact, notes, not apart(offer)
    )


def _single(word: str, file: Path) -> Subject:
    artefact = of_file(file)
    (sha,) = artefact.measure().values()
    return Subject(word, file.name, FILE_VERSION.format(sha[:8]), Permissions(), artefact)


def _notes(artefact: Artefact) -> Iterator[str]:
    starters = [name for name in artefact.files if name.endswith(".pth")]
    if artefact.copied and starters:
        yield f"{starters[0]} takes effect whenever its Python starts"
    outside = [p for p in artefact.files.values() if not p.is_relative_to(artefact.root)]
    if not artefact.copied and outside:
        yield f"it is installed from a folder that is worked in, {outside[0].parent}: every change there ends the trust"
    elif not artefact.copied:
        yield "it runs where it is installed, beside the kernel; what it depends on there is trusted with the kernel"
