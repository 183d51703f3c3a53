"""Quality: names and numbers of OPC UA, and masks over them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate.model import quality

PEER = Path(__file__).parents[1] / "peers/node_modules/node-opcua-status-code"
ASK = (
    "const { StatusCodes } = require(process.argv[1]);"
    "console.log(JSON.stringify(Object.fromEntries("
    "Object.keys(StatusCodes).map((name) => [name, StatusCodes[name].value >>> 0]))))"
)


def test_codes_are_those_of_node_opcua() -> None:
    if not (node := shutil.which("node")) or not PEER.exists():
        if os.environ.get("CI"):
            pytest.fail("node-opcua-status-code is not installed; run .make/peers", pytrace=False)
        pytest.skip("node-opcua-status-code is not installed; run .make/peers")
    answer = subprocess.run([node, "-e", ASK, PEER], capture_output=True, check=True, timeout=60)
    theirs = json.loads(answer.stdout)

    assert {name: theirs.get(name) for name in quality.CODES} == quality.CODES


def test_no_two_codes_share_a_name_or_a_number() -> None:
    assert len(quality.CODES) == len(quality.NAMES)
    assert not any(code & 0xFFFF for code in quality.NAMES)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_severity_is_in_the_two_top_bits_and_nothing_else_matters(code: int) -> None:
    severity = code >> 30

    assert quality.is_good(code) == (severity == 0)
    assert quality.is_bad(code) == (severity in (2, 3))
    prefixes = {0: "Good", 1: "Uncertain", 2: "Bad", 3: "Bad"}
    assert quality.name(code).startswith(prefixes[severity])


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20))
@settings(deadline=None)
def test_the_mask_says_of_each_what_is_good_says_of_one(codes: list[int]) -> None:
    mask = quality.good_mask(np.array(codes, np.uint32))

    assert mask.dtype == bool
    assert mask.tolist() == [quality.is_good(code) for code in codes]


def test_overflow_leaves_the_name_and_the_severity() -> None:
    code = quality.CODES["UncertainSensorNotAccurate"] | quality.OVERFLOW

    assert quality.name(code) == "UncertainSensorNotAccurate"
    assert quality.is_good(quality.OVERFLOW)


def test_an_unknown_code_shows_its_number() -> None:
    assert quality.name(0x80FF0000) == "Bad(0x80FF0000)"
