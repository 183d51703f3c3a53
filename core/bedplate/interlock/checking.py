"""What `bedplate check` finds in an interlock: words that are no tag and no label, and comparisons that never hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from bedplate.interlock.syntax import Comparison, Constant, Not, Operand, Tree, Word, tree
from bedplate.interlock.tokens import BadInterlock, Fault, bad, said

NUMBERS = "number"
_KINDS = {"bool": "bool", "boolean": "bool", "bit": "bool", "text": "text", "string": "text"}


def problems(
    text: str, names: Mapping[str, str], states: Mapping[str, Mapping[int, str]]
) -> list[Fault]:
    """Everything wrong with an interlock; none: it can be used. names: of the tags of the same asset → their data type
    ("bool", "float64", "uint16" …, "" where the file does not say) · states: name → its labels by number."""
    try:
        whole = tree(text)
    except BadInterlock as error:
        return [error.fault]
    checking = _Checking(text, names, states)
    return [checking.fault(at, why) for at, why in checking.wrong(whole)]


def parse(text: str, names: Mapping[str, str], states: Mapping[str, Mapping[int, str]]) -> Tree:
    """The tree of an interlock that can be used. Raises BadInterlock with the first problem."""
    whole = tree(text)
    checking = _Checking(text, names, states)
    for at, why in checking.wrong(whole):
        raise bad(text, at, why)
    return whole


class _Checking:
    def __init__(
        self, text: str, names: Mapping[str, str], states: Mapping[str, Mapping[int, str]]
    ) -> None:
        self._text, self._names, self._states = text, names, states

    def fault(self, at: int, why: str) -> Fault:
        return bad(self._text, at, why).fault

    def wrong(self, part: Tree) -> Iterator[tuple[int, str]]:
        """(offset, what is wrong) from left to right."""
        match part:
            case Word():
                yield from self._condition(part)
            case Constant():
                if not isinstance(part.value, bool):
                    yield part.at, "a number is no condition"
            case Comparison():
                yield from self._comparison(part)
            case Not():
                yield from self.wrong(part.part)
            case _:
                for one in part.parts:
                    yield from self.wrong(one)

    def _condition(self, word: Word) -> Iterator[tuple[int, str]]:
        if word.text not in self._names:
            yield word.at, self._unknown(word.text, self._names)
        elif self._kind(word) == NUMBERS:
            yield word.at, f"{word.text} is a number: compare it, as in {word.text} > 0"
        elif self._kind(word) == "text":
            yield word.at, f'{word.text} is a text: compare it, as in {word.text} == "…"'

    def _comparison(self, part: Comparison) -> Iterator[tuple[int, str]]:
        pairs = ((part.left, part.right), (part.right, part.left))
        if not any(self._is_tag(one) for one, _ in pairs):
            words = [one for one, _ in pairs if isinstance(one, Word)]
            yield (
                (words[0].at, self._unknown(words[0].text, self._names))
                if words
                else (
                    part.at,
                    "compares no tag",
                )
            )
            return
        wrong = [
            found
            for one, other in pairs
            if isinstance(one, Word) and isinstance(other, Word) and self._is_tag(other)
            for found in self._word(one, other, part.sign)
        ]
        yield from wrong or self._kinds(part)

    def _kinds(self, part: Comparison) -> Iterator[tuple[int, str]]:
        """What of two kinds can never hold."""
        kinds = {kind for one in (part.left, part.right) if (kind := self._kind(one))}
        if len(kinds) > 1:
            yield part.at, f"compares a {' with a '.join(sorted(kinds))}: that never holds"
        elif kinds & {"bool", "text"} and part.sign not in ("==", "!="):
            yield part.at, f"a {kinds.pop()} is neither less nor more: write == or !="

    def _word(self, word: Word, tag: Word, sign: str) -> Iterator[tuple[int, str]]:
        """A word that is compared with a tag: a tag itself, a label of that tag, or a text."""
        labels = set(self._states.get(tag.text, {}).values())
        if word.text in self._names:
            if word.text in labels:
                text = (
                    f"{word.text} is a tag and a label of {tag.text}: write the number of the label"
                )
                yield word.at, text
        elif word.text not in labels:
            if labels or not (word.quoted and self._kind(tag) in ("", "text")):
                yield word.at, self._unknown(word.text, labels or self._names)
        elif sign not in ("==", "!="):
            yield word.at, f"{word.text} is a label: write == or !="

    def _is_tag(self, operand: Operand) -> bool:
        return isinstance(operand, Word) and operand.text in self._names

    def _kind(self, operand: Operand) -> str:
        """bool, number or text, as far as the file says; "" where it does not, and for a label."""
        if isinstance(operand, Constant):
            return "bool" if isinstance(operand.value, bool) else NUMBERS
        written = self._names.get(operand.text, "").lower()
        if operand.text in self._states:
            return NUMBERS
        return _KINDS.get(written, NUMBERS if written[:3] in ("int", "uin", "flo") else "")

    def _unknown(self, word: str, there: Mapping[str, str] | set[str]) -> str:
        near = get_close_matches(word, [*there], 1)
        known = ", ".join(sorted(there)[:6])
        hint = f"did you mean {near[0]}?" if near else f"there are {known}" if known else ""
        what = "tag of this asset" if there is self._names else "label of this tag"
        return f"{said(word)} is no {what}{f'; {hint}' if hint else ''}"
