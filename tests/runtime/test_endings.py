"""What is said of a process that ended is enough for the author of its plugin, whatever its language."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest
from tests.runtime.plant import OFFERS, RigOffer, plant, state, until

from bedplate.remote.kinds import DO_NOT_RETRY
from bedplate.runtime.ending import evidence, sentence, telling
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.lifecycle import Transition

NODE = """node:internal/modules/cjs/loader:1210
  throw err;
  ^

Error: Cannot find module '@grpc/grpc-js'
Require stack:
- /plugins/press/plugin.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1207:15) {
  code: 'MODULE_NOT_FOUND',
}

Node.js v20.20.2"""
GO = """panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.main()
\t/src/main.go:8 +0x1d
exit status 2"""
RUST = """thread 'main' panicked at src/main.rs:4:5:
index out of bounds
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: no press
\tat Press.main(Press.java:5)"""
PYTHON = """Traceback (most recent call last):
  File "press.py", line 3, in <module>
    import snap7
ModuleNotFoundError: No module named 'snap7'
"""
LOADER = "./press: error while loading shared libraries: libsnap7.so.1: cannot open shared object"


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (NODE, "Error: Cannot find module '@grpc/grpc-js'"),
        (GO, "panic: runtime error: index out of range [3] with length 3"),
        (RUST, "thread 'main' panicked at src/main.rs:4:5:"),
        (JAVA, 'Exception in thread "main" java.lang.IllegalStateException: no press'),
        (PYTHON, "ModuleNotFoundError: No module named 'snap7'"),
        (LOADER, LOADER),
        ("connecting\nno licence left\n\n", "no licence left"),
        ("TypeError: old\n" + "reading\n" * 100, "reading"),
        ("what matters\n… 5,000 bytes of output left out so far", "what matters"),
        ("", ""),
    ],
)
def test_the_line_that_says_why_is_found_in_many_languages(output: str, line: str) -> None:
    assert telling(output.split("\n")) == line


@pytest.mark.parametrize(
    ("code", "attached", "words"),
    [
        (3, True, "process of press ended with exit code 3: no licence"),
        (1, False, "process of press ended with exit code 1 before it attached: no licence"),
        (
            DO_NOT_RETRY,
            False,
            "process of press ended with exit code 78 before it attached; it is not tried again as things are: "
            "no licence",
        ),
        (
            -signal.SIGSEGV,
            True,
            "process of press was killed by SIGSEGV, a fault in native code: no licence",
        ),
        (-(signal.SIGRTMIN + 5), True, "process of press was killed by signal 39: no licence"),
    ],
)
def test_an_ending_is_one_sentence(code: int, attached: bool, words: str) -> None:
    assert sentence("press", code, ["no licence"], attached=attached) == words


def test_what_looks_like_a_want_of_permission_comes_with_a_hint() -> None:
    lines = ["Error: Cannot find module '/opt/shared/grpc'"]

    assert evidence("press", "L1", lines) == (*lines,)
    assert evidence("press", "L2", ["out of paper"]) == ("out of paper",)
    assert evidence("press", "L2", lines) == (
        *lines,
        "(at L2 it has what its manifest permits and nothing else: bedplate plugins show press)",
    )


def offers_run_by(folder: Path, *script: str) -> dict[str, RigOffer]:
    """The rigs, but their plugin is this shell script."""
    program = folder / "press"
    program.write_text("\n".join(("#!/bin/sh", *script)) + "\n")
    program.chmod(0o755)
    offer = replace(OFFERS["counter"], file=None, folder=folder, command=(str(program),))
    return {"counter": offer}


ONE = "connectors:\n  c: {use: counter, tags: {n: {}}}\n"


def last(kernel: Kernel) -> Transition:
    return kernel.components["c"].life.history[-1]


async def test_a_program_that_ends_at_once_is_told_with_what_it_printed(tmp_path: Path) -> None:
    offers = offers_run_by(tmp_path, "echo reading licence", "echo no licence left >&2", "exit 3")
    async with plant(tmp_path, ONE, offers=offers) as kernel:
        told = await until(lambda: [t for t in kernel.components["c"].life.history if t.evidence])

        assert told[0].reason == (
            "process of rigs ended with exit code 3 before it attached: no licence left"
        )
        assert told[0].evidence == ("reading licence", "no licence left")


async def test_exit_code_78_is_never_tried_again(tmp_path: Path) -> None:
    offers = offers_run_by(tmp_path, f"echo x >> {tmp_path}/tries", f"exit {DO_NOT_RETRY}")
    async with plant(tmp_path, ONE, offers=offers) as kernel:
        await until(lambda: state(kernel, "c") == "faulted")

        assert "it is not tried again as things are" in last(kernel).reason
        assert kernel.components["c"].role.figures.restarts == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x7fELFthis is no program", "Exec format error"),
        (b"#!/opt/none/python\n", "No such file or directory"),
    ],
)
async def test_a_program_that_this_machine_cannot_run_is_told_in_a_sentence(
    content: bytes, words: str, tmp_path: Path
) -> None:
    offers = offers_run_by(tmp_path)
    (tmp_path / "press").write_bytes(content)
    async with plant(tmp_path, ONE, offers=offers) as kernel:
        await until(lambda: state(kernel, "c") == "faulted")

        assert f"can't start {tmp_path}/press: {words}" in last(kernel).reason


async def test_a_crash_in_open_says_so(tmp_path: Path) -> None:
    text = "connectors:\n  c: {use: troubled, how: exit in open, tags: {n: {}}}\n"
    async with plant(tmp_path, text) as kernel:
        told = await until(lambda: [t for t in kernel.components["c"].life.history if t.evidence])

        assert told[0].reason == "in open: process of troubled ended with exit code 4: no licence"
        assert told[0].evidence == ("no licence",)


async def test_the_stack_of_a_bug_is_there_for_its_author(tmp_path: Path) -> None:
    (tmp_path / "wrong").touch()
    text = "connectors:\n  c: {use: counter, folder: FOLDER, tags: {n: {}}}\n"
    async with plant(tmp_path, text) as kernel:
        told = await until(lambda: [t for t in kernel.components["c"].life.history if t.evidence])

        assert told[0].reason == "ZeroDivisionError: division by zero"
        assert any("rigs.py" in line and "in read" in line for line in told[0].evidence)
