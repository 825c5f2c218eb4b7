"""The next council touches no Python: other councils' schemes are files alone, and their cases come out in both evaluators."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import rbcalc
from rbcalc._places import rules_root
from rbcalc.rulebook.cases import CaseReader, run

FOLDERS = [Path(__file__).parent / name for name in ("other_councils", "other_councils_grid")]
COUNCILS = sorted(place.name for folder in FOLDERS for place in folder.iterdir() if place.is_dir())


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> rbcalc.Rules:
    """The law as shipped, with other councils."""
    folder = tmp_path_factory.mktemp("rules")
    shutil.copytree(rules_root() / "england", folder / "england")
    for councils in FOLDERS:
        shutil.copytree(councils, folder / "councils", dirs_exist_ok=True)
    for name in ("partnerships", "preceptors"):
        (folder / name).mkdir()
    return rbcalc.load(folder)


@pytest.mark.parametrize("council", COUNCILS)
def test_cases(rules: rbcalc.Rules, council: str) -> None:
    """Means tests, grids of income bands, and bands of income above the Universal Credit maximum."""
    place = rules.library.root / "councils" / council / "reduction.cases.yaml"
    outcomes = run(CaseReader(rules).read(place))
    assert outcomes
    assert {outcome.example.name: outcome.problems for outcome in outcomes if outcome.problems} == {}
