"""A single Python file as a plugin (`--plugin scale.py`): asked in a process of its own what it offers.

Only running the file can tell, so it is run where it can do no harm to the kernel: within a time-out, with its own
process group, with what it prints thrown away. The answer is one line of JSON on a copy of stdout, made before
the file could touch it. Every class of a kind that the file itself defines is an offer; Scale is `scale`, BenchScale is
`bench-scale`, and a name with _ in front is none.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, NoReturn

from bedplate import strict_json
from bedplate.errors import AdmissionError

WITHIN = 10.0  # s
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV")


def probe(
    file: Path, within: float = WITHIN, python: str = sys.executable
) -> dict[str, tuple[str, dict[str, Any]]]:
    """use → (class, what `describe` says of it). within: s.

    Raises AdmissionError with one sentence: what is wrong, at which line of the file.
    """
    if not file.is_file():
        raise AdmissionError(f"{file}: there is no such file")
    if file.suffix != ".py":
        raise AdmissionError(f"{file}: is no Python file; its name must end in .py")
    answer, code = _run(
        [python, "-P", "-m", "bedplate.admission.probe", str(file.absolute())], file, within
    )
    if "error" in answer:
        where = f"{file}:{answer['line']}" if answer["line"] else str(file)
        raise AdmissionError(f"{where}: {answer['error']}")
    if "offers" not in answer:
        how = (
            f"was killed by {signal.Signals(-code).name}"
            if code < 0
            else f"ended the process with exit code {code}"
        )
        raise AdmissionError(f"{file}: {how} while it was loaded")
    if not answer["offers"]:
        raise AdmissionError(
            f"{file}: defines no class that is a Connector, Analytic or SecurityModule"
        )
    return {use: (name, described) for use, (name, described) in answer["offers"].items()}


def _run(command: list[str], file: Path, within: float) -> tuple[dict[str, Any], int]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={name: os.environ[name] for name in _INHERITED if name in os.environ},
        cwd="/",
    )
    try:
        output, _ = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        raise AdmissionError(
            f"{file}: was not loaded within {within:g} s; what takes time belongs into open(), not to the top of a file"
        ) from None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # and whatever the file started
        process.communicate()
    try:
        answer = strict_json.loads(output.splitlines()[-1]) if output else {}
    except ValueError:
        answer = {}
    return answer if isinstance(answer, dict) else {}, process.returncode


def use_of(name: str) -> str:
    """BenchScale → bench-scale, HTTPSource → http-source, S7 → s7."""
    return (
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
        .replace("_", "-")
        .lower()
    )


def _load(path: str) -> ModuleType:
    name = os.path.basename(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _offers(module: ModuleType) -> dict[str, Any]:
    from bedplate.admission.describing import describe, kind_of

    classes = {
        use_of(name): (name, describe(cls))
        for name, cls in vars(module).items()
        if isinstance(cls, type)
        and cls.__module__ == module.__name__
        and cls.__name__ == name
        and not name.startswith("_")
        and kind_of(cls)
    }
    return {"offers": classes}


def _trouble(path: str, error: BaseException, trace: TracebackType | None) -> dict[str, Any]:
    """What went wrong, in one line, and where in the author's file."""
    lines = [line for frame, line in traceback.walk_tb(trace) if frame.f_code.co_filename == path]
    line = lines[-1] if lines else 0
    if isinstance(error, SyntaxError) and error.filename == path:
        line, text = error.lineno or 0, f"{type(error).__name__}: {error.msg}"
    elif isinstance(error, AdmissionError):
        text = str(error)
    else:
        text = traceback.format_exception_only(error)[-1].strip()
    legible = "".join(c if c.isprintable() else " " for c in text)
    return {"error": legible[:300], "line": line}


def main() -> NoReturn:
    """The child. Says what the file offers or what is wrong with it."""
    path = sys.argv[1]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        answer(_trouble(path, error, trace))

    def answer(what: dict[str, Any]) -> NoReturn:
        answers.write(json.dumps(what) + "\n")
        answers.flush()
        os._exit(0)  # threads that the file left running must not hold the answer

    sys.excepthook = told
    answer(_offers(_load(path)))


if __name__ == "__main__":
    main()
