"""The guide to business rates names a case for everything that is easily got wrong, and there is such a case."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "business_rates.md").read_text(encoding="utf-8")
SECTION = GUIDE.split("## Easily got wrong", 1)[1].split("\n## ", 1)[0]
ROWS = re.findall(r"^\| (.+?) \| `(\w+)` \| (.+?) \|$", SECTION, re.MULTILINE)


@cache
def names(file: str) -> set[str]:
    """The names of the cases of a file beside the rules, or of a council."""
    rules, council = ROOT / "rules/england/business_rates" / f"{file}.cases.yaml", ROOT / "rules/councils" / file
    path = rules if rules.exists() else council / "business_rates.cases.yaml"
    return {case["name"] for case in yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)["cases"]}


def test_every_row_of_the_table_is_read() -> None:
    assert len(ROWS) == len(SECTION.strip().split("|---|---|---|\n", 1)[1].splitlines()) > 50


@pytest.mark.parametrize(("wrong", "file", "case"), ROWS)
def test_the_case_that_holds_it_is_there(wrong: str, file: str, case: str) -> None:
    assert case in names(file), wrong
