"""One small caseload of two councils for all tests of what-if, worked out without machine code."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rbcalc
from rbcalc import Partnership, Rules
from rbcalc.comparing.study import Study

PARTNERSHIP, YEAR = "east_herts_stevenage", "2026-27"
EAST, STEVENAGE = "east_hertfordshire", "stevenage"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """One folder for all processes that the tests are divided among."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "cache-of-whatif"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


# Programs are kept as they are lowered, so that the next study of the same rules begins at once.
def plain(patch: pytest.MonkeyPatch, cache: Path) -> None:
    patch.setenv("RBCALC_ENGINE", "python")
    patch.setenv("RBCALC_CACHE_DIR", str(cache))


@pytest.fixture(autouse=True)
def _plain_python(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    plain(monkeypatch, cache)


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
    rbcalc.sample(rules, partnership=PARTNERSHIP, year=YEAR, out=folder, dwellings=240, subjects=["council_tax"])
    return folder


def tables_of(folder: Path) -> dict[str, Any]:
    return {path.stem: pq.read_table(path) for path in sorted(folder.glob("*.parquet"))}


def only(tables: Mapping[str, Any], councils: Collection[str], accounts: int) -> dict[str, Any]:
    """The tables with at most so many accounts of each council that have claims, and a few without."""
    root = tables["accounts"].to_pylist()
    claimed = set(tables["claims"]["account"].to_pylist())
    chosen: set[str] = set()
    for council in councils:
        mine = [row for row in root if row["council"] == council]
        chosen.update([row["account"] for row in mine if row["account"] in claimed][:accounts])
        chosen.update([row["account"] for row in mine if row["account"] not in claimed][:3])
    return {**tables, "accounts": tables["accounts"].filter(pa.array([row["account"] in chosen for row in root]))}


@pytest.fixture(scope="session")
def tables(caseload: Path) -> dict[str, Any]:
    return tables_of(caseload)


@pytest.fixture(scope="session")
def few(tables: dict[str, Any]) -> dict[str, Any]:
    """Some accounts of Stevenage, nearly all with a claim."""
    return only(tables, [STEVENAGE], 20)


@pytest.fixture(scope="session")
def study(service: Partnership, tables: dict[str, Any], cache: Path) -> Study:
    """A study of both councils with its baseline alone; tests try options and leave it as it is."""
    with pytest.MonkeyPatch.context() as patch:
        plain(patch, cache)
        return Study(service.councils(YEAR), YEAR, only(tables, [EAST, STEVENAGE], 14))


@pytest.fixture(scope="session")
def small(rules: Rules, few: dict[str, Any], cache: Path) -> Study:
    """A study of these accounts; only the last test of options adds one."""
    with pytest.MonkeyPatch.context() as patch:
        plain(patch, cache)
        return Study([rules.council(STEVENAGE)], YEAR, few)


@pytest.fixture(scope="session")
def faulty(few: dict[str, Any]) -> dict[str, Any]:
    """The same accounts, of which one claim lacks what its pensioner must have said and one account has no dwelling after a day."""
    dwellings = few["dwellings"].to_pylist()
    claimed = set(few["claims"]["account"].to_pylist())
    dwelling = next(row["dwelling"] for row in few["accounts"].to_pylist() if row["account"] in claimed)
    cut = [{**row, "to": row["from"].replace(year=2026, month=7, day=1)} if row["dwelling"] == dwelling else row for row in dwellings]
    return {**few, "dwellings": pa.Table.from_pylist(cut, schema=few["dwellings"].schema)}
