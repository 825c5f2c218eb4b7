"""Universal Credit after April: what a record's amounts prove, and that a divided claim keeps its people."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

import rbcalc
from rbcalc._years import EPOCH, FinancialYear
from rbcalc.caseload.importing import import_caseload
from rbcalc.rulebook.both import records_of
from rbcalc.running.roll_forward import NOT_THEN, RATE, UNKNOWN, Uprating, roll_forward, uprating_for
from rbcalc.running.roll_together import Together
from rbcalc_kernels.program.graph import Program
from totals.small import written

YEAR = FinancialYear(2026)
APRIL = date(2026, 4, 6).toordinal() - EPOCH
CLAIMS = """claim,account,from,to,capital,universal_credit_award,\
universal_credit_maximum,universal_credit_earnings,\
universal_credit_other_income,universal_credit_housing,universal_credit_carer
c6,pensioner,2020-04-01,,1000,,,,,,
c7,partly,2020-04-01,,1000,1173.49,1387.44,800,0,200,201.68
c8,working_age,2020-04-01,2026-01-31,1000,400.14,400.14,0,0,,
c8,working_age,2026-02-01,,1000,400.13,400.14,0,0,,
"""
HOUSEHOLD = """claim,person,from,to,role,born
c6,p6,2020-04-01,,applicant,1945-01-01
c7,p7,2020-04-01,,applicant,1990-01-01
c7,k1,2020-04-01,,child,2018-01-01
c7,k2,2021-04-01,,child,2021-04-01
c8,p8,2020-04-01,,applicant,1990-01-01
"""


def pence(**amounts: str) -> dict[str, int]:
    return {f"universal_credit_{name}": int(Fraction(amount) * 100) for name, amount in amounts.items()}


@pytest.fixture(scope="module")
def uprating() -> Uprating:
    return uprating_for(rbcalc.load(), YEAR)


@pytest.fixture
def together(uprating: Uprating) -> Together:
    assert uprating.rates.together is not None
    return uprating.rates.together


def test_a_single_person_with_nothing_else(together: Together) -> None:
    given = pence(award="400.14", maximum="400.14", earnings="0", other_income="0")
    assert together.risen(given, 0) == pence(award="424.90", maximum="424.90")


def test_elements_children_and_earnings_above_an_allowance(together: Together) -> None:
    """£628.10 + £339.00 + £292.81 + £423.27 + rent £500 = £2,183.18; of £1,000 less £411 55 % is £323.95."""
    given = pence(award="1859.23", maximum="2183.18", earnings="1000", other_income="0", housing="500", limited_capability="423.27")
    # £666.97 + £351.88 + £303.94 + £429.80 + £500 = £2,252.59; 55 % of £573 is £315.15
    assert together.risen(given, 2) == pence(award="1937.44", maximum="2252.59", limited_capability="429.80")


@pytest.mark.parametrize(
    ("changed", "members"),
    [
        ({"award": "1859.22"}, 2),  # not what the amounts come to
        ({"maximum": "2183.17"}, 2),
        ({"limited_capability": "423.26"}, 2),
        ({"other_income": "83.30"}, 2),  # which rises too
        ({}, 1),
        ({}, 3),  # a third child, of whom the record of last year knows nothing
        ({"award": "0"}, 2),
    ],
)
def test_what_the_amounts_do_not_prove_stays_as_it_is(changed: dict[str, str], members: int, together: Together) -> None:
    given = pence(award="1859.23", maximum="2183.18", earnings="1000", other_income="0", housing="500", limited_capability="423.27")
    assert together.risen(given | pence(**changed), members) is None


@pytest.mark.parametrize(
    ("members", "rent", "more", "rises"),
    [
        # £14,753 / 12 is £1,229.41 and two thirds of a penny: £424.90 and £804.51 are just below it, one penny more is above
        (0, "804.51", {}, True),
        (0, "804.52", {}, False),
        (0, "829.27", {}, False),  # £1,229.41 before the rise
        (0, "829.28", {}, True),  # above the limit before and in payment: there is none
        # £22,020 / 12 is £1,835 and child benefit £27.05 a week, £117.21 and two thirds of a penny for a month
        (1, "940.99", {}, True),  # £424.90, £351.88 and this come to £1,717.77 after the rise, below £1,717.78
        (1, "941.01", {}, False),
        (1, "1095.86", {}, False),  # £1,835 before, even if no child benefit was in payment
        (1, "1095.87", {}, True),
        (1, "1095.86", {"carer": "201.68"}, True),  # reg. 83(1)(j)
        (1, "700", {"limited_capability": "423.27"}, True),  # reg. 83(1)(a)
        (1, "900", {"limited_capability": "158.76"}, False),
        (1, "1041.00", {"childcare": "100"}, False),  # reg. 81(1): above by a penny more than childcare
        (1, "940.99", {"childcare": "100"}, True),
    ],
)
def test_an_award_that_the_benefit_cap_may_hold_back_is_unknown(
    members: int, rent: str, more: dict[str, str], rises: bool, together: Together
) -> None:
    whole = Fraction("400.14") + (Fraction("339.00") if members else 0) + Fraction(rent) + sum(map(Fraction, more.values()))
    amount = f"{float(whole):.2f}"
    given = pence(award=amount, maximum=amount, earnings="0", other_income="0", housing=rent, **more)
    assert (together.risen(given, members) is not None) == rises


def test_the_year_before_has_amounts_of_its_own() -> None:
    """£617.60 + £333.33 + £287.92 + £198.31 = £1,437.16; of £1,000 less £673 55 % is £179.85."""
    rates = uprating_for(rbcalc.load(), FinancialYear(2025)).rates
    assert rates.together is not None
    given = pence(award="1257.31", maximum="1437.16", earnings="1000", other_income="0", carer="198.31")
    # £628.10 + £339.00 + £292.81 + £201.68 = £1,461.59; of £1,000 less £684 55 % is £173.80
    assert rates.together.risen(given, 2) == pence(award="1287.79", maximum="1461.59", carer="201.68")


def test_parts_without_the_whole_rise_by_themselves(together: Together) -> None:
    assert together.risen(pence(carer="403.36"), 0) == pence(carer="418.68")
    assert together.risen(pence(disabled_child="654.63"), 1) == pence(disabled_child="679.50")
    assert together.risen(pence(limited_capability="158.76"), 0) == pence(limited_capability="158.76")


def test_a_claim_is_divided_and_keeps_its_people(uprating: Uprating, tmp_path: Path) -> None:
    program: Program = rbcalc.load().council("stevenage").program(YEAR)
    folder = written(tmp_path / "in")
    (folder / "claims.csv").write_text(CLAIMS, encoding="utf-8")
    (folder / "household.csv").write_text(HOUSEHOLD, encoding="utf-8")
    caseload = import_caseload(folder, program, council="stevenage", keep_private=True)
    rolled, counts = roll_forward(caseload, program.registers, uprating.rates)
    assert [counts["claims.universal_credit_award", how] for how in (RATE, UNKNOWN, NOT_THEN)] == [1, 1, 1]
    place = rolled.references.to_pylist().index("partly")
    records = records_of(program, rolled.columns(), place)
    amounts = [(r["from"], r["to"], r["universal_credit_award"], r["universal_credit_carer"]) for r in records["claims"]]
    # £400.14 + £292.81 x 2 + £200 + £201.68, less 55 % of £389; then £424.90 + £303.94 x 2 + £200 + £209.34, less 55 % of £373
    assert amounts[0][1:] == (APRIL - 1, Fraction("1173.49"), Fraction("201.68"))
    assert amounts[1] == (APRIL, amounts[1][1], Fraction("1236.97"), Fraction("209.34"))
    assert sorted(str(r["role"]) for r in records["household"]) == ["applicant", "child", "child"]
    again, _ = roll_forward(rolled, program.registers, uprating.rates)
    assert again.digest == rolled.digest, "rolled forward twice"
