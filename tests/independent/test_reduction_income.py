"""Council tax reduction: income of pensioners, and the means test of people below pension age, worked by hand.

PR = SI 2012/2885, DS = SI 2012/2886.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from independent.council_tax_reduction.award import Figures, figures_on
from independent.council_tax_reduction.facts import Circumstances, Income, MissingFactError, NonDependant, Person, UniversalCredit
from independent.council_tax_reduction.income import PERIODS, pensioner_income, tariff_income, weekly
from independent.council_tax_reduction.working_age import Scheme
from independent.council_tax_reduction.working_age import tariff_income as working_age_tariff
from independent.reduction_examples import household, on, person, pounds, year

DAY = date(2026, 6, 8)
YOUNG = date(1985, 1, 1)


def income(facts: Circumstances) -> Fraction:
    return pensioner_income(facts, DAY).amount


def alone(**incomes: Any) -> Circumstances:
    return household(person(incomes=incomes))


def parent(*, child: dict[str, Any] | None = None, **facts: Any) -> Circumstances:
    return household(person(**facts), person("child", date(2016, 1, 1), **(child or {})))


@pytest.mark.parametrize(
    ("period", "expected"),
    [("weekly", "120"), ("fortnightly", "60"), ("four_weekly", "30"), ("monthly", "360/13"), ("quarterly", "120/13"), ("yearly", "30/13")],
)
def test_a_week_of_it(period: str, expected: str) -> None:
    assert weekly(Income("state_pension", Fraction(120), period)) == Fraction(expected)
    assert set(PERIODS) >= {period}


@pytest.mark.parametrize(
    ("capital", "tariff"), [("9999.99", 0), ("10000", 0), ("10000.01", 1), ("10001", 1), ("10500", 1), ("10501", 2), ("16000", 12)]
)
def test_tariff_income(capital: str, tariff: int) -> None:
    # PR Sch 1 para 37; trap 21.
    assert tariff_income(pounds(capital)) == tariff


@pytest.mark.parametrize(
    "kind",
    [
        "attendance_allowance",
        "pip_daily_living",
        "dla_mobility",
        "child_benefit",
        "guardians_allowance",
        "child_tax_credit",
        "child_maintenance",
        "bereavement_support_payment",
        "constant_attendance_allowance",
        "mobility_supplement",
        "charitable_payment",
        "foster_allowance",
        "rent_from_property",
        "other_income",
    ],
)
def test_what_is_not_in_the_closed_list(kind: str) -> None:
    assert income(alone(**{kind: "75.00"})) == 0


@pytest.mark.parametrize("kind", ["state_pension", "occupational_pension", "carers_allowance", "esa_contributory", "annuity"])
def test_what_counts_in_full(kind: str) -> None:
    assert income(alone(**{kind: "75.01"})) == pounds("75.01")


def test_ten_pounds_of_all_war_pensions_together() -> None:
    assert income(alone(war_disablement_pension="30", war_widows_pension="20")) == 40
    assert income(alone(guaranteed_income_payment="7")) == 0


@pytest.mark.parametrize(
    ("incomes", "expected"),
    [
        ({"trust_payment_for_needs": "30"}, 10),  # PR Sch 5 para 12(3): 20
        ({"trust_payment_for_needs": "30", "war_widows_pension": "10"}, 20),  # 10 where 10 is disregarded already
        ({"trust_payment_for_needs": "30", "widowed_parents_allowance": "15"}, 25),  # 5
        ({"trust_payment_for_needs": "30", "widowed_parents_allowance": "15", "war_widows_pension": "10"}, 30),  # nothing
    ],
)
def test_trust_payments(incomes: dict[str, str], expected: int) -> None:
    assert income(alone(**incomes)) == expected


@pytest.mark.parametrize(
    ("kind", "amount", "counted"),
    [("boarder", "20", "0"), ("boarder", "21", "0.50"), ("boarder", "80", "30"), ("sub_tenant", "19", "0"), ("sub_tenant", "50", "30")],
)
def test_boarders_and_tenants(kind: str, amount: str, counted: str) -> None:
    assert income(alone(**{kind: amount})) == pounds(counted)


def test_maintenance_with_and_without_a_child() -> None:
    assert income(alone(spousal_maintenance="40")) == 40
    assert income(parent(incomes={"spousal_maintenance": "40"})) == 25


# ---------------------------------------------------------------- earnings


@pytest.mark.parametrize(
    ("facts", "counted"),
    [
        (household(person(incomes={"employed_earnings": "100"})), 95),
        (household(person(incomes={"employed_earnings": "3"})), 0),
        (household(person(incomes={"employed_earnings": "100"}), person("partner")), 90),
        (household(person(incomes={"employed_earnings": "60"}), person("partner", incomes={"self_employed_earnings": "40"})), 90),
        (parent(incomes={"employed_earnings": "100"}), 75),
        (parent(incomes={"employed_earnings": "100"}, care="attendance_allowance", carer=True), 75),  # para 1: 25 in all
        (household(person(incomes={"employed_earnings": "100"}, carer=True)), 80),
        (household(person(incomes={"employed_earnings": "100"}), person("partner", carer=True)), 90),  # no earnings of the carer
        (household(person(incomes={"employed_earnings": "100"}), person("partner", blind=True)), 80),
        (household(person(incomes={"employed_earnings": "100"}, carer=True, long_term_sick=True)), 80),  # para 1: 20 in all
        # Para 3: 12 from the reserve forces, and 8 of the other earnings.
        (
            household(
                person(incomes={"employed_earnings": "12"}, special_occupation=True), person("partner", incomes={"employed_earnings": "50"})
            ),
            42,
        ),
        (household(person(incomes={"statutory_sick_pay": "100"})), 95),  # para 18(1)(h)
    ],
)
def test_earnings_disregards(facts: Circumstances, counted: int) -> None:
    assert income(facts) == counted


@pytest.mark.parametrize(
    ("earned", "hours", "counted"),
    [
        ("100.00", 30, "77.90"),  # 5 and 17.10
        ("100.00", 29, "95.00"),
        ("22.10", 30, "0"),
        ("22.09", 30, "17.09"),  # less than the sum of the two
    ],
)
def test_the_additional_disregard(earned: str, hours: int, counted: str) -> None:
    assert income(household(person(incomes={"employed_earnings": earned}, hours=Fraction(hours)))) == pounds(counted)


def test_it_comes_off_working_tax_credit_where_earnings_are_too_low() -> None:
    facts = household(person(incomes={"employed_earnings": "22.09", "working_tax_credit": "50"}, hours=Fraction(30)))
    assert income(facts) == pounds("17.09") + pounds("32.90")


def test_exempt_work() -> None:
    facts = household(
        person(incomes={"employed_earnings": "50"}, exempt_work_limit=pounds("101")),
        person("partner", incomes={"employed_earnings": "60"}),
    )
    assert income(facts) == 40  # PR Sch 4 para 6(4): 20 of the partner's


# ---------------------------------------------------------------- child care


def test_child_care_up_to_the_limit() -> None:
    # 400 - 25 - 17.10 - 175: a lone parent of 16 hours (para 10(2)(b)(iii)).
    facts = parent(incomes={"employed_earnings": "400"}, hours=Fraction(16), child={"child_care": pounds("190")})
    assert income(facts) == pounds("182.90")


def test_child_care_for_two_children() -> None:
    children = [person("child", date(2016, 1, 1), key=str(place), child_care=pounds("160")) for place in range(2)]
    assert income(household(person(incomes={"employed_earnings": "400"}), *children)) == 400 - 25 - 300


def test_child_care_from_earnings_and_then_from_tax_credit() -> None:
    # 100 - 25 = 75 of earnings left, 60 of credit; charges 120 come off both, nothing off the pension.
    facts = parent(
        incomes={"employed_earnings": "100", "working_tax_credit": "60", "state_pension": "90"}, child={"child_care": pounds("120")}
    )
    assert income(facts) == 75 + 60 + 90 - 120


def test_child_care_never_comes_off_other_income() -> None:
    facts = parent(incomes={"employed_earnings": "100", "state_pension": "90"}, child={"child_care": pounds("120")})
    assert income(facts) == 90


# ---------------------------------------------------------------- savings credit


def test_the_assessed_income_figure_with_the_credit() -> None:
    facts = household(person(passport="savings_credit", incomes={"savings_credit": "12.34", "occupational_pension": "500"}))
    assert pensioner_income(Circumstances(facts.people, assessed_income=pounds("200.66")), DAY).amount == 213


def test_adjustments_of_the_assessed_income_figure() -> None:
    # Para 14(2): + 10 credit, - 50 child care, - 5 for the lone parent's earnings, - 17.10.
    facts = parent(
        passport="savings_credit",
        hours=Fraction(20),
        incomes={"savings_credit": "10", "employed_earnings": "150"},
        child={"child_care": pounds("50")},
    )
    assert pensioner_income(Circumstances(facts.people, assessed_income=pounds("300")), DAY).amount == pounds("237.90")


def test_facts_that_are_needed() -> None:
    with pytest.raises(MissingFactError, match="assessed income"):
        pensioner_income(household(person(passport="savings_credit")), DAY)
    with pytest.raises(MissingFactError, match="capital"):
        on(DAY, household(capital=None))


# ---------------------------------------------------------------- people below pension age


@pytest.mark.parametrize(("capital", "tariff"), [("6000", 0), ("6000.01", 1), ("6250", 1), ("6251", 2), ("16000", 40)])
def test_tariff_income_below_pension_age(capital: str, tariff: int) -> None:
    assert working_age_tariff(pounds(capital), Scheme()) == tariff


def young(**facts: Any) -> Person:
    return person(born=YOUNG, **facts)


def below(facts: Circumstances, begins: int = 2025, annual: str = "1500", share: str = "1") -> Figures:
    """The figures of a Monday in June under a scheme of the default form."""
    day = date(begins, 6, 9) if begins == 2025 else date(begins, 6, 10 if begins == 2013 else 8)
    return figures_on(facts, year(begins, annual), day, scheme=Scheme(share=Fraction(share)))


def means(found: Figures) -> tuple[Fraction | int, Fraction | int, Fraction | int]:
    return found.applicable_amount, found.assessable_income, found.excess_income


def test_a_single_person_of_25() -> None:
    # 120 - 5 - 71.70 = 43.30 of excess: 8.66 a week.
    found = below(household(young(incomes={"employed_earnings": "120"})), 2013)
    assert means(found) == (pounds("71.70"), 115, pounds("43.30"))
    assert found.a_day * 7 == Fraction(1500 * 7, 365) - pounds("8.66")


def test_a_share_comes_before_the_deductions_and_the_taper() -> None:
    # Trap 34, the order of Stevenage and Rushcliffe: 91.5 % of 1460 is 3.66 a day, 25.62 a week; less 20 % of 10.
    found = below(household(young(incomes={"esa_contributory": "105.55"})), 2026, "1460", "0.915")
    assert found.a_day * 7 == pounds("25.62") - 2


def test_universal_credit() -> None:
    # DS paras 28 and 37: maximum 1300, award 780, earnings 650: income 330 a week against 300.
    award = UniversalCredit(award=pounds("780"), maximum=pounds("1300"), earnings=pounds("650"))
    found = below(household(young(passport="universal_credit"), universal_credit=award))
    assert means(found) == (300, 330, 30)


def test_other_income_is_not_a_closed_list() -> None:
    assert below(household(young(incomes={"other_income": "10", "child_benefit": "20"}))).assessable_income == 10


def test_a_passport_leaves_everything_out() -> None:
    rich = household(young(passport="income_support", incomes={"other_income": "999"}), capital=pounds("20000"))
    assert below(rich).a_day == Fraction(1500, 365)


def test_a_lone_parent_with_a_disabled_child() -> None:
    # 2025-26: 92.05 + 84.66 + 81.37; income 300 - 25 - 17.10 (16 hours) - 257.90 of excess left nothing.
    child = person("child", date(2016, 1, 1), care="dla_care_middle")
    found = below(household(young(incomes={"employed_earnings": "300"}, hours=Fraction(16)), child))
    assert means(found) == (pounds("258.08"), pounds("257.90"), 0)


def test_a_non_dependant_counts_at_once() -> None:
    son = NonDependant(moved_in=date(2025, 6, 2))
    assert below(household(young(), non_dependants=(son,))).a_day == Fraction(1500, 365) - Fraction(5, 7)
