"""What scripts/partnerships compares by: not a row, nor a penny of a total, may differ unseen."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from agreement.partnerships import RATES, Figures, between, cases, of_all

PENNIES = pa.decimal64(18, 2)


def bills(**amounts: str) -> pa.Table:
    return pa.table({"account": pa.array(list(amounts)), "bill": pa.array(map(Decimal, amounts.values()), PENNIES)})


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (bills(a="1.00", b="2.00"), bills(b="2.00", a="1.00"), 0),
        (bills(a="1.00", b="2.00"), bills(a="1.00", b="2.01"), 2),
        (bills(a="1.00", b="2.00"), bills(a="1.00"), 1),
        (bills(a="1.00"), pa.concat_tables([bills(a="1.00"), bills(a="1.00")]), 1),
        (bills(a="1.00"), bills(a="1.00").rename_columns(["account", "charge"]), 1),
    ],
)
def test_a_row_that_only_one_run_has_is_found(one: pa.Table, other: pa.Table, found: int) -> None:
    assert len(list(between(one, other))) == found


@pytest.mark.parametrize(("total", "found"), [("0.01", 0), ("0.02", 1), ("0.00", 1)])
def test_a_total_is_that_of_the_councils_rounded_once(total: str, found: int) -> None:
    own: Figures = {(council, RATES, "by_use", "shop", "bill"): "0.003" for council in ("one", "other")}
    table = pa.table({"use": ["shop"], "bill": pa.array([Decimal(total)], PENNIES)})
    assert len(list(of_all(table, own, RATES, "by_use"))) == found


def test_every_partnership_is_looked_at() -> None:
    there = list(cases(years=("2012-13", "2018-19", "2022-23")))
    assert {case.partnership for case in there} >= {"westwey", "stour_valley", "east_herts_stevenage"}
    assert all(len(case.councils) > 1 for case in there)
    assert any(case.whole for case in there)
    assert not all(case.whole for case in there)
