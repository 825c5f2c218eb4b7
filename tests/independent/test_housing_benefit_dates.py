"""Housing Benefit: benefit weeks, first days, changes, the two dates of the yearly amounts and awards for a year, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from independent.housing_benefit.award import Award, awards, housing_benefit, in_force, pieces
from independent.housing_benefit.dates import Change, effective_days, figures_from, figures_year, week_of
from independent.housing_benefit.examples import OLD, YOUNG, claim, household, lodger, person, pounds, social, through
from independent.housing_benefit.facts import Household, Tenancy

BEFORE, LAST = date(2024, 7, 1), date(2026, 3, 31)
IN_FULL = household(person(born=OLD))
RENT = social("70.00")  # 10.00 a day


def pensioner(pension: str, **more: Any) -> Household:
    return household(person("applicant", OLD, "", ("state_pension", pension)), **more)


def given(*facts: tuple[date, Household], tenancy: Tenancy = RENT) -> list[Award]:
    return awards(pieces(claim(LAST, *facts), through(BEFORE, LAST, (BEFORE, tenancy))), 2025)


def spans(found: Sequence[Award]) -> list[tuple[date, Fraction]]:
    return [(award.first, award.a_week) for award in found]


# ---------------------------------------------------------------- the yearly amounts


@pytest.mark.parametrize(
    ("year", "weekly", "monthly"),
    [
        (2013, date(2013, 4, 1), date(2013, 4, 1)),
        (2024, date(2024, 4, 1), date(2024, 4, 1)),
        (2025, date(2025, 4, 7), date(2025, 4, 1)),
        (2026, date(2026, 4, 6), date(2026, 4, 1)),
    ],
)
def test_new_amounts_count_from_1_april_or_the_first_monday(year: int, weekly: date, monthly: date) -> None:
    assert figures_from(year, by_the_week=True) == weekly
    assert figures_from(year, by_the_week=False) == monthly
    assert figures_year(date(year, 4, 3), by_the_week=False) == year


def test_the_first_days_of_april() -> None:
    # 255.20 a week: 20.00 above 235.20 until Sunday 6 April 2025, 10.80 above 244.40 from then on
    weekly = given((BEFORE, pensioner("255.20")))
    assert spans(weekly) == [(date(2025, 4, 1), 57), (date(2025, 4, 7), pounds("62.98"))]
    assert [award.pounds for award in weekly] == [pounds("48.86"), pounds("3229.97")]  # six days; 359 days
    monthly = given((BEFORE, pensioner("255.20")), tenancy=Tenancy("registered_provider", "social_sector", Fraction(300), "monthly"))
    assert spans(monthly) == [(date(2025, 4, 1), pounds("62.21"))]


# ---------------------------------------------------------------- the start


@pytest.mark.parametrize(
    ("claimed", "liable", "first"),
    [
        (date(2025, 6, 9), None, date(2025, 6, 16)),  # a Monday: the week after
        (date(2025, 6, 15), None, date(2025, 6, 16)),
        (date(2025, 6, 11), date(2025, 6, 12), date(2025, 6, 12)),  # liable for the first time in that week, from the Thursday
        (date(2025, 6, 11), date(2025, 6, 8), date(2025, 6, 16)),
    ],
)
def test_when_entitlement_begins(claimed: date, liable: date | None, first: date) -> None:
    told = claim(LAST, (date(2025, 6, 1), IN_FULL), claimed_on=claimed, liable_since=liable)
    (award,) = awards(pieces(told, through(BEFORE, LAST, (BEFORE, RENT))), 2025)
    assert award.first == first
    assert award.pounds == 10 * ((LAST - first).days + 1)


def test_a_change_in_the_week_of_the_start() -> None:
    facts = (date(2025, 6, 11), IN_FULL), (date(2025, 6, 13), pensioner("300.00"))
    told = claim(LAST, *facts, claimed_on=date(2025, 6, 11), liable_since=date(2025, 6, 11))
    found = awards(pieces(told, through(BEFORE, LAST, (BEFORE, RENT))), 2025)
    assert [award.first for award in found] == [date(2025, 6, 11), date(2025, 6, 16)]  # the start is no change of circumstances


# ---------------------------------------------------------------- changes


@pytest.mark.parametrize("day", [date(2025, 6, 9), date(2025, 6, 12), date(2025, 6, 15)])
def test_a_change_counts_from_the_next_monday(day: date) -> None:
    found = given((BEFORE, IN_FULL), (day, pensioner("254.40")))  # 10.00 above: 6.50
    assert spans(found) == [(date(2025, 4, 1), 70), (date(2025, 6, 16), pounds("63.50"))]


def test_a_partner_counts_from_the_next_monday() -> None:
    # not at once, as for Council Tax Reduction: the week of the change is paid as before
    both = household(person("applicant", OLD, "", ("state_pension", "400.00")), person("partner", OLD))
    found = given((BEFORE, pensioner("400.00", capital="0")), (date(2025, 6, 11), both))
    assert spans(found) == [(date(2025, 4, 1), 0), (date(2025, 6, 16), pounds("47.90"))]


def test_a_rent_change_counts_on_its_day_and_takes_others_of_the_week_along() -> None:
    lets = through(BEFORE, LAST, (BEFORE, RENT), (date(2025, 6, 12), social("77.00")))
    alone = awards(pieces(claim(LAST, (BEFORE, IN_FULL)), lets), 2025)
    assert spans(alone) == [(date(2025, 4, 1), 70), (date(2025, 6, 12), pounds("77"))]
    assert alone[0].pounds == 720
    for day in (date(2025, 6, 9), date(2025, 6, 15)):
        with_income = claim(LAST, (BEFORE, IN_FULL), (day, pensioner("254.40")))
        found = awards(pieces(with_income, lets), 2025)
        assert spans(found) == [(date(2025, 4, 1), 70), (date(2025, 6, 12), pounds("70.50"))]


def test_the_end_of_entitlement_waits_for_monday_all_the_same() -> None:
    ends, changes = Change(date(2025, 6, 10), ends=True), Change(date(2025, 6, 10))
    rents = [date(2025, 6, 12)]
    assert effective_days([ends, changes], rents) == [date(2025, 6, 16), date(2025, 6, 12)]  # (4) is subject to (8)


def test_the_end_of_entitlement_counts_at_once_where_rent_is_due_by_the_day() -> None:
    over = household(person(born=OLD), capital="16000.01")
    weekly = given((BEFORE, pensioner("230.00")), (date(2025, 6, 11), over))
    assert spans(weekly) == [(date(2025, 4, 1), 70), (date(2025, 6, 16), 0)]
    daily = given(
        (BEFORE, pensioner("240.00")),
        (date(2025, 6, 11), over),
        tenancy=Tenancy("registered_provider", "social_sector", Fraction(10), "daily"),
    )
    assert spans(daily) == [(date(2025, 4, 1), 70), (date(2025, 6, 11), 0)]
    assert daily[0].pounds == 710  # 71 days


def test_a_change_in_the_week_of_the_new_amounts() -> None:
    # reg 79(5): in the week of the first Monday in April, from that Monday; not where the claim began then
    assert effective_days([Change(date(2025, 4, 10))]) == [date(2025, 4, 7)]
    assert effective_days([Change(date(2025, 4, 10))], since=date(2025, 4, 7)) == [date(2025, 4, 14)]
    assert effective_days([Change(date(2025, 4, 3))]) == [date(2025, 4, 7)]
    # rent by the month: in the week of 1 April, with the amounts of that day
    assert effective_days([Change(date(2025, 4, 3)), Change(date(2025, 4, 10))], by_the_week=False) == [date(2025, 4, 1), date(2025, 4, 14)]


def test_pensions_that_rise_in_april_count_with_the_amounts() -> None:
    # reg 41(9): from 7 April 2025 for rent by the week, from 1 April by the month
    facts = (BEFORE, pensioner("255.20")), (date(2025, 4, 11), pensioner("260.00"))
    assert [award.first for award in given(*facts)] == [date(2025, 4, 1), date(2025, 4, 7)]
    monthly = given(*facts, tenancy=Tenancy("registered_provider", "social_sector", Fraction(300), "monthly"))
    assert spans(monthly) == [(date(2025, 4, 1), pounds("59.09"))]  # 69.23 - 10.14
    # a partner who joins brings no rise of a rate
    partner = household(person("applicant", OLD, "", ("state_pension", "255.20")), person("partner", OLD, "", ("state_pension", "200.00")))
    found = in_force(claim(LAST, (BEFORE, pensioner("255.20")), (date(2025, 4, 15), partner)), through(BEFORE, LAST, (BEFORE, RENT)))[0]
    assert [held.first for held in found if held.first > date(2025, 4, 7)] == [date(2025, 4, 21)]


def test_a_birthday_is_a_change() -> None:
    earner = household(person("applicant", date(2000, 6, 11), "", ("employed_earnings", "97.05")))
    found = given((BEFORE, earner))  # 92.05 after 5.00: 19.15 above 72.90 until the Monday after the 25th birthday
    assert [(award.first, award.a_week) for award in found if award.first >= date(2025, 4, 7)] == [
        (date(2025, 4, 7), pounds("57.55")),
        (date(2025, 6, 16), 70),
    ]


def test_pension_age_in_the_year() -> None:
    # born 1 June 1959: 66 on 1 June 2025, a Sunday; the cut for a spare room goes from the Monday after
    lets = through(BEFORE, LAST, (BEFORE, social("70.00", bedrooms=2)))
    found = awards(pieces(claim(LAST, (BEFORE, household(person(born=date(1959, 6, 1))))), lets), 2025)
    assert spans(found) == [(date(2025, 4, 1), pounds("60.20")), (date(2025, 6, 2), 70)]


def test_late_news_that_helps_counts_from_the_report() -> None:
    # SI 2001/1002 reg 8(3): more than a month late
    for told, first in ((date(2025, 7, 11), date(2025, 6, 16)), (date(2025, 7, 12), date(2025, 7, 14))):
        poorer = pensioner("244.40", told_on=told)
        found = given((BEFORE, pensioner("264.40")), (date(2025, 6, 11), poorer))
        assert found[-1].first == first
    worse = given((BEFORE, pensioner("244.40")), (date(2025, 6, 11), pensioner("264.40", told_on=date(2025, 9, 1))))
    assert worse[-1].first == date(2025, 6, 16)


# ---------------------------------------------------------------- the delay for non-dependants of pensioners


def test_a_non_dependant_of_a_pensioner_waits_26_weeks() -> None:
    # moved in on Wednesday 11 June 2025: 26 weeks are 10 December, so from Monday 15 December; 19.65 a week
    moved = household(person(born=OLD), lodged=(lodger(moved_in=date(2025, 6, 11)),))
    found = given((BEFORE, IN_FULL), (date(2025, 6, 11), moved))
    assert spans(found) == [(date(2025, 4, 1), 70), (date(2025, 12, 15), pounds("50.35"))]
    working = household(person(passport="income_support"), lodged=(lodger(moved_in=date(2025, 6, 11)),))
    at_once = given((BEFORE, household(person(passport="income_support"))), (date(2025, 6, 11), working))
    assert at_once[-1].first == date(2025, 6, 16)


def test_the_delay_is_for_people_of_65() -> None:
    # SPC reg 59(10)(a); in 2013 pension age is reached before
    for born, first in ((date(1951, 1, 1), date(2013, 6, 17)), (date(1945, 1, 1), date(2013, 12, 16))):
        alone, moved = household(person(born=born)), household(person(born=born), lodged=(lodger(moved_in=date(2013, 6, 12)),))
        begins, last = date(2013, 4, 1), date(2014, 3, 31)
        let = through(begins, last, (begins, RENT))
        found = awards(pieces(claim(last, (begins, alone), (date(2013, 6, 12), moved)), let), 2013)
        assert found[-1].first == first


def test_the_premium_goes_when_the_deduction_comes() -> None:
    severe = person("applicant", OLD, "", ("state_pension", "327.30"), care="pip_daily_living_standard", cared_for=False)
    alone, moved = household(severe), household(severe, lodged=(lodger(moved_in=date(2025, 6, 11)),))
    told = claim(LAST, (BEFORE, alone), (date(2025, 6, 11), moved))
    lets = through(BEFORE, LAST, (BEFORE, RENT))
    whole = [piece.figures.applicable_amount for piece in pieces(told, lets) if piece.first >= date(2025, 6, 16)]
    assert whole[0] == pounds("327.30") and whole[-1] == pounds("244.40")
    deduction_alone = pieces(told, lets, delay_covers_premium=False)
    assert {piece.figures.applicable_amount for piece in deduction_alone if piece.first >= date(2025, 6, 16)} == {pounds("244.40")}


# ---------------------------------------------------------------- pension credit


def test_pension_credit_that_lowers_the_benefit_waits_for_the_notice() -> None:
    # SPC reg 60(5): savings credit awarded from 9 June, heard of on 25 June, from Monday 30 June
    on_credit = household(
        person("applicant", OLD, "", ("savings_credit", "10.00"), passport="savings_credit"),
        assessed_income=Fraction("254.40"),
        earnings_left_out=Fraction(0),
        told_on=date(2025, 6, 25),
    )
    found = given((BEFORE, pensioner("244.40")), (date(2025, 6, 9), on_credit))
    assert spans(found[-2:]) == [(date(2025, 4, 7), 70), (date(2025, 6, 30), pounds("57"))]


# ---------------------------------------------------------------- weeks without rent, and the year


def test_weeks_without_rent_are_not_paid() -> None:
    rent = social("70.00", rent_free_weeks=2)
    lets = through(
        BEFORE, LAST, (BEFORE, rent), (date(2025, 12, 22), social("70.00", rent_free_weeks=2, rent_free=True)), (date(2026, 1, 5), rent)
    )
    assert housing_benefit(claim(LAST, (BEFORE, IN_FULL)), lets, 2025) == 10 * (365 - 14)


@pytest.mark.parametrize(("year", "total"), [(2013, "3650.00"), (2024, "3650.00"), (2025, "3650.00"), (2026, "3650.00")])
def test_a_year_in_full(year: int, total: str) -> None:
    begins, last = week_of(date(year, 4, 1)), date(year + 1, 3, 31)
    lets = through(begins, last, (begins, RENT))
    assert housing_benefit(claim(last, (begins, household(person(born=YOUNG, passport="income_support")))), lets, year) == pounds(total)


def test_a_stretch_is_rounded_once() -> None:
    # 33.33 a week for 365 days: 33.33 x 365 / 7 = 1737.9214..., and not 52 weeks and a day each rounded
    (award,) = given((BEFORE, IN_FULL), tenancy=social("33.33"))
    assert award == Award(date(2025, 4, 1), LAST, pounds("33.33"), pounds("1737.92"))
