"""Last year's facts as they are after April: what rises, to what, from which day, and that nothing else is touched."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

import rbcalc
from rbcalc._years import EPOCH, FinancialYear
from rbcalc.caseload.importing import import_caseload
from rbcalc.caseload.model import Caseload
from rbcalc.errors import UsageError
from rbcalc.rulebook.both import records_of
from rbcalc.running.roll_forward import (
    ENDED,
    NOT_THEN,
    OUTCOMES,
    PER_CENT,
    RATE,
    UNCHANGED,
    UNKNOWN,
    Uprating,
    growth_of,
    roll_forward,
    uprating_for,
)
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.program.graph import Program
from totals.small import written

YEAR = FinancialYear(2026)
MONDAY = date(2026, 4, 6).toordinal() - EPOCH


@pytest.fixture(scope="module")
def program() -> Program:
    return rbcalc.load().council("stevenage").program(YEAR)


@pytest.fixture(scope="module")
def caseload(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Caseload:
    return import_caseload(written(tmp_path_factory.mktemp("roll") / "in"), program, council="stevenage", keep_private=True)


@pytest.fixture
def uprating() -> Uprating:
    return uprating_for(rbcalc.load(), YEAR)


def incomes(program: Program, caseload: Caseload, account: str) -> set[tuple[str, Fraction, int | None, int | None]]:
    """An account's incomes: the kind, the amount, the first day if it is in the year, and the last day."""
    place = caseload.references.to_pylist().index(account)
    records = records_of(program, caseload.columns(), place)["incomes"]
    return {(r["income_kind"], r["amount"], r["from"] if r["from"] > YEAR.first_day else None, r["to"]) for r in records}  # type: ignore[operator, misc]


def test_amounts_rise_on_their_day_and_the_record_before_ends(program: Program, caseload: Caseload, uprating: Uprating) -> None:
    rolled, _ = roll_forward(caseload, program.registers, uprating.rates)
    assert incomes(program, rolled, "partly") == {
        ("state_pension", Fraction(921), None, MONDAY - 1),
        ("state_pension", Fraction("965.20"), MONDAY, None),  # four weeks of £241.30
        ("occupational_pension", Fraction(100), None, None),
        ("annuity", Fraction(10), None, date(2026, 1, 31).toordinal() - EPOCH),
    }
    assert incomes(program, rolled, "working_age") == {
        ("jsa_contribution_based", Fraction("92.05"), None, MONDAY - 1),
        ("jsa_contribution_based", Fraction("95.55"), MONDAY, None),
        ("pip_daily_living", Fraction("76.70"), None, None),  # raised already
        ("pip_mobility", Fraction("30.30"), MONDAY, None),  # begins with the rise
        ("employed_earnings", Fraction(100), None, None),
        ("child_benefit", Fraction("26.05"), None, None),
    }


def test_a_part_of_the_full_rate_rises_in_proportion(program: Program, caseload: Caseload, uprating: Uprating) -> None:
    rolled, _ = roll_forward(caseload, program.registers, uprating.rates)
    # £100 x 241.30 / 230.25 = £104.799...
    assert ("state_pension", Fraction("104.80"), MONDAY, None) in incomes(program, rolled, "pensioner")
    rise = uprating.rates.rises["state_pension"]
    # above the full rate: £241.30 + £19.75 x 1.038 = £261.8005
    assert rise.of(25_000, Fraction(1)) == (26_180, PER_CENT)
    assert rise.of(23_025, Fraction(1)) == (24_130, RATE)
    assert rise.of(17_645 * 2, Fraction(2)) == (18_490 * 2, RATE)


def test_the_caseload_that_was_given_stays_as_it_is(program: Program, caseload: Caseload, uprating: Uprating) -> None:
    before = caseload.digest
    rolled, _ = roll_forward(caseload, program.registers, uprating.rates)
    assert caseload.digest == before != rolled.digest
    again, _ = roll_forward(rolled, program.registers, uprating.rates)
    assert again.digest == rolled.digest, "rolled forward twice"


