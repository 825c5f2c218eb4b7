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


def test_an_award_that_the_benefit_cap_may_hold_back_is_unknown(together: Together) -> None:
    given = pence(award="1220.14", maximum="1220.14", earnings="0", other_income="0", housing="820")
    assert together.risen(given, 0) is None
    above = pence(award="1300.14", maximum="1300.14", earnings="0", other_income="0", housing="900")
    assert together.risen(above, 0) == pence(award="1324.90", maximum="1324.90")


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
