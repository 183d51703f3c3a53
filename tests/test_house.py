"""What holds for the whole repository and what no tool judges: names, words, sizes, pins.

Only files known to git count, so that work in progress elsewhere in the tree is not judged.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent

TOP = {
    *("pyproject.toml", "README.md", "LICENSE", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md"),
    *("Makefile", "core", "plugins", "protos", "tests", "docs"),
}

# In pieces, so that this file does not name what it looks for.
HOSTS = [
    *("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com"),
    *("yarnpkg" + ".com", "npmmirror" + ".com", "proxy.golang" + ".org", "crates" + ".io"),
    *("sum.golang" + ".org", "pkg.go" + ".dev"),
    *("debian" + ".org", "ubuntu" + ".com", "docker" + ".io", "ghcr" + ".io", "anaconda" + ".org"),
]
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:" + "wo" + "rk|ro" + r"ot)/")
BANNED = ["exactly-once delivery", "zero data loss", "guaranteed", "certified", "sandboxed"]
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
LOCKS = {"uv.lock", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "pylock.toml"}
# Where code of somebody else is called: an author's mistake must end as a reply, a state or a sentence.
MAY_CATCH_ALL = {
    "core/bedplate/remote/session.py",  # every call of a plugin's object
    "core/bedplate/remote/plugin.py",  # the import of a plugin, raised again as AdmissionError
    "core/bedplate/runtime/supervisor.py",  # one component's session, the kernel's side
}
TOO_HEAVY = {"pandas", "polars", "pyarrow"}


@cache
def tracked() -> tuple[Path, ...]:
    """Files known to git that still exist, relative to the root."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip("not a git clone")
    assert done.returncode == 0, done.stderr.decode()
    names = done.stdout.decode().split("\0")
    return tuple(Path(name) for name in names if name and (ROOT / name).is_file())


def text(path: Path) -> str:
    """The file's text; empty for what is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def generated(path: Path) -> bool:
    return "v1" in path.parts or (path.name == "__init__.py" and "Generated from" in text(path))


def product() -> Iterator[Path]:
    """Hand-written Python that is shipped: the kernel and the plugins, without tests."""
    for path in tracked():
        shipped = path.parts[0] in {"core", "plugins"} and "tests" not in path.parts
        if shipped and path.suffix == ".py" and not generated(path):
            yield path


def kernel() -> list[Path]:
    """What counts towards the kernel's size: not the command line, not what is for authors."""
    beside = {"cli", "cli.py", "testing", "new", "capture"}
    return [p for p in product() if p.parts[0] == "core" and p.parts[2] not in beside]


def found(complaints: list[str]) -> None:
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


def test_the_top_of_the_repository_stays_as_laid_out() -> None:
    top = {path.parts[0] for path in tracked() if not path.parts[0].startswith(".")}
    assert top <= TOP


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    complaints = []
    for path in tracked():
        content = text(path)
        complaints += [f"{path}: names {host}" for host in HOSTS if host in content]
        complaints += [f"{path}: {m.group()}" for m in MACHINE_PATH.finditer(content)]
    found(complaints)


def test_no_lock_file_is_kept() -> None:
    found([str(path) for path in tracked() if path.name in LOCKS])


def test_requirement_files_carry_hashes_and_no_addresses() -> None:
    complaints = []
    files = sorted((ROOT / ".make").glob("requirements*.txt"))
    assert len(files) == 5
    for file in files:
        whole = file.read_text().replace("\\\n", " ")
        for line in whole.splitlines():
            if not line.strip() or line.strip().startswith("#"):
                continue
            if "==" not in line or "--hash=sha256:" not in line or "://" in line:
                complaints.append(f"{file.name}: {line[:60]}")
    found(complaints)


