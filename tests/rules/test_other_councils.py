"""The next council touches no Python: other councils' schemes are files alone, and their cases come out in both evaluators."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import rbcalc
from rbcalc._cases import CaseReader, run
from rbcalc._places import rules_root

COUNCILS = Path(__file__).parent / "other_councils_grid"


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> rbcalc.Rules:
    """The law as shipped, with other councils."""
    folder = tmp_path_factory.mktemp("rules")
    shutil.copytree(rules_root() / "england", folder / "england")
    shutil.copytree(COUNCILS, folder / "councils")
    for name in ("partnerships", "preceptors"):
        (folder / name).mkdir()
    return rbcalc.load(folder)


@pytest.mark.parametrize("council", ["ashford", "north_lincolnshire", "manchester"])
def test_cases(rules: rbcalc.Rules, council: str) -> None:
    """Two grids, one with a column for a protected group, and bands of income above the Universal Credit maximum."""
    place = rules.library.root / "councils" / council / "reduction.cases.yaml"
    outcomes = run(CaseReader(rules).read(place))
    assert outcomes
    assert {outcome.example.name: outcome.problems for outcome in outcomes if outcome.problems} == {}
