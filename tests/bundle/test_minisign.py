"""Keys and signatures beside the program minisign: each reads what the other wrote."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate.bundle.minisign import (
    SignatureError,
    make_key,
    read_public,
    read_secret,
    read_signature,
    sign,
    verify,
)
from bedplate.errors import BedplateError


@pytest.fixture
def minisign() -> str:
    program = shutil.which("minisign")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("minisign is missing; .make/peers installs it")
        pytest.skip("minisign is not installed; .make/peers installs it")
    return program


def run(*words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, input=said, capture_output=True, text=True, check=False)


def test_minisign_verifies_what_we_sign(tmp_path: Path, minisign: str) -> None:
    key = make_key(os.urandom)
    content = tmp_path / "MANIFEST"
    content.write_bytes(b"abc\n" * 1000)
    (tmp_path / "k.pub").write_bytes(key.public.file())
    signed = sign(content.read_bytes(), key, "bedplate bundle acme 1.0")
    (tmp_path / "MANIFEST.minisig").write_bytes(signed.file())
    done = run(minisign, "-V", "-H", "-p", str(tmp_path / "k.pub"), "-m", str(content))
    assert done.returncode == 0, done.stderr
    assert "bedplate bundle acme 1.0" in done.stdout
    alone = run(minisign, "-V", "-P", key.public.text, "-m", str(content))
    assert alone.returncode == 0, alone.stderr
    content.write_bytes(b"abd\n" * 1000)
    assert run(minisign, "-V", "-p", str(tmp_path / "k.pub"), "-m", str(content)).returncode == 1


def test_we_verify_what_minisign_signs_with_its_own_open_key(tmp_path: Path, minisign: str) -> None:
    public, secret, content = tmp_path / "k.pub", tmp_path / "k.key", tmp_path / "MANIFEST"
    content.write_bytes(os.urandom(5000))
    made = run(minisign, "-G", "-W", "-p", str(public), "-s", str(secret))
    assert made.returncode == 0, made.stderr
    signed = run(minisign, "-S", "-W", "-s", str(secret), "-m", str(content), "-t", "from minisign")
    assert signed.returncode == 0, signed.stderr
    key = read_public(public.read_bytes(), "k.pub")
    signature = read_signature((tmp_path / "MANIFEST.minisig").read_bytes(), "MANIFEST.minisig")
    assert verify(content.read_bytes(), signature, key) == "from minisign"
    assert read_secret(secret.read_bytes(), "k.key", lambda: "").public == key
    with pytest.raises(SignatureError, match="changed after it was signed"):
        verify(content.read_bytes() + b"x", signature, key)


def test_minisign_signs_with_the_open_and_the_locked_key_that_we_made(
    tmp_path: Path, minisign: str
) -> None:
    key = make_key(os.urandom)
    content = tmp_path / "MANIFEST"
    content.write_bytes(b"abc")
    for password in ("", "correct horse"):
        (tmp_path / "k.key").write_bytes(key.file(password, os.urandom))
        (tmp_path / "k.key").chmod(0o600)
        words = (minisign, "-S", "-s", str(tmp_path / "k.key"), "-m", str(content))
        done = run(*words, said=f"{password}\n")
        assert done.returncode == 0, done.stderr
        made = (tmp_path / "MANIFEST.minisig").read_bytes()
        verify(b"abc", read_signature(made, "MANIFEST.minisig"), key.public)


def test_a_locked_key_opens_with_its_password_and_with_no_other() -> None:
    key = make_key(os.urandom)
    content = key.file("correct horse", os.urandom)
    assert read_secret(content, "k.key", lambda: "correct horse") == key
    with pytest.raises(SignatureError, match="password is wrong"):
        read_secret(content, "k.key", lambda: "battery staple")
    assert "seed" not in repr(key)


def test_a_changed_comment_or_another_key_is_refused() -> None:
    key, other = make_key(os.urandom), make_key(os.urandom)
    written = sign(b"abc", key, "acme 1.0").file()
    with pytest.raises(SignatureError, match="comment"):
        verify(b"abc", read_signature(written.replace(b"1.0", b"2.0"), "s"), key.public)
    with pytest.raises(SignatureError, match=other.public.name):
        verify(b"abc", read_signature(written, "s"), other.public)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 300), st.integers(1, 255))
def test_garbage_is_refused_in_words_and_a_flipped_byte_never_verifies(
    garbage: bytes, place: int, flip: int
) -> None:
    for read in (read_public, read_signature):
        with contextlib.suppress(SignatureError):
            read(garbage, "x")
    key = make_key(lambda size: bytes(range(size)))
    written = sign(b"abc", key, "acme").file()
    lines_before = len(written.split(b"\n")[0])  # the untrusted comment is nobody's word
    changed = bytearray(written)
    changed[place % len(written)] ^= flip
    if place % len(written) > lines_before:
        try:
            comment = verify(b"abc", read_signature(bytes(changed), "s"), key.public)
        except BedplateError:
            return
        # Base64 of the last bits and a line end of another system mean the same.
        assert comment == "acme"
