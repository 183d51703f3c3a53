"""Debian's `age` as the peer: keys of age-keygen, files that it encrypts and decrypts."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def age() -> str:
    """Its program; skips at a desk without it."""
    found = shutil.which("age")
    if not found:
        if os.environ.get("CI"):
            pytest.fail("age is missing: run .make/peers")
        pytest.skip("age is missing: run .make/peers")
    return found


def keygen(file: Path) -> str:
    """A new identity in a file of its own; returns its recipient."""
    age()
    subprocess.run(["age-keygen", "-o", str(file)], check=True, capture_output=True)
    shown = subprocess.run(["age-keygen", "-y", str(file)], check=True, capture_output=True)
    return shown.stdout.decode().strip()


def encrypt(target: Path, content: bytes, recipient: str, *options: str) -> None:
    words = [age(), "-r", recipient, *options, "-o", str(target)]
    subprocess.run(words, input=content, check=True, capture_output=True)


def decrypt(file: Path, identity: Path) -> bytes:
    words = [age(), "-d", "-i", str(identity), str(file)]
    return subprocess.run(words, check=True, capture_output=True).stdout
