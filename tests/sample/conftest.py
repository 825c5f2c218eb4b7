"""One set of rules and a few samples for all tests of samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from rbcalc.rulebook.rules import Rules, load
from rbcalc.sampling.sample import Summary, sample
from sample.tables import Table, read


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load()


@pytest.fixture(scope="session")
def westwey(rules: Rules, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """The whole of a partnership whose table of sizes was published."""
    return sample(rules, partnership="westwey", out=tmp_path_factory.mktemp("westwey"))


@pytest.fixture(scope="session")
def small(rules: Rules, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """The smallest council in which every case must occur, with several areas."""
    return sample(rules, council="redcar_and_cleveland", year="2025-26", dwellings=5000, out=tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def tables(small: Summary) -> dict[str, Table]:
    """Its tables."""
    return {name: read(small, name).to_pylist() for name in small.tables}


@pytest.fixture
def own_rules(rules: Rules, tmp_path: Path) -> Path:
    """A copy of the rules that a test may spoil."""
    import shutil

    return Path(shutil.copytree(rules.library.root, tmp_path / "rules"))