def test_every_income_is_counted_once(program: Program, caseload: Caseload, uprating: Uprating) -> None:
    uprating.rolled_forward(caseload, program.registers)
    assert sum(uprating.shown()[-1][1]) == caseload.registers["incomes"].count
    counts = uprating.counts
    assert counts["state_pension", RATE] == counts["state_pension", PER_CENT] == 1
    assert counts["annuity", NOT_THEN] == counts["pip_mobility", NOT_THEN] == 1
    assert counts["child_benefit", UNKNOWN] == 1
    assert counts["employed_earnings", UNCHANGED] == 1
    assert counts[ENDED] == 1
    assert any("earnings are as recorded" in text for text in uprating.assumptions)


def test_earnings_grow_by_the_stated_assumption_only(program: Program, caseload: Caseload) -> None:
    growing = uprating_for(rbcalc.load(), YEAR, growth_of("3.5%"))
    rolled, _ = roll_forward(caseload, program.registers, growing.rates)
    assert ("employed_earnings", Fraction("103.50"), None, None) in incomes(program, rolled, "working_age")
    assert any("assumed to grow by 3.5 %" in text for text in growing.assumptions)


def test_every_kind_of_income_is_spoken_of(program: Program, uprating: Uprating) -> None:
    for year in (FinancialYear(2025), YEAR):
        rates = uprating_for(rbcalc.load(), year).rates
        spoken = [*rates.rises, *rates.others]
        assert sorted(spoken) == sorted(program.lists["income_kind"].members)
        assert set(rates.weeks) == set(program.lists["frequency"].members)
        assert all(year.first_day <= rise.on <= year.first_day + 14 for rise in rates.rises.values())
    assert len(OUTCOMES) == 6


def test_one_years_rates_are_the_nexts_before() -> None:
    earlier = uprating_for(rbcalc.load(), FinancialYear(2025)).rates.rises
    for kind, rise in uprating_for(rbcalc.load(), YEAR).rates.rises.items():
        if earlier[kind].rates:
            assert set(earlier[kind].rates.values()) == set(rise.rates), kind


def test_a_year_without_upratings_is_refused() -> None:
    with pytest.raises(UsageError, match="RC052"):
        uprating_for(rbcalc.load(), FinancialYear(2031))


def test_who_follows_an_account_that_ended_keeps_the_dwelling(program: Program, caseload: Caseload, uprating: Uprating) -> None:
    rolled, _ = roll_forward(caseload, program.registers, uprating.rates)
    assert "gone" not in rolled.references.to_pylist()
    place = rolled.references.to_pylist().index("follows")
    assert [record["band"] for record in records_of(program, rolled.columns(), place)["dwellings"]] == ["D"]


@pytest.mark.parametrize(("plan", "effect"), [("first_of_april", YEAR.first_day), ("first_monday_in_april", MONDAY)])
def test_both_uprating_plans_take_the_rise(
    plan: str, effect: int, program: Program, caseload: Caseload, uprating: Uprating, tmp_path: Path
) -> None:
    scenario = tmp_path / "plan.yaml"
    scenario.write_text(
        f"kind: scenario\ntitle: Plan\nextends: [england.council_tax_reduction.dates]\nfrom: 2026-04-01\nsource: {{note: test}}\n"
        f"set: {{uprating_plan: {{value: {plan}}}}}\n",
        encoding="utf-8",
    )
    planned = rbcalc.load().council("stevenage").program(YEAR, scenarios=[scenario])
    rolled, _ = roll_forward(caseload, program.registers, uprating.rates)
    place = rolled.references.to_pylist().index("partly")
    root: Row = build(planned, records_of(planned, rolled.columns(), place))
    Evaluator(planned, None).run(root, None)
    counting = [row.values["takes_effect"] for row in root.children["assessment"]]
    assert counting == [YEAR.first_day, effect]
    assert [row.values["first_day"] for row in root.children["assessment"]] == [YEAR.first_day, MONDAY]
