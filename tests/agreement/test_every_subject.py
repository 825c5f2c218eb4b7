"""Council Tax and business rates of a partnership in one run: each council alone, and each subject alone, gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import rbcalc
from rbcalc._outputs import verify
from rbcalc._rebill import rebill
from rbcalc._sample import sample

PARTNERSHIP, YEAR = "hartlepool_darlington_redcar", "2024-25"


@pytest.fixture(scope="module")
def caseload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rates") / "caseload"
    sample(rbcalc.load(), partnership=PARTNERSHIP, year=YEAR, dwellings=900, hereditaments=1200, out=folder)
    return folder


def bills(out: Path, council: str, subject: str) -> list[dict[str, Any]]:
    table = pq.read_table(out / council / subject / "bills.parquet")
    return table.sort_by(table.column_names[0]).to_pylist()


def test_each_council_and_each_subject_alone_is_as_in_one_run(caseload: Path, tmp_path: Path) -> None:
    councils = rbcalc.load().partnership(PARTNERSHIP).councils(YEAR)
    together = rebill(councils, YEAR, caseload, tmp_path / "together")
    assert [each.subject for each in together.every] == ["council_tax", "business_rates"]
    assert together.complete
    assert not verify(tmp_path / "together")
    rates = together.further[0]
    assert sum(rates.accounts.values()) >= 1200
    for council in councils:
        alone = rebill([council], YEAR, caseload, tmp_path / council.name)
        assert [each.subject for each in alone.every] == ["council_tax", "business_rates"]
        for one, both in zip(alone.every, together.every, strict=True):
            assert one.totals[council.name] == both.totals[council.name]
        for subject in ("", "business_rates"):
            assert bills(tmp_path / council.name, council.name, subject) == bills(tmp_path / "together", council.name, subject)
    only = rebill(councils, YEAR, caseload, tmp_path / "only", subjects=["business_rates"])
    assert only.subject == "business_rates"
    assert not only.further
    assert only.totals == rates.totals


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
