"""What the totals of a run say agrees with itself: what is divided adds up to the whole, by council and for all councils."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import rbcalc
from rbcalc.running.rebill import rebill
from rbcalc.running.run import Summary
from rbcalc.running.tax_base import collection_rates
from totals.small import written

YEAR = "2026-27"
SPLIT = "by_precepting_body", "reduction_by_precepting_body"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("totals")


@pytest.fixture(scope="module")
def summary(folder: Path) -> Summary:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RBCALC_ENGINE", "python")
        council = rbcalc.load().council("stevenage")
        rates = collection_rates(["98%"], ["stevenage"])
        return rebill([council], YEAR, written(folder / "in"), folder / "out", keep_private=True, collection_rates=rates)


@pytest.fixture(scope="module")
def partnership(folder: Path) -> Summary:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RBCALC_ENGINE", "python")
        rules = rbcalc.load()
        service = rules.partnership("east_herts_stevenage")
        rbcalc.sample(rules, partnership=service.name, year=YEAR, out=folder / "both", dwellings=60)
        return rebill(service.councils(YEAR), YEAR, folder / "both", folder / "both-out")


def total(summary: Summary, report: str, figure: str, council: str | None = None) -> Fraction:
    sums = [ref.name for ref in summary.report(report).sums]
    return sum((figures[sums.index(figure)] for figures in summary.table(report, council).values()), Fraction(0))


def agree(summary: Summary, council: str | None) -> None:
    whole = {name: total(summary, "whole", name, council) for name in ("charge_total", "council_tax_reduction", "reductions", "bill")}
    assert whole["bill"] == whole["charge_total"] - whole["council_tax_reduction"] - whole["reductions"]
    for report in ("by_band", "by_discount_class", "by_area", SPLIT[0]):
        assert total(summary, report, "charge", council) == whole["charge_total"], report
    for report in ("by_scheme", "by_reduction_class", "by_reduction_band", SPLIT[1]):
        assert total(summary, report, "awarded", council) == whole["council_tax_reduction"], report
    for report in ("by_scheme", "by_reduction_class", "by_reduction_band"):
        assert total(summary, report, "claims_begun", council) == total(summary, "whole", "claims", council), report


def test_every_report_comes_to_the_same_whole(summary: Summary) -> None:
    agree(summary, "stevenage")
    assert total(summary, "whole", "council_tax_reduction") > 0
    assert total(summary, "whole", "claims") == 3


def test_the_totals_are_the_sums_of_the_bills(summary: Summary, folder: Path) -> None:
    bills = pq.read_table(folder / "out" / "stevenage" / "bills.parquet").to_pylist()
    for name in ("charge_total", "council_tax_reduction", "reductions", "bill"):
        assert total(summary, "whole", name) == sum(Fraction(row[name]) for row in bills)
    awards = pq.read_table(folder / "out" / "stevenage" / "awards.parquet").to_pylist()
    assert total(summary, "by_scheme", "awarded") == sum(Fraction(row["awarded"]) for row in awards)


def test_councils_agree_alone_and_together(partnership: Summary) -> None:
    assert len(partnership.councils) > 1
    for council in (*partnership.councils, None):
        agree(partnership, council)
    for name in ("charge_total", "council_tax_reduction", "bill", "claims"):
        parts = [total(partnership, "whole", name, council) for council in partnership.councils]
        assert all(parts)
        assert total(partnership, "whole", name) == sum(parts)


def test_every_precepting_body_bears_its_share_of_the_reduction(summary: Summary) -> None:
    charges = {keys[1]: figures[0] for keys, figures in summary.table(SPLIT[0]).items()}
    reductions = {keys[1]: figures[0] for keys, figures in summary.table(SPLIT[1]).items()}
    assert set(reductions) == set(charges)
    assert all(0 < reductions[body] < charges[body] for body in reductions)


def test_what_belongs_to_no_council_is_among_the_rejects_of_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RBCALC_ENGINE", "python")
    tables = written(folder / "stray")
    with (tables / "claims.csv").open("a", encoding="utf-8") as file:
        file.write("c9,nobody,2020-04-01,1000\n")
    made = rebill([rbcalc.load().council("stevenage")], YEAR, tables, folder / "stray-out", keep_private=True)
    assert made.rejects == 2  # one account ended before the year
    (row,) = pq.read_table(folder / "stray-out" / "rejects.parquet").to_pylist()
    assert (row["table"], row["row"], row["column"]) == ("claims", 5, "account")
