"""R14: whatever the bytes, a file is a Deployment or a ConfigError whose problems have lines; and never slowly."""

from __future__ import annotations

import copy
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from tests.config.plant import PLANTS, berlin, load_text, table

from bedplate.config import Deployment, document, unserved
from bedplate.errors import ConfigError

ROUNDS = 5_000
SEED = int(os.environ.get("BEDPLATE_SEED", "20260901"))

# Everything the grammar knows, small enough to read five thousand of them within a minute.
SMALL = (PLANTS / "small.yaml").read_bytes()
TABLES = {
    "presses.csv": "name,host,line,max\npress-1,10.0.0.1,line1,60\npress-2,10.0.0.2,line2,\n",
    "meters.csv": table("meters.csv").decode(),
}

PIECES = [
    b"NO", b"0123", b"1_000", b"12:30:00", b"$", b"$$", b"$host", b"$nobody", b"&a", b"*a", b"<<", b"!!int 3", b"!x",
    b"{", b"}", b"[", b"]", b":", b": ", b"- ", b"? ", b"#", b"'", b'"', b"|", b">", b"%", b"@", b"`", b"~", b"null",
    b"---\n", b"...\n", b"%YAML 1.1\n", b"\t", b"\r", b"\x00", b"\x1b", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf",
    "\u2028".encode(), "\u202e".encode(), "e\u0301".encode(), b'"\\ud800"', b'"\\U00110000"', b'"\\x00"', b".inf",
    b".nan", b"1e999", b"9" * 30, b"-1", b"true", b"{secret: x}", b'{secret: "env:X"}', b"{secret: [1]}", b"**",
    b"a//b", b"../x",
    b"presses.csv", b"type", b"each", b"use", b"tags", b"250", b"1s", b"always", b"\n\n", b"   ",
]  # fmt: skip
LARGE = [
    b"a" * (1 << 20),
    b'"' + b"x" * (1 << 19) + b'"',
    b"[" * (1 << 16),
    b"{a: " * (1 << 14),
    b"- " * (1 << 15),
]


def flip(r: random.Random, data: bytes) -> bytes:
    at = r.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << r.randrange(8)]) + data[at + 1 :]


def delete(r: random.Random, data: bytes) -> bytes:
    at = r.randrange(len(data))
    return data[:at] + data[at + r.choice([1, 1, 1, 5, 80, 2000]) :]


def insert(r: random.Random, data: bytes) -> bytes:
    at = r.randrange(len(data))
    return data[:at] + r.choice(PIECES) + data[at:]


def replace_word(r: random.Random, data: bytes) -> bytes:
    """Swaps a whole word: wrong types and names more than broken syntax."""
    words = data.split(b" ")
    at = r.randrange(len(words))
    words[at] = r.choice([*PIECES, *words])
    return b" ".join(words)


def lines(r: random.Random, data: bytes) -> bytes:
    """Doubles, drops, swaps or indents lines."""
    parts = data.split(b"\n")
    a, b = r.randrange(len(parts)), r.randrange(len(parts))
    match r.randrange(4):
        case 0:
            parts.insert(b, parts[a])
        case 1:
            del parts[a]
        case 2:
            parts[a], parts[b] = parts[b], parts[a]
        case _:
            parts[a] = b" " * r.randrange(1, 5) + parts[a]
    return b"\n".join(parts)


def cut(r: random.Random, data: bytes) -> bytes:
    return data[: r.randrange(len(data))]


def large(r: random.Random, data: bytes) -> bytes:
    at = r.randrange(len(data))
    return data[:at] + r.choice(LARGE) + data[at:]


MUTATIONS: list[Callable[[random.Random, bytes], bytes]] = [
    *[flip] * 3, *[delete] * 3, *[insert] * 5, *[replace_word] * 8, *[lines] * 4, cut,
]  # fmt: skip


VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 1e300, 0.001, 2**63, "", "x", "$", "$$", "$host", "$name", "$nobody", "NO", "0123",
    "1s", "a/b", "**", "**x", "x" * 200, "e\u0301", "\n", "\x00", "\u202e", [], {}, [1, 2], [2, 1], ["**"], [[]],
    {"": 1}, {"secret": "env:X"}, {"secret": 1}, {"secret": "hunter2"}, {"a": {"b": {"c": {}}}}, "press",
    "press-1", "day", "env:X", "opcua", "oee", "always",
]  # fmt: skip


def containers(value: Any) -> Iterator[Any]:
    """Every mapping and list that is not empty, the outer first."""
    if isinstance(value, dict | list) and value:
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from containers(part)


@cache
def tree_of(data: bytes) -> Any:
    root, _ = document.read(data, "plant.yaml")
    assert root is not None
    return root.plain()


def rebuilt(r: random.Random, data: bytes) -> bytes:
    """The same file with other values at right places and right ones at others; well-formed, as JSON."""
    tree = copy.deepcopy(tree_of(data))
    for _ in range(r.choice([1, 1, 2, 4])):
        places = [*containers(tree)]
        place, other = r.choice(places), r.choice(places)
        keys, others = ([*c] if isinstance(c, dict) else [*range(len(c))] for c in (place, other))
        key, elsewhere = r.choice(keys), copy.deepcopy(other[r.choice(others)])
        match r.randrange(5):
            case 0:
                del place[key]
            case 1:
                place[key] = elsewhere
            case 2 if isinstance(place, dict):
                place[
                    r.choice([key[:-1], key + "x", key[::-1], "name", "tags", r.choice(keys)])
                ] = place.pop(key)
            case 3:
                place[key] = [place[key]]
            case _:
                place[key] = r.choice(VALUES)
    return json.dumps(tree, indent=1, ensure_ascii=r.random() < 0.5).encode()


def mutated(r: random.Random, data: bytes) -> bytes:
    if b"bedplate: 1" in data and r.random() < 0.5:
        return rebuilt(r, data)
    for _ in range(r.choice([1, 1, 1, 2, 3, 8])):
        data = r.choice(MUTATIONS)(r, data) or b"x"
    return large(r, data) if r.random() < 0.002 else data


def read(data: bytes, tables: dict[str, str]) -> Deployment | ConfigError:
    try:
        return load_text(data, tables)
    except ConfigError as error:
        return error


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.case("A41", "A42")
def test_five_thousand_mutated_files_are_deployments_or_problems_with_a_line() -> None:
    print(f"seed {SEED}; set BEDPLATE_SEED to try another")
    good, slowest = 0, 0.0
    for number in range(ROUNDS):
        r = random.Random(SEED * ROUNDS + number)
        whole = number % 100 == 0
        data = mutated(r, berlin() if whole else SMALL)
        tables = (
            {"presses.csv": table("presses.csv").decode(), "meters.csv": TABLES["meters.csv"]}
            if whole
            else TABLES
        )
        if r.random() < 0.2:
            name = r.choice([*tables])
            tables = tables | {
                name: mutated(r, tables[name].encode()).decode("utf-8", "surrogateescape")
            }
        start = time.monotonic()
        found = read(data, tables)
        slowest = max(slowest, time.monotonic() - start)
        if isinstance(found, Deployment):
            good += 1
            unserved(found)
            [component.hash() for component in found.components]
            continue
        assert found.problems, number
        for problem in found.problems:
            whole_file = "larger than" in problem.text or problem.text == "empty"
            assert problem.line > 0 or whole_file, (number, problem)
            assert problem.text.isprintable(), (number, problem)
            assert problem.path.isprintable(), (number, problem)
            assert len(str(problem)) < 3_000, (number, problem)
        assert list(found.problems) == sorted(found.problems)
    print(f"{good} of {ROUNDS} were still deployments; the slowest took {slowest:.2f} s")
    assert 0 < good < ROUNDS
    assert slowest < 20
