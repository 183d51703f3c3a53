"""The reference of hooks is their docstrings; it is held to what there is."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bedplate import hookspecs

ROOT = Path(__file__).parents[2]
HOOKS: dict[str, Callable[..., Any]] = {
    name: function for name, function in vars(hookspecs).items() if name.startswith("bedplate_")
}


def names_called() -> Iterator[str]:
    """First arguments of call_each and tell anywhere in the kernel."""
    for path in (ROOT / "core" / "bedplate").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if called and node.func.attr in ("call_each", "tell") and node.args:  # type: ignore[attr-defined]
                first = node.args[0]  # type: ignore[attr-defined]
                if isinstance(first, ast.Constant):
                    yield first.value


def test_there_are_hooks_and_no_more_than_a_dozen() -> None:
    assert 0 < len(HOOKS) <= 12


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_what_each_of_its_arguments_is(name: str) -> None:
    text = inspect.getdoc(HOOKS[name]) or ""
    assert text
    for argument in inspect.signature(HOOKS[name]).parameters:
        assert re.search(rf"\b{argument}: ", text), f"{name} does not say what {argument} is"


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_called_somewhere_in_the_kernel(name: str) -> None:
    assert name in set(names_called())


def test_the_kernel_calls_no_hook_that_is_not_in_the_reference() -> None:
    assert set(names_called()) <= set(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_test(name: str) -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert f'"{name}"' in tests or f"def {name}(" in tests


def test_a_hook_that_is_an_ordinary_function_is_a_spec() -> None:
    for name, function in HOOKS.items():
        assert not inspect.iscoroutinefunction(function)
        assert hasattr(function, "bedplate_spec"), f"{name} is not marked"
        defaults = [
            p for p in inspect.signature(function).parameters.values() if p.default is not p.empty
        ]
        assert not defaults
