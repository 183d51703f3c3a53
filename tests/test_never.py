"""What our code never does, by its syntax: run what it read, take objects out of bytes, ask a shell. Every exception
stands here by name, with its reason.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

MODULES = {
    *(
        "pickle",
        "cPickle",
        "_pickle",
        "dill",
        "cloudpickle",
        "shelve",
        "dbm",
        "marshal",
        "jsonpickle",
    ),
    *("joblib", "torch", "sklearn", "telnetlib", "ftplib", "xmlrpc", "imp", "code", "codeop"),
    *("multiprocessing", "concurrent.futures.process", "yaml", "pty", "crypt", "xml", "lxml"),
}
CALLS = {
    *("eval", "exec", "compile", "__import__", "input", "breakpoint"),
    *("os.system", "os.popen", "tempfile.mktemp", "os.tmpnam", "yaml.load", "yaml.unsafe_load"),
    *(
        "numpy.load",
        "np.load",
        "numpy.fromregex",
        "pandas.read_pickle",
        "pd.read_pickle",
        "ssl.wrap_socket",
    ),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "ssl._create_unverified_context"),
    *("asyncio.create_subprocess_shell", "random.seed", "hashlib.md5", "hashlib.sha1"),
}
ALLOWED = {
    (
        "core/bedplate/isolation/enter.py",
        "marshal",
    ): "plain values from the kernel to its own launcher, which imports"
    " next to nothing so that a start costs milliseconds; no object of ours or a plugin's is in it",
    ("core/bedplate/isolation/profile.py", "marshal"): "the writing end of it",
}


@cache
def ours() -> tuple[Path, ...]:
    """The kernel, the plugins and their templates, without tests and generated code."""
    return tuple(
        file
        for place in ("core/bedplate", "plugins")
        for file in sorted((ROOT / place).rglob("*.py"))
        if not {"tests", "v1", "node_modules"} & set(file.parts)
    )


def dotted(node: ast.expr) -> str:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id if isinstance(node, ast.Name) else "", *reversed(parts)])


def imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def misdeeds(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each."""
    for node in ast.walk(tree):
        for name in imports(node):
            for module in {name, name.partition(".")[0]} & MODULES:
                yield getattr(node, "lineno", 0), module
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        if name in CALLS:
            yield node.lineno, name
        if any(word.arg == "shell" and not is_false(word.value) for word in node.keywords):
            yield node.lineno, "shell="
        if any(word.arg == "allow_pickle" and not is_false(word.value) for word in node.keywords):
            yield node.lineno, "allow_pickle="
        if name.endswith("YAML") and not any(
            word.arg == "pure" and is_true(word.value) for word in node.keywords
        ):
            yield node.lineno, "YAML() that is not pure"


def is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def test_nothing_of_ours_runs_what_it_read_or_takes_objects_out_of_bytes() -> None:
    found = {
        (str(file.relative_to(ROOT)), line, name)
        for file in ours()
        for line, name in misdeeds(ast.parse(file.read_bytes()))
    }

    assert {one for one in found if (one[0], one[2]) not in ALLOWED} == set()
    assert {(file, name) for file, _, name in found} == {*ALLOWED}, (
        "an exception that nobody needs any more"
    )


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from multiprocessing import Queue",
        "import joblib.x as y",
        "from concurrent.futures.process import ProcessPoolExecutor",
        "eval('1')",
        "import os\nos.system('x')",
        "subprocess.run('x', shell=True)",
        "subprocess.run('x', shell=wanted)",
        "np.load(file, allow_pickle=True)",
        "from xml.etree import ElementTree",
        "YAML(typ='unsafe')",
    ],
)
def test_the_scan_sees_it(code: str) -> None:
    assert [*misdeeds(ast.parse(code))]


# --- bandit ---

NAMED = {
    ("core/bedplate/admission/artefact.py", "B103"): "read-only for all: plugins run as other users",
    ("core/bedplate/bundle/shelf.py", "B103"): "read-only for all, as above",
    ("core/bedplate/gate/announcement.py", "B108"): "what is made there is 0700 and of our user",
    ("core/bedplate/runtime/kernel.py", "B108"): "a folder of mkdtemp, in /tmp because paths of sockets must be short",
    ("core/bedplate/isolation/enter.py", "B302"): "see ALLOWED",
    ("core/bedplate/isolation/enter.py", "B606"): "to become the plugin's program is what the launcher is for",
    ("core/bedplate/testing/conformance/certificates.py", "B607"): "openssl of the author's own machine",
    ("core/bedplate/cli/controls/entrance.py", "B104"): "dialled as 127.0.0.1; nothing listens",
    ("plugins/access/bedplate_access/policy/moment.py", "B104"): "compared with; nothing listens",
    # SQL put together of constants and question marks; values are always parameters.
    ("core/bedplate/journal/rescue.py", "B608"): "names of our own tables",
    ("core/bedplate/journal/writer.py", "B608"): "names of our own tables",
    ("core/bedplate/runtime/ledger/store.py", "B608"): "names of our own tables, and as many ? as there are values",
    ("plugins/history/bedplate_history/catalogue.py", "B608"): "as many ? as there are values",
    ("plugins/history/bedplate_history/statement.py", "B608"): "clauses of ours; what is asked for is a parameter",
}  # fmt: skip


def test_bandit_finds_nothing_that_is_not_named_here() -> None:
    """Skips for all files stand in pyproject.toml."""
    program = BIN / "bandit"
    assert program.exists(), "run .make/setup dev"
    form = "{relpath}\t{test_id}\t{line}\t{msg}"
    command = [
        program,
        "-q",
        "-c",
        "pyproject.toml",
        "-r",
        "core/bedplate",
        "plugins",
        "-f",
        "custom",
    ]
    done = subprocess.run(
        [*command, "--msg-template", form], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]

    assert done.returncode in (0, 1), done.stderr
    assert [one for one in found if (one[0], one[1]) not in NAMED] == []
    assert {(one[0], one[1]) for one in found} == {*NAMED}, (
        "an exception that nobody needs any more"
    )