def test_pins_are_within_the_ranges_that_are_declared() -> None:
    from packaging.requirements import Requirement

    pins: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([a-z0-9-]+)==([^ ;]+)", text(Path(".make/requirements.txt")), re.M
    ):
        pins.setdefault(name, set()).add(version)
    complaints = []
    for file in [
        Path("pyproject.toml"),
        *(p for p in tracked() if p.match("plugins/*/pyproject.toml")),
    ]:
        for line in tomllib.loads(text(file))["project"]["dependencies"]:
            wish = Requirement(line)
            if wish.name == "bedplate":
                continue
            versions = pins.get(wish.name.replace(".", "-").lower(), set())
            if not versions or not all(wish.specifier.contains(v) for v in versions):
                complaints.append(f"{file}: {line}, pinned {versions or 'nowhere'}")
    found(complaints)


def test_documents_promise_nothing_that_cannot_be_kept() -> None:
    pages = [path for path in tracked() if path.suffix == ".md"]
    found(
        [f"{page}: {word}" for page in pages for word in BANNED if word in text(page).lower()],
    )


def test_no_file_is_named_for_nothing_in_particular() -> None:
    python = [path for path in tracked() if path.suffix == ".py"]
    found([str(path) for path in python if VAGUE & set(path.stem.split("_"))])


def test_only_the_plugin_session_catches_whatever_comes() -> None:
    complaints = []
    for path in product():
        if str(path) in MAY_CATCH_ALL:
            continue
        for node in ast.walk(ast.parse(text(path))):
            if isinstance(node, ast.ExceptHandler) and catches_all(node):
                complaints.append(f"{path}:{node.lineno}: catches everything")
    found(complaints)


def catches_all(handler: ast.ExceptHandler) -> bool:
    """True for a bare or blind handler, unless all it does is tidy up and raise again."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
        for kind in kinds
    )


def test_the_kernel_imports_no_data_frame_library_when_it_is_imported() -> None:
    complaints = []
    for path in product():
        if path.parts[0] != "core":
            continue
        for node in at_import(ast.parse(text(path)).body):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
            )
            complaints += [
                f"{path}:{node.lineno}: {n}" for n in names if n.split(".")[0] in TOO_HEAVY
            ]
    found(complaints)


def at_import(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements that run when the module is imported."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from at_import(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ClassDef):
            inner = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt)]
            yield from at_import(inner)


def test_no_file_of_the_product_is_longer_than_400_lines() -> None:
    lengths = {path: len(text(path).splitlines()) for path in product()}
    found([f"{path}: {lines} lines" for path, lines in lengths.items() if lines > 400])


def test_nine_in_ten_functions_have_at_most_25_lines() -> None:
    lengths = {
        f"{path}:{node.lineno} {node.name}": own_lines(node)
        for path in product()
        for node in ast.walk(ast.parse(text(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    long = {name: lines for name, lines in lengths.items() if lines > 25}
    if len(long) * 10 > len(lengths):
        found([f"{lines:4} lines: {name}" for name, lines in sorted(long.items())])


def own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the end."""
    skip = 1 if ast.get_docstring(function) is not None and len(function.body) > 1 else 0
    return (function.end_lineno or 0) - function.body[skip].lineno + 1


def test_the_size_of_the_kernel_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    files = kernel()
    every = [line.strip() for path in files for line in text(path).splitlines()]
    code = sum(code_lines(ast.parse(text(path))) for path in files)
    with capsys.disabled():
        print(f" [kernel: {len(every)} lines in {len(files)} files, {code} of them code] ", end="")
    assert files


def code_lines(tree: ast.Module) -> int:
    """Lines that hold code: no blank lines, comments or docstrings."""
    docstrings: set[int] = set()
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docstrings |= set(range(node.lineno, (node.end_lineno or 0) + 1))
        elif isinstance(node, ast.stmt | ast.expr) and hasattr(node, "lineno"):
            lines |= {node.lineno, node.end_lineno or node.lineno}
    return len(lines - docstrings)


def test_every_public_name_can_be_had() -> None:
    import bedplate

    found([f"bedplate.{name}" for name in bedplate.__all__ if not has(bedplate, name)])


def has(module: ModuleType, name: str) -> bool:
    try:
        return hasattr(module, name)
    except ModuleNotFoundError:
        return False
