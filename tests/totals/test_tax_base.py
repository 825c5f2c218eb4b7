"""The Council Tax base of a handful of accounts, worked by hand from SI 2012/2914 regs. 3 to 5."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc.running.run import Summary
from rbcalc.running.tax_base import Line, TaxBase, collection_rates, rounded
from totals.test_totals import folder, summary, total

__all__ = ["folder", "summary"]  # fixtures
NINTHS = Fraction(1, 9)


def test_each_band_by_hand(summary: Summary) -> None:
    base = summary.bases["stevenage"]
    found = base.whole()
    # Band A with the disabled reduction and one adult: 5/9 of 0.75.  The exempt dwelling counts nowhere, the half year as 182 days.
    assert found["A_reduced"].relevant_amount == Fraction(3, 4) * 5 * NINTHS
    assert found["D"].figures["dwellings"] == 3 + Fraction(182, 365)
    assert found["C"].figures["dwellings"] == 2
    assert found["C"].figures["discounts"] == Fraction(1, 4)
    # Everything is met for the one in band C, so that no dwelling of it is left.
    assert found["C"].reductions == 1
    assert found["C"].relevant_amount == Fraction(3, 4) * 8 * NINTHS
    awards = {keys[0]: figures[0] for keys, figures in summary.table("by_reduction_band").items()}
    amounts = {
        keys[1]: values[0] for keys, (_, values) in summary.programs["stevenage"].tables["amount_for_band"].by_period[0].rows.items()
    }
    for band in ("B", "D"):
        assert found[band].reductions == awards[band] / amounts[band]
    assert base.base == base.relevant_amounts * Fraction(98, 100)


def test_the_base_times_band_d_is_what_is_to_be_collected(summary: Summary) -> None:
    base = summary.bases["stevenage"]
    band_d = summary.programs["stevenage"].tables["amount_for_band"].by_period[0].rows["whole", "D"][1][0]
    net = total(summary, "whole", "charge_total") - total(summary, "whole", "council_tax_reduction")
    assert abs(base.relevant_amounts * Fraction(band_d) - net) < Fraction(1, 10)  # the amounts of the other bands are in whole pence


def test_it_is_written_exactly(summary: Summary, folder: Path) -> None:
    written = pq.read_table(folder / "out" / "stevenage" / "totals" / "tax_base.parquet")
    exact = sum(Fraction(text) for text in written["tax_base_exact"].to_pylist())
    assert exact == summary.bases["stevenage"].base
    assert not (folder / "out" / "stevenage" / "totals" / "tax_base_dwellings.parquet").exists()


def test_parts_of_the_area_add_up() -> None:
    parts = tuple(Line((area, "D"), {"dwellings": Fraction(n)}, Fraction(0), Fraction(1), Fraction(n)) for area, n in (("x", 10), ("y", 7)))
    base = TaxBase("made_up", FinancialYear(2026), Fraction(985, 1000), ("area", "charged_band"), parts)
    assert base.whole()["D"].relevant_amount == 17
    assert base.by_area() == {"x": Fraction("9.85"), "y": Fraction("6.895")}
    assert sum(base.by_area().values()) == base.base


def test_only_the_end_is_rounded() -> None:
    # Stevenage for 2026-27: 29,473.9 x 98 % printed as 28,884.5, which no product of rounded figures gives.
    assert rounded(Fraction("29473.94") * Fraction(98, 100), 1) == "28,884.5"
    assert rounded(Fraction("29473.9") * Fraction(98, 100), 1) == "28,884.4"
    assert [rounded(Fraction(n, 100), 1) for n in (4, 5, -5, -4)] == ["0.0", "0.1", "-0.1", "0.0"]


@pytest.mark.parametrize("given", [["98"], ["0%"], ["101%"], ["nowhere=98%"], ["a=98%"], ["98%%"]])
def test_a_collection_rate_is_declared_and_never_assumed(given: list[str]) -> None:
    with pytest.raises(UsageError, match="RC051"):
        collection_rates(given, ["a", "b"])


def test_each_council_has_its_own_rate() -> None:
    assert collection_rates(["98.5%", "b=97%"], ["a", "b"]) == {"a": Fraction(985, 1000), "b": Fraction(97, 100)}
    assert collection_rates([], ["a", "b"]) == {}
