"""Every test can fail."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from house.checkout import ROOT, files, parsed, shown

Function = ast.FunctionDef | ast.AsyncFunctionDef
EXPECTING = {"raises", "warns", "fail"}


def functions() -> Iterator[tuple[str, Function]]:
    """All functions of the tests, with the name of their file."""
    for file in files(ROOT / "tests"):
        if file.suffix == ".py":
            for node in ast.walk(parsed(file)):
                if isinstance(node, Function):
                    yield shown(file), node


def called(function: Function) -> set[str]:
    """The last part of the name of whatever is called."""
    targets = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return {
        target.attr if isinstance(target, ast.Attribute) else target.id
        for target in targets
        if isinstance(target, ast.Attribute | ast.Name)
    }


def asserts(function: Function) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(function)) or bool(called(function) & EXPECTING)


def without_assertions(found: list[tuple[str, Function]]) -> list[str]:
    """Tests that neither assert anything nor call, at any depth, a function of the tests that does."""
    asserting = {function.name for _, function in found if asserts(function)}
    while more := {function.name for _, function in found if called(function) & asserting} - asserting:
        asserting |= more
    tests = [(file, function) for file, function in found if function.name.startswith("test_")]
    return [f"{file}:{f.lineno} {f.name}" for file, f in tests if not asserts(f) and not called(f) & asserting]


def test_every_test_asserts_something() -> None:
    assert not without_assertions(list(functions()))


def test_a_test_that_asserts_nothing_is_found() -> None:
    text = """
def check(x): assert x
def through(x): check(x)
def test_empty(): print(1)
def test_helped(): through(2)
def test_expecting():
    with pytest.raises(ValueError): int("x")
"""
    found = [("t.py", node) for node in ast.walk(ast.parse(text)) if isinstance(node, Function)]
    assert without_assertions(found) == ["t.py:4 test_empty"]
