"""Council Tax, Housing Benefit and business rates of a partnership in one run: each council and each subject alone gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import rbcalc
from rbcalc.running.outputs import verify
from rbcalc.running.rebill import rebill
from rbcalc.sampling.sample import sample

PARTNERSHIP, YEAR = "hartlepool_darlington_redcar", "2024-25"


@pytest.fixture(scope="module")
def caseload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rates") / "caseload"
    sample(rbcalc.load(), partnership=PARTNERSHIP, year=YEAR, dwellings=900, hereditaments=1200, out=folder)
    return folder


EVERY = ["council_tax", "housing_benefit", "business_rates"]
TABLES = {"": ["bills"], "housing_benefit": ["bills", "awards", "week_differences"], "business_rates": ["bills"]}


def rows(out: Path, council: str, subject: str, table: str) -> list[dict[str, Any]]:
    """A table of what a run wrote, in the order of its first columns."""
    found = pq.read_table(out / council / subject / f"{table}.parquet")
    return found.sort_by([(name, "ascending") for name in found.column_names[:3]]).to_pylist()


def test_each_council_and_each_subject_alone_is_as_in_one_run(caseload: Path, tmp_path: Path) -> None:
    councils = rbcalc.load().partnership(PARTNERSHIP).councils(YEAR)
    together = rebill(councils, YEAR, caseload, tmp_path / "together")
    assert [each.subject for each in together.every] == EVERY
    assert together.complete
    assert not verify(tmp_path / "together")
    found = {each.subject: each for each in together.every}
    assert sum(found["business_rates"].accounts.values()) >= 1200
    assert sum(found["housing_benefit"].accounts.values()) >= 60
    for council in councils:
        alone = rebill([council], YEAR, caseload, tmp_path / council.name)
        assert [each.subject for each in alone.every] == EVERY
        for one, both in zip(alone.every, together.every, strict=True):
            assert one.totals[council.name] == both.totals[council.name]
        for subject, tables in TABLES.items():
            for table in tables:
                own = rows(tmp_path / council.name, council.name, subject, table)
                assert own == rows(tmp_path / "together", council.name, subject, table), (subject, table)
    for subject in EVERY[1:]:
        only = rebill(councils, YEAR, caseload, tmp_path / subject, subjects=[subject])
        assert only.subject == subject
        assert not only.further
        assert only.totals == found[subject].totals


def test_a_ratepayers_accounts_share_one_cash_cap(caseload: Path, tmp_path: Path) -> None:
    """The relief of all accounts of one ratepayer in a council is never more than the cap."""
    rebill(rbcalc.load().partnership(PARTNERSHIP).councils(YEAR), YEAR, caseload, tmp_path / "out", subjects=["business_rates"])
    accounts = {row["rates_account"]: row for row in pq.read_table(caseload / "rates_accounts.parquet").to_pylist()}
    reliefs: dict[tuple[str, str], float] = {}
    several: dict[tuple[str, str], int] = {}
    for council in ("hartlepool", "darlington", "redcar_and_cleveland"):
        for bill in pq.read_table(tmp_path / "out" / council / "bills.parquet").to_pylist():
            whose = council, accounts[bill["rates_account"]]["ratepayer"]
            reliefs[whose] = reliefs.get(whose, 0) + bill["retail_relief"]
            several[whose] = several.get(whose, 0) + 1
    assert max(reliefs.values()) <= 110_000
    assert max(several.values()) > 1
