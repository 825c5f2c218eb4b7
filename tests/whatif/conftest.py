"""One small caseload of two councils for all tests of what-if, worked out without machine code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rbcalc
from rbcalc import Partnership, Rules
from rbcalc._study import Study
from rbcalc_kernels.compiled import evaluator
from rbcalc_kernels.compiled.plans import ways_of

PARTNERSHIP, YEAR = "east_herts_stevenage", "2026-27"


def _kept(*arguments: Any, keep: bool) -> Any:
    """Programs as they are lowered, kept for the next study of the same rules, which a run without machine code does not do."""
    assert not keep
    return ways_of(*arguments, keep=True)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache-of-whatif")
    folder.chmod(0o700)
    return folder


def _plain(patch: pytest.MonkeyPatch, cache: Path) -> None:
    patch.setenv("RBCALC_ENGINE", "python")
    patch.setenv("RBCALC_CACHE_DIR", str(cache))
    patch.setattr(evaluator, "ways_of", _kept)


@pytest.fixture(autouse=True)
def _plain_python(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    _plain(monkeypatch, cache)


@pytest.fixture(scope="session")
def rules() -> Rules:
    return rbcalc.load()


@pytest.fixture(scope="session")
def service(rules: Rules) -> Partnership:
    return rules.partnership(PARTNERSHIP)


@pytest.fixture(scope="session")
def caseload(rules: Rules, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with about 240 accounts, a fifth of them with a claim."""
    folder = tmp_path_factory.mktemp("whatif") / "caseload"
    rbcalc.sample(rules, partnership=PARTNERSHIP, year=YEAR, out=folder, dwellings=240)
    return folder


@pytest.fixture(scope="session")
def study(service: Partnership, caseload: Path, cache: Path) -> Study:
    """A study with its baseline alone; tests try options and leave it as it is."""
    with pytest.MonkeyPatch.context() as patch:
        _plain(patch, cache)
        return Study(service.councils(YEAR), YEAR, caseload)
