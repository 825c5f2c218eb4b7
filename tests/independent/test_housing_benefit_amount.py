"""Housing Benefit: applicable amounts, income, deductions, the taper, 50p and the benefit cap, by hand and from published pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from independent.council_tax_reduction.amounts import ADDITIONS, TWO_RATES, WORKING
from independent.housing_benefit.amounts import BANDS, YEARS, cap
from independent.housing_benefit.award import Figures, figures_on
from independent.housing_benefit.deductions import weekly_deduction
from independent.housing_benefit.examples import OLD, YOUNG, child, household, lodger, person, pounds, social
from independent.housing_benefit.facts import Household, Tenancy
from independent.housing_benefit.means import means, no_longer_entitled, pension_age, working_age_applicable

DAY = date(2025, 6, 2)
ONE_OF_2013 = date(2013, 6, 3)
ONE = household(person())


def figures(living: Household, rent: str | Tenancy = "100.00", day: date = DAY) -> Figures:
    return figures_on(living, social(rent) if isinstance(rent, str) else rent, day)


def benefit(living: Household, rent: str | Tenancy = "100.00", day: date = DAY) -> Fraction:
    return figures(living, rent, day).weekly_benefit


def applicable(living: Household, day: date = DAY) -> Fraction:
    return working_age_applicable(living, day, day)


# ---------------------------------------------------------------- figures


def test_figures_of_both_benefits_are_one() -> None:
    # SI 2026/148 Schs 4 to 6, SI 2025/295 arts 23 and 24, the Department's rates for 2024-25 and 2013-14
    assert [WORKING[year].single for year in YEARS] == [pounds(text) for text in ("71.70", "90.50", "92.05", "95.55")]
    assert [WORKING[year].couple for year in YEARS] == [pounds(text) for text in ("112.55", "142.25", "144.65", "150.15")]
    assert [WORKING[year].support for year in YEARS] == [pounds(text) for text in ("34.80", "47.70", "48.50", "50.35")]
    assert [WORKING[year].disability_couple for year in YEARS] == [pounds(text) for text in ("44.20", "60.60", "61.65", "64.00")]
    assert [ADDITIONS[year].child for year in YEARS] == [pounds(text) for text in ("65.62", "83.24", "84.66", "87.88")]
    assert [ADDITIONS[year].severe_one for year in YEARS] == [pounds(text) for text in ("59.50", "81.50", "82.90", "86.05")]
    assert [TWO_RATES[year].couple_before for year in YEARS[1:]] == [pounds(text) for text in ("352.00", "366.00", "383.35")]


# ---------------------------------------------------------------- applicable amounts of working age


@pytest.mark.parametrize(
    ("living", "amount"),
    [
        (household(person(born=date(2000, 6, 3))), "72.90"),  # 24 until tomorrow
        (household(person(born=date(2000, 6, 2))), "92.05"),
        (household(person(born=date(2004, 1, 1), esa_component="support")), "161.75"),  # 92.05 + 48.50, and 21.20 with the support group
        (household(person(born=date(2008, 1, 1)), child(date(2025, 1, 1))), "157.56"),  # a lone parent of 17: 72.90 + 84.66
        (household(person(born=date(2008, 1, 1)), person("partner", date(2008, 1, 1))), "110.15"),
        (household(person(born=date(2008, 1, 1)), person("partner", date(2006, 1, 1))), "144.65"),
        (household(person(), transitional_addition=Fraction(10)), "102.05"),
    ],
)
def test_allowances(living: Household, amount: str) -> None:
    assert applicable(living) == pounds(amount)


def test_two_children() -> None:
    three = [child(date(2018, 1, 1), key=f"c{place}") for place in range(3)]
    assert applicable(household(person(), *three)) == pounds("92.05") + 2 * pounds("84.66")
    assert applicable(household(person(), *three, children_saved=True)) == pounds("92.05") + 3 * pounds("84.66")
    assert applicable(household(person(), *three, children_in_tax_credit=3)) == pounds("92.05") + 3 * pounds("84.66")
    # before the limit, with the family premium of 17.40
    assert applicable(household(person(), *three), ONE_OF_2013) == pounds("71.70") + 3 * pounds("65.62") + pounds("17.40")
    # it is the allowance that is limited, not the premium for a disabled child (81.37)
    disabled = child(date(2019, 1, 1), key="d", care="dla_care_middle")
    assert applicable(household(person(), *three[:2], disabled)) == pounds("92.05") + 2 * pounds("84.66") + pounds("81.37")


def test_who_stands_against_a_severe_disability_premium() -> None:
    severe = person(care="pip_daily_living_standard")
    base = applicable(household(severe, lodged=(lodger(),)))
    assert applicable(household(severe)) - base == pounds("82.90")
    assert applicable(household(severe, lodged=(lodger(born=date(2008, 1, 1)),))) - base == pounds("82.90")  # 17 years old
    assert applicable(household(severe, lodged=(lodger(exempt="lives_elsewhere"),))) - base == pounds("82.90")
    assert applicable(household(severe, lodged=(lodger(exempt="forces_on_operations"),))) == base


def test_an_allowance_for_pensioners_of_2013_turns_on_65() -> None:
    def amount(born: date) -> Fraction:
        living = household(person(born=born))
        return means(living, ONE_OF_2013, ONE_OF_2013, (), old_rules=True).applicable

    assert (amount(date(1948, 6, 4)), amount(date(1948, 6, 3))) == (pounds("145.40"), pounds("163.50"))


def test_the_student_of_a_handbook() -> None:
    # Child Poverty Action Group, student handbook 2021/22: a loan of 145.43 a week, less 10.00, is 135.43; applicable amount 229.55
    children = (child(date(2018, 1, 1), key="a"), child(date(2015, 1, 1), key="b"))
    craig = household(person("applicant", date(1990, 1, 1), "", ("student_loan", "145.43")), *children, family_premium_saved=True)
    counted = means(craig, date(2021, 10, 4), date(2021, 10, 4), (), old_rules=False)
    assert (counted.applicable, counted.income) == (pounds("229.55"), pounds("135.43"))


# ---------------------------------------------------------------- whose rules


def test_whose_rules() -> None:
    assert pension_age(household(person(born=OLD)), DAY)
    assert not pension_age(ONE, DAY)
    assert not pension_age(household(person(born=OLD), person("partner", YOUNG, passport="income_support")), DAY)
    assert not pension_age(household(person(born=OLD, passport="universal_credit")), DAY)
    mixed = household(person(born=OLD), person("partner"))
    assert (no_longer_entitled(mixed, date(2019, 5, 14)), no_longer_entitled(mixed, date(2019, 5, 15))) == (False, True)
    assert benefit(mixed) == 0
    assert benefit(mixed, social("100.00", temporary="board_and_lodging")) == 100  # SI 2019/37 art 6(4)
    assert benefit(household(person(born=OLD), person("partner"), mixed_age_saved=True)) == 100


# ---------------------------------------------------------------- income, capital and the taper


def test_published_tapers() -> None:
    # South Oxfordshire: rent 50.00, excess 27.20, 50.00 - 17.68 = 32.32; Southampton: 100.00, excess 40.00, 74.00
    def earning(excess: str) -> Household:
        return household(person("applicant", OLD, "", ("state_pension", str(pounds("244.40") + pounds(excess)))))

    assert benefit(earning("27.20"), "50.00") == pounds("32.32")
    assert benefit(earning("40.00")) == 74
    # North West Leicestershire: a couple, rent 110.00, excess 20.00: 110.00 - 13.00
    couple = household(person("applicant", OLD, "", ("state_pension", "386.00")), person("partner", OLD))
    assert benefit(couple, "110.00") == 97


def test_half_a_penny_and_50p() -> None:
    def with_excess(excess: str, rent: str) -> Figures:
        return figures(household(person("applicant", OLD, "", ("state_pension", str(pounds("244.40") + pounds(excess))))), rent)

    assert with_excess("14.70", "100.00").weekly_benefit == pounds("90.45")  # 100.00 - 9.555 = 90.445
    assert with_excess("100.00", "65.50").weekly_benefit == pounds("0.50")
    assert with_excess("100.00", "65.49").weekly_benefit == 0
    assert with_excess("91.54", "60.00").weekly_benefit == 0  # 0.499 is less than 50p, though it would round to it
    assert with_excess("14.70", "100.00").benefit_before_cap == pounds("90.45")


@pytest.mark.parametrize(
    ("capital", "more", "income"),
    [
        ("6000.00", {}, "0"),
        ("6000.01", {}, "1"),
        ("6250.01", {}, "2"),
        ("16000.00", {}, "40"),
        ("10250.00", {"care_home": True}, "1"),
    ],
)
def test_tariff_income_of_working_age(capital: str, more: dict[str, Any], income: str) -> None:
    found = means(household(person(), capital=capital, **more), DAY, DAY, (), old_rules=False)
    assert (found.income, found.capital_too_high) == (pounds(income), False)


def test_capital() -> None:
    assert benefit(household(person(), capital="16000.00")) == 100
    assert benefit(household(person(), capital="16000.01")) == 0
    assert benefit(household(person(passport="jsa_income_based"), capital="20000.00")) == 100
    assert benefit(household(person(born=OLD, passport="guarantee_credit"), capital="90000.00")) == 100
    saver = household(person("applicant", OLD, "", ("savings_credit", "5.00"), passport="savings_credit"), capital="16000.01")
    assert benefit(saver) == 0
    old = means(household(person(born=OLD), capital="10500.01"), DAY, DAY, (), old_rules=True)
    assert old.income == 2


def test_benefits_that_decide_by_themselves() -> None:
    for passport in ("income_support", "jsa_income_based", "esa_income_related", "universal_credit"):
        earner = person("applicant", YOUNG, "", ("employed_earnings", "900.00"), passport=passport)
        assert benefit(household(earner)) == 100
        # but not the whole rent: the size criteria and the deduction for a non-dependant remain (19.65)
        assert benefit(household(earner, lodged=(lodger(),)), social("100.00", bedrooms=4)) == pounds("55.35")
    assert benefit(household(person("applicant", YOUNG, "", ("employed_earnings", "900.00")), run_on=True)) == 100
    assert benefit(household(person("applicant", OLD, "", ("state_pension", "900.00")), continuing=True)) == 100


def test_weeks_without_rent() -> None:
    # reg 81(3): 48 weeks with rent of 52; the excess of 24.00 is 26.00, the deduction of 19.65 is 21.29, the 50p 54p
    living = household(person("applicant", OLD, "", ("state_pension", "268.40")), lodged=(lodger(),))
    found = figures(living, social("100.00", rent_free_weeks=4))
    assert found.maximum_benefit == pounds("78.71")
    assert found.weekly_benefit == pounds("61.81")  # 78.71 - 16.90
    assert figures(living, social("100.00", rent_free_weeks=4, rent_free=True)).weekly_award == 0
    least = household(person("applicant", OLD, "", ("state_pension", str(pounds("244.40") + 120))))
    assert benefit(least, social("85.03", rent_free_weeks=4)) == 0  # 85.03 - 84.50 = 0.53
    assert benefit(least, social("85.04", rent_free_weeks=4)) == pounds("0.54")


def test_an_extended_payment() -> None:
    earner = person("applicant", YOUNG, "", ("employed_earnings", "250.00"))
    assert figures(household(earner, extended=Fraction(90))).weekly_award == 90
    assert figures(household(person(), extended=Fraction(90))).weekly_award == 100
    assert figures(household(person(), extended=Fraction(90)), social("100.00", rent_free=True)).weekly_award == 0


def test_students_who_cannot_claim() -> None:
    assert benefit(household(person(student=True))) == 0
    assert benefit(household(person(student=True), person("partner"))) == 100


# ---------------------------------------------------------------- non-dependants


@pytest.mark.parametrize("year", YEARS)
def test_the_edges_of_the_bands(year: int) -> None:
    bands, day = BANDS[year], date(year, 6, 3)
    for place, begins in enumerate(bands.begins):
        assert weekly_deduction(lodger(gross=str(begins)), year, day) == bands.deductions[place + 1]
        below = lodger(gross=str(begins - Fraction(1, 100)))
        assert weekly_deduction(below, year, day) == bands.deductions[place]


@pytest.mark.parametrize(
    ("more", "amount"),
    [
        ({}, "19.65"),
        ({"in_work": True}, "126.65"),  # no income shown
        ({"born": date(2007, 6, 3)}, "0"),  # 17
        ({"born": date(2007, 6, 2)}, "19.65"),
        ({"exempt": "pension_credit"}, "0"),
        ({"exempt": "income_support", "born": date(2000, 6, 3)}, "0"),  # 24
        ({"exempt": "income_support", "born": date(2000, 6, 2)}, "19.65"),
        ({"exempt": "universal_credit_without_earnings", "born": date(1990, 1, 1)}, "19.65"),
        ({"exempt": "universal_credit_without_earnings", "born": date(2003, 1, 1)}, "0"),
        ({"exempt": "esa_income_related", "born": date(2003, 1, 1)}, "0"),
        ({"exempt": "esa_income_related", "born": date(2003, 1, 1), "component": True}, "19.65"),
        ({"exempt": "forces_on_operations"}, "0"),
        ({"in_work": True, "gross_income": Fraction(300), "couple": True, "other_born": YOUNG, "other_exempt": "pension_credit"}, "62.00"),
        ({"in_work": True, "gross_income": Fraction(300), "exempt": "full_time_student", "couple": True, "other_born": YOUNG}, "19.65"),
        ({"joint_occupiers": 2}, "9.83"),  # 9.825, to the nearest penny
        ({"joint_occupiers": 2, "share": Fraction(1, 4)}, "4.91"),
    ],
)
def test_deductions(more: dict[str, Any], amount: str) -> None:
    assert weekly_deduction(replace(lodger(), **more), 2025, DAY) == pounds(amount)


def test_none_where_the_claimant_needs_care() -> None:
    living = household(person(passport="income_support", care="dla_care_lowest"), lodged=(lodger(), lodger()))
    assert benefit(living, social("100.00", bedrooms=3)) == 100
    assert benefit(household(person(passport="income_support", blind=True), lodged=(lodger(),)), social("100.00", bedrooms=2)) == 100


# ---------------------------------------------------------------- the benefit cap


def test_the_limits() -> None:
    assert [cap(day, single=False) for day in (date(2013, 7, 14), date(2013, 7, 15), DAY)] == [None, 500, pounds("423.46")]
    assert [cap(day, single=True) for day in (date(2013, 7, 15), DAY)] == [350, pounds("283.71")]


def test_the_page_of_three_rivers() -> None:
    # Three Rivers, "Benefit cap" (2013): 112.55 + 256.00 + 60.50 + 118.00 = 547.05; the benefit falls by 47.05 to 70.95
    paid = ("jsa_income_based", "112.55"), ("child_tax_credit", "256.00"), ("child_benefit", "60.50")
    parent = household(person("applicant", YOUNG, "", *paid, passport="jsa_income_based"), person("partner"))
    assert figures(parent, "118.00", date(2013, 9, 2)).weekly_benefit == pounds("70.95")
    assert figures(parent, "118.00", date(2013, 7, 8)).weekly_benefit == 118


@pytest.mark.parametrize(
    ("more", "rent", "left"),
    [
        ({}, "100.00", "23.46"),  # 400.00 + 100.00 is 76.54 over 423.46
        ({}, "20.00", "20.00"),
        ({"benefits_for_cap": Fraction(430)}, "100.00", "0.50"),
        ({"cap_grace": True}, "100.00", "100.00"),
        ({"cap_exempt": True}, "100.00", "100.00"),
    ],
)
def test_what_the_cap_leaves(more: dict[str, Any], rent: str, left: str) -> None:
    facts: dict[str, Any] = {"benefits_for_cap": Fraction(400), **more}
    assert benefit(household(person(passport="income_support"), person("partner"), **facts), rent) == pounds(left)


def test_who_is_spared_the_cap() -> None:
    def left(*people: Any, **more: Any) -> Fraction:
        return benefit(household(*people, benefits_for_cap=Fraction(400), **more))

    capped = left(person(passport="income_support"))
    assert capped == pounds("0.50")
    assert left(person(passport="universal_credit")) == 100
    assert left(person("applicant", YOUNG, "", ("working_tax_credit", "1.00"), passport="income_support")) == 100
    assert left(person(passport="esa_income_related", esa_component="support")) == 100
    assert left(person(passport="income_support", carer=True)) == 100
    assert left(person(passport="income_support"), child(date(2018, 1, 1), care="dla_care_lowest")) == 100
    assert left(person(born=OLD)) == 100
    in_specified = household(person(passport="income_support"), benefits_for_cap=Fraction(280))
    assert benefit(in_specified, social("100.00", specified=True)) == 100  # the benefit itself counts as nil
    assert benefit(in_specified, Tenancy("registered_provider", "exempt_accommodation", Fraction(100))) == 100
    assert benefit(in_specified) == pounds("3.71")
