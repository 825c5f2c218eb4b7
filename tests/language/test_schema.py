"""The JSON Schema for editors accepts every shipped rule file and refuses misshapen ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from language.linking_toolbox import ROOT
from rbcalc_kernels.language.shaping import json_schema
from rbcalc_kernels.source import Mapping_, Node, Scalar, Sequence_, read

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
SHIPPED = sorted((ROOT / "rules").rglob("*.yaml"))
ERRORS = Path(__file__).resolve().parent / "errors"


def plain(node: Node) -> Any:
    """A file as an editor sees it, every value a text."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence_):
        return [plain(item) for item in node.items]
    assert isinstance(node, Mapping_)
    return {key.text: plain(value) for key, value in node.entries}


def mistakes(path: Path) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(plain(read(path.read_bytes(), path.name)))]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert {choice["$ref"].rsplit("/")[-1] for choice in SCHEMA["oneOf"]} >= {"RuleFile", "CasesFile"}


def test_there_are_rule_files() -> None:
    assert len(SHIPPED) > 20


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_files_fit_the_schema(path: Path) -> None:
    assert mistakes(path) == []


@pytest.mark.parametrize("path", sorted(ERRORS.rglob("good*.yaml")), ids=lambda path: path.parent.name)
def test_mended_files_fit_the_schema(path: Path) -> None:
    assert mistakes(path) == []


@pytest.mark.parametrize("code", ["RB033", "RB034", "RB035", "RB036", "RB037"])
def test_misshapen_files_do_not_fit_it(code: str) -> None:
    assert mistakes(ERRORS / code / "bad.yaml")


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).resolve().parent / "probes").rglob("*.yaml")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_probes_fit_the_schema(path: Path) -> None:
    assert mistakes(path) == []
