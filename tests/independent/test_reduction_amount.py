"""Council tax reduction for pensioners: applicable amounts, deductions and the daily amount, worked by hand.

PR = SI 2012/2885.  "Trap n" is the number in the project's list of mistakes that a naive calculation makes.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from independent.council_tax_reduction.applicable import applicable_amount, is_pensioner
from independent.council_tax_reduction.award import half_up
from independent.council_tax_reduction.deductions import weekly_deduction
from independent.council_tax_reduction.facts import NonDependant, UniversalCredit
from independent.council_tax_reduction.pension_age import pension_age_day
from independent.reduction_examples import NEW, OLD, household, on, person, pounds, working, year

JUNE_13, JUNE_16, JUNE_18, JUNE_20 = date(2013, 6, 10), date(2016, 6, 13), date(2018, 6, 11), date(2020, 6, 8)
JUNE_24, JUNE_25, JUNE_26 = date(2024, 6, 10), date(2025, 6, 9), date(2026, 6, 8)


# ---------------------------------------------------------------- pension age and who is a pensioner


@pytest.mark.parametrize(
    ("born", "reached"),
    [
        (date(1950, 4, 5), date(2010, 4, 5)),
        (date(1951, 10, 5), date(2013, 3, 6)),
        (date(1953, 4, 5), date(2016, 3, 6)),
        (date(1953, 4, 6), date(2016, 7, 6)),
        (date(1953, 12, 6), date(2019, 3, 6)),
        (date(1954, 10, 5), date(2020, 9, 6)),
        (date(1955, 3, 31), date(2021, 3, 31)),
        (date(1960, 4, 6), date(2026, 5, 6)),
        (date(1960, 7, 31), date(2026, 11, 30)),  # Pensions Act 1995 Sch 4 para 1(7A)
        (date(1961, 1, 31), date(2027, 11, 30)),
        (date(1961, 3, 6), date(2028, 3, 6)),
    ],
)
def test_the_qualifying_age(born: date, reached: date) -> None:
    assert pension_age_day(born) == reached


def test_a_pensioner_from_the_day_of_the_age() -> None:
    alone = household(person(born=date(1960, 4, 20)))
    assert not is_pensioner(alone, date(2026, 5, 19))
    assert is_pensioner(alone, date(2026, 5, 20))


@pytest.mark.parametrize("benefit", ["income_support", "jsa_income_based", "esa_income_related", "universal_credit"])
def test_a_benefit_of_the_partner_takes_the_couple_out(benefit: str) -> None:
    # PR reg 3(b), trap 27: a couple of mixed age on universal credit.
    assert not is_pensioner(household(person(), person("partner", date(1980, 1, 1), passport=benefit)), JUNE_25)


def test_an_award_left_out_of_account_does_not() -> None:
    award = UniversalCredit(pounds("300"), pounds("900"))
    couple = household(person(), person("partner", passport="universal_credit"), universal_credit=award, universal_credit_left_out=True)
    assert is_pensioner(couple, JUNE_25)


# ---------------------------------------------------------------- applicable amounts


@pytest.mark.parametrize(
    ("day", "born", "amount"),
    [
        (JUNE_13, date(1948, 6, 10), "163.50"),  # 65 on that day
        (JUNE_13, date(1948, 6, 11), "145.40"),
        (JUNE_18, date(1950, 1, 1), "176.40"),
        (JUNE_18, date(1953, 6, 12), "163.00"),
        (date(2018, 12, 6), date(1953, 11, 5), "176.40"),  # one rate from 6 December 2018
        (JUNE_20, OLD, "187.75"),
        (JUNE_24, date(1955, 3, 31), "235.20"),  # 66 on 31 March 2021, trap 23
        (JUNE_24, date(1955, 4, 1), "218.15"),
        (JUNE_25, OLD, "244.40"),
        (JUNE_26, NEW, "238.00"),
    ],
)
def test_the_allowance_of_a_single_person(day: date, born: date, amount: str) -> None:
    assert applicable_amount(household(person(born=born)), day).amount == pounds(amount)


@pytest.mark.parametrize(
    ("day", "mine", "theirs", "amount"),
    [
        (JUNE_13, OLD, date(1951, 1, 1), "244.95"),  # one of them is 65
        (JUNE_16, date(1952, 1, 1), date(1952, 2, 2), "237.55"),
        (JUNE_25, NEW, OLD, "366.00"),  # one before 1 April 2021 is enough
        (JUNE_25, NEW, NEW, "346.60"),
        (JUNE_26, NEW, date(1975, 1, 1), "363.25"),  # the other is not of pension age: no row fits; the lower is taken
    ],
)
def test_the_allowance_of_a_couple(day: date, mine: date, theirs: date, amount: str) -> None:
    assert applicable_amount(household(person(born=mine), person("partner", theirs)), day).amount == pounds(amount)


@pytest.mark.parametrize(
    ("day", "saved", "amount"),
    [
        (date(2017, 6, 12), False, "373.25"),  # 172.55 + 3 x 66.90
        (date(2024, 6, 10), False, "401.68"),  # 235.20 + 2 x 83.24
        (date(2024, 6, 10), True, "484.92"),  # SI 2017/1305 reg 17: 235.20 + 3 x 83.24
        (date(2025, 6, 9), False, "498.38"),  # trap 25: 244.40 + 3 x 84.66
    ],
)
def test_three_children(day: date, saved: bool, amount: str) -> None:
    children = [person("child", date(day.year - 8, 1, 1), key=str(place)) for place in range(3)]
    assert applicable_amount(household(person(), *children, children_saved=saved), day).amount == pounds(amount)


@pytest.mark.parametrize(
    ("day", "saved", "premium"),
    [
        (date(2015, 6, 8), False, "17.45"),
        (date(2016, 5, 1), False, "17.45"),  # the Sunday of the last week that began in April
        (date(2016, 5, 2), False, "0"),
        (date(2016, 5, 2), True, "17.45"),
        (date(2026, 6, 8), True, "20.22"),
    ],
)
def test_the_family_premium(day: date, saved: bool, premium: str) -> None:
    facts = household(person(), person("child", date(2010, 1, 1)), family_premium_saved=saved)
    assert applicable_amount(facts, day).family == pounds(premium)


AA = "attendance_allowance"


@pytest.mark.parametrize(
    ("people", "premium"),
    [
        ([person(care=AA)], "86.05"),
        ([person(care="dla_care_lowest")], "0"),
        ([person(care=AA, cared_for=True)], "0"),
        ([person(care=AA), person("partner", care="pip_daily_living_standard")], "172.10"),
        ([person(care=AA, cared_for=True), person("partner", care=AA)], "86.05"),
        ([person(care=AA, cared_for=True), person("partner", care=AA, cared_for=True)], "0"),
        ([person(care=AA), person("partner")], "0"),
        ([person(care=AA), person("partner", blind=True)], "86.05"),  # PR Sch 2 para 6(3)
        ([person(care=AA, cared_for=True), person("partner", blind=True)], "0"),
    ],
)
def test_severe_disability(people: list[object], premium: str) -> None:
    found = applicable_amount(household(*people), JUNE_26).premiums["severe_disability"]  # type: ignore[arg-type]
    assert found == pounds(premium)


def test_severe_disability_with_a_non_dependant() -> None:
    with_son = household(person(care=AA), non_dependants=(working("100"),))
    assert applicable_amount(with_son, JUNE_26).premiums["severe_disability"] == 0
    guest = household(person(care=AA), non_dependants=(NonDependant(exempt="lives_elsewhere"),))
    assert applicable_amount(guest, JUNE_26).premiums["severe_disability"] == pounds("86.05")


def test_premiums_add_up() -> None:
    # Carer (two of them), enhanced disability and disabled child: 352.00 + 83.24 + 2 x 45.60 + 32.20 + 80.01.
    child = person("child", date(2015, 1, 1), care="dla_care_highest")
    facts = household(person(carer=True), person("partner", carer=True), child)
    assert applicable_amount(facts, JUNE_24).amount == pounds("638.65")


def test_a_child_with_the_lowest_rate_is_a_disabled_child_only() -> None:
    child = person("child", date(2015, 1, 1), care="dla_care_lowest")
    assert applicable_amount(household(person(), child), JUNE_25).premiums == {
        "severe_disability": 0,
        "enhanced_disability": 0,
        "disabled_child": pounds("81.37"),
        "carer": 0,
    }


# ---------------------------------------------------------------- non-dependants


@pytest.mark.parametrize(
    ("gross", "deduction"),
    [
        ("278.99", "5.20"),
        ("279.00", "10.60"),  # trap 17: not less than
        ("484.99", "10.60"),
        ("485.00", "13.30"),
        ("604.99", "13.30"),
        ("605.00", "15.95"),
        (None, "15.95"),  # not shown to the authority
    ],
)
def test_the_bands_of_2026_27(gross: str | None, deduction: str) -> None:
    assert weekly_deduction(working(gross), JUNE_26) == pounds(deduction)


def test_out_of_work_whatever_the_income() -> None:
    assert weekly_deduction(NonDependant(gross_income=pounds("900")), JUNE_26) == pounds("5.20")


def test_one_deduction_for_a_couple() -> None:
    # Trap 19: joint income of 500; the one in work bears the band, the student nothing; the higher of the two.
    couple = working("500", couple=True, other_exempt="full_time_student")
    assert weekly_deduction(couple, JUNE_26) == pounds("13.30")
    assert weekly_deduction(NonDependant(couple=True, gross_income=pounds("500"), exempt="pension_credit"), JUNE_26) == pounds("5.20")


@pytest.mark.parametrize(
    ("exempt", "first_year"), [("forces_on_operations", 2014), ("universal_credit_without_earnings", 2015), ("pension_credit", 2013)]
)
def test_exemptions_of_later_years(exempt: str, first_year: int) -> None:
    one = NonDependant(exempt=exempt)
    assert weekly_deduction(one, date(first_year, 6, 3)) == 0
    assert first_year == 2013 or weekly_deduction(one, date(first_year - 1, 6, 3)) > 0


@pytest.mark.parametrize("care", ["dla_care_lowest", "pip_daily_living_standard", AA])
def test_no_deduction_for_those_with_care(care: str) -> None:
    # Trap 18, PR Sch 1 para 8(6): any rate, and the partner's too.
    facts = household(person(), person("partner", care=care), non_dependants=(working(),))
    assert on(JUNE_26, facts).non_dependant_deductions == 0


def test_deductions_are_shared_equally_without_rounding() -> None:
    facts = household(person(), jointly_liable=3, non_dependants=(working("300"),))
    found = on(JUNE_26, facts)
    assert found.non_dependant_deductions == Fraction(1060, 300)
    assert found.maximum_a_day == Fraction(500, 365) - Fraction(1060, 2100)  # 1500 / 3 / 365 less the share of 10.60 / 7


# ---------------------------------------------------------------- the amount


def test_class_a() -> None:
    facts = household(person(incomes={"state_pension": "244.40"}))
    assert on(JUNE_25, facts).a_day == Fraction(1500, 365)


def test_class_b_is_twenty_per_cent_of_the_weekly_excess() -> None:
    # Traps 1 and 2: 2 6/7 % a day is 20 % a week.  Excess 40.00: 8.00 a week.
    found = on(JUNE_25, household(person(incomes={"state_pension": "284.40"})))
    assert found.excess_income == 40
    assert found.a_day * 7 == Fraction(1500 * 7, 365) - 8


def test_a_leap_year_has_366_days() -> None:
    # Trap 5.
    assert on(date(2023, 6, 12), household()).a_day == Fraction(1500, 366)


def test_nothing_where_the_excess_is_as_much_as_the_maximum() -> None:
    # 1820 a year of 364 would be 35 a week: with 365 days the daily amount is 1825 / 365 = 5.00, 35.00 a week, excess 175.00.
    charge = year(2025, "1825.00")
    rich = household(person(incomes={"state_pension": "419.40"}))
    assert on(JUNE_25, rich, charge).a_day == 0
    nearly = household(person(incomes={"state_pension": "419.35"}))
    assert on(JUNE_25, nearly, charge).a_day == Fraction(1, 700)  # 5p of excess: a penny a week


@pytest.mark.parametrize(("capital", "entitled"), [("16000.00", True), ("16000.01", False)])
def test_the_capital_limit(capital: str, entitled: bool) -> None:
    found = on(JUNE_25, household(person(), capital=pounds(capital)))
    assert (found.a_day > 0) is entitled
    assert found.tariff_income == (12 if entitled else 0)


def test_guarantee_credit_leaves_capital_and_income_out() -> None:
    # Trap 22.
    rich = household(person(passport="guarantee_credit", incomes={"occupational_pension": "900"}), capital=pounds("90000"))
    assert on(JUNE_25, rich).a_day == Fraction(1500, 365)


# ---------------------------------------------------------------- second adults


@pytest.mark.parametrize(
    ("gross", "benefit", "share"),
    [
        (None, "pension_credit", "25"),
        ("288.99", None, "15"),
        ("289.00", None, "7.5"),
        ("374.99", None, "7.5"),
        ("375.00", None, "0"),
        ("0", "universal_credit_without_earnings", "15"),  # not in the table: income like any other
    ],
)
def test_the_alternative_maximum(gross: str | None, benefit: str | None, share: str) -> None:
    second = NonDependant(second_adult=True, second_adult_benefit=benefit, gross_income=None if gross is None else pounds(gross))
    facts = household(person(), capital=pounds("50000"), non_dependants=(second,))
    # Trap 22: the capital does not matter.  The base is the tax before the discount of 25 %.
    assert on(JUNE_26, facts, year(2026, "1500.00", "2000.00")).a_day == Fraction(2000, 365) * pounds(share) / 100


def test_income_of_those_on_benefits_is_left_out_of_the_sum() -> None:
    seconds = (
        NonDependant("a", second_adult=True, second_adult_benefit="income_support", gross_income=pounds("500")),
        NonDependant("b", second_adult=True, gross_income=pounds("100")),
    )
    facts = household(person(), capital=pounds("50000"), non_dependants=seconds)
    assert on(JUNE_26, facts).alternative_a_day == Fraction(1500, 365) * Fraction(15, 100)


def test_the_greater_of_the_two() -> None:
    # Trap 29.  Deduction 5.20 a week; excess 150.00: 30.00 a week off.  1500 x 7 / 365 = 28.77: class A or B gives nothing.
    second = NonDependant(second_adult=True, second_adult_benefit="pension_credit", exempt="pension_credit")
    facts = household(person(incomes={"state_pension": "406.00"}), non_dependants=(second,))
    found = on(JUNE_26, facts)
    assert found.means_tested_a_day == 0
    assert found.a_day == Fraction(375, 365)


def test_pennies_are_rounded_half_up() -> None:
    assert [half_up(Fraction(n, 10)) for n in (4, 5, 15, 24, 25)] == [0, 1, 2, 2, 3]
