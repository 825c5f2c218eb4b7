"""What is promised of every module: short, documented, and free of what belongs in the rules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from house.checkout import ROOT, modules, parsed, python_outside_tests, shown

LONGEST = 500
OF_THE_LAW = re.compile(
    r"""discount | premium | exempt | disregard | valuation | annexe
      | second[_ ]home | care[_ ]leaver | reduction[_ ]rate
      | (?<![a-z])band[_ ][a-h](?![a-z])        # band D, band_d
      | (["'])bands?\1                          # the list itself, by name
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words of Council Tax that no module may hold: what they name is said in the rules."""


def names_in_rules() -> list[str]:
    """The names of councils, preceptors and partnerships."""
    rules = ROOT / "rules"
    found = [folder.name for kind in ("councils", "preceptors") for folder in (rules / kind).glob("*") if folder.is_dir()]
    found += [file.stem for kind in ("preceptors", "partnerships") for file in (rules / kind).glob("*.yaml")]
    return sorted(set(found), key=lambda name: (-len(name), name))


def lines_with(pattern: re.Pattern[str]) -> Iterator[str]:
    for file in python_outside_tests():
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if pattern.search(line):
                yield f"{shown(file)}:{number}: {line.strip()}"


def any_of(names: list[str]) -> re.Pattern[str]:
    """Any of the names as a word or a part of a longer name, however its own words are joined."""
    words = "|".join(re.escape(name).replace("_", "[_ -]") for name in names)
    return re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE)


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """The public classes and functions of a module or a class, and what is public inside its classes."""
    for statement in body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not statement.name.startswith("_"):
            told_elsewhere = {ast.unparse(decorator).rsplit(".")[-1] for decorator in statement.decorator_list}
            if told_elsewhere.isdisjoint({"overload", "override", "setter"}):
                yield prefix + statement.name, statement
            if isinstance(statement, ast.ClassDef):
                yield from public(statement.body, f"{prefix}{statement.name}.")


@pytest.mark.parametrize("file", modules(), ids=shown)
def test_no_module_is_long(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("file", modules(), ids=shown)
def test_every_public_name_has_a_docstring(file: Path) -> None:
    tree = parsed(file)
    bare = [name for name, node in public(tree.body) if not ast.get_docstring(node)]  # type: ignore[arg-type]
    assert ast.get_docstring(tree), "the module itself has none"
    assert not bare


def test_no_council_is_named_in_python() -> None:
    names = names_in_rules()
    assert len(names) >= 8, "the rules hold today's councils"
    assert not list(lines_with(any_of(names)))


def test_no_word_of_the_law_is_in_python() -> None:
    assert not list(lines_with(OF_THE_LAW))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('if council == "stour_valley":', True),
        ("# as Stour Valley did", True),
        ("rbcalc rebill --partnership stour_valley_poole", True),
        ("stour = valley", False),
        ("bestour_valley", False),
    ],
)
def test_a_name_is_found_however_it_is_written(line: str, found: bool) -> None:
    assert bool(any_of(["stour_valley"]).search(line)) is found


@pytest.mark.parametrize("line", ['row["band"]', "band_d = 1", "# the Band D amount", "single_adult_discount", "Exemptions"])
def test_a_word_of_the_law_is_found(line: str) -> None:
    assert OF_THE_LAW.search(line)


@pytest.mark.parametrize("line", ["class Bands:", "bands: Bands | None", "a banded axis", "band gap"])
def test_the_bands_of_a_table_are_no_word_of_the_law(line: str) -> None:
    assert not OF_THE_LAW.search(line)
