"""Council tax reduction: weeks, first days, changes and stretches, worked by hand (PR = SI 2012/2885 Sch 1 Parts 7 and 8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import pytest

from independent.council_tax_reduction.award import Award, awards, pieces, reduction
from independent.council_tax_reduction.dates import (
    Change,
    after_continuing,
    continuing_ends,
    delayed,
    effective_days,
    entitlement_begins,
    extended_period,
    pension_credit_counts_from,
    week_after,
    week_of,
)
from independent.council_tax_reduction.facts import Charge, Circumstances, Claim
from independent.reduction_examples import claim, household, person, pounds, working, year

END = date(2026, 3, 31)
CHARGE = year(2025, "1460.00")  # 4.00 a day, 28.00 a week


def test_a_week_is_from_monday_to_sunday() -> None:
    assert {week_of(date(2025, 6, day)) for day in range(9, 16)} == {date(2025, 6, 9)}
    assert week_after(date(2025, 6, 9)) == week_after(date(2025, 6, 15)) == date(2025, 6, 16)


@pytest.mark.parametrize(
    ("claimed", "liable", "begins"),
    [
        (date(2025, 6, 9), None, date(2025, 6, 16)),  # a claim on a Monday: the week after
        (date(2025, 6, 15), None, date(2025, 6, 16)),
        (date(2025, 6, 11), date(2025, 6, 12), date(2025, 6, 12)),  # para 45(2): from that week, and liable from the Thursday
        (date(2025, 6, 15), date(2025, 6, 9), date(2025, 6, 9)),
        (date(2025, 6, 16), date(2025, 6, 15), date(2025, 6, 23)),
    ],
)
def test_when_entitlement_begins(claimed: date, liable: date | None, begins: date) -> None:
    assert entitlement_begins(claimed, liable) == begins


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        (date(2025, 6, 9), date(2025, 12, 8)),  # 26 weeks from a Monday are a Monday
        (date(2025, 6, 10), date(2025, 12, 15)),
        (date(2025, 6, 15), date(2025, 12, 15)),
    ],
)
def test_the_delay_for_non_dependants(changed: date, counts: date) -> None:
    assert delayed(changed) == counts


@pytest.mark.parametrize(
    ("changes", "charges", "effective"),
    [
        ([Change(date(2025, 6, 11))], [], [date(2025, 6, 16)]),
        ([Change(date(2025, 6, 11), at_once=True)], [], [date(2025, 6, 11)]),
        # Para 46(7): income on Wednesday, partner on Thursday of one week: both from Thursday.
        ([Change(date(2025, 6, 11)), Change(date(2025, 6, 12), at_once=True)], [], [date(2025, 6, 12), date(2025, 6, 12)]),
        # Partner on Tuesday and discount from Thursday: income of the week from the earlier day.
        ([Change(date(2025, 6, 10), at_once=True), Change(date(2025, 6, 13))], [date(2025, 6, 12)], [date(2025, 6, 10)] * 2),
        ([Change(date(2025, 6, 11))], [date(2025, 6, 12)], [date(2025, 6, 12)]),
        ([Change(date(2025, 6, 11))], [date(2025, 6, 16)], [date(2025, 6, 16)]),
        ([Change(date(2025, 6, 11)), Change(date(2025, 6, 17), at_once=True)], [], [date(2025, 6, 16), date(2025, 6, 17)]),
        # What changes nothing is no change (para 46(1)): nothing is pulled to it, and it brings nothing forward.
        ([Change(date(2025, 6, 11)), Change(date(2025, 6, 12), nothing=True)], [], [date(2025, 6, 16)] * 2),
        (
            [Change(date(2025, 6, 10), nothing=True), Change(date(2025, 6, 13), at_once=True)],
            [date(2025, 6, 12)],
            [date.min, date(2025, 6, 13)],
        ),
    ],
)
def test_changes_of_one_week(changes: list[Change], charges: list[date], effective: list[date]) -> None:
    assert effective_days(changes, charges) == effective


@pytest.mark.parametrize(
    ("told", "awarded", "credit_rises", "reduction_rises", "late", "counts"),
    [
        (date(2025, 7, 2), False, True, True, False, date(2025, 6, 9)),  # 47(2)(a)
        (date(2025, 7, 2), False, True, False, False, date(2025, 7, 7)),  # (2)(b), the later
        (date(2025, 6, 2), False, True, False, False, date(2025, 6, 16)),  # (2)(b), the other is later
        (date(2025, 7, 2), False, False, False, True, date(2025, 6, 9)),  # (3)(a)
        (date(2025, 7, 2), False, False, False, False, date(2025, 7, 7)),  # (3)(b)
        (date(2025, 7, 2), False, False, True, False, date(2025, 6, 9)),  # (4)
        (date(2025, 7, 2), True, True, False, False, date(2025, 7, 7)),  # (5)
        (date(2025, 7, 2), True, True, True, False, date(2025, 6, 16)),  # (7)
    ],
)
def test_changes_of_pension_credit(told: date, awarded: bool, credit_rises: bool, reduction_rises: bool, late: bool, counts: date) -> None:
    found = pension_credit_counts_from(
        date(2025, 6, 12), told, awarded=awarded, credit_rises=credit_rises, reduction_rises=reduction_rises, late=late
    )
    assert found == counts


def test_the_four_weeks_after_a_benefit_ends_with_age() -> None:
    # Para 43: from Thursday 12 June for four weeks, to Wednesday 9 July, and so to Sunday 13 July; then para 47(8).
    assert continuing_ends(date(2025, 6, 12)) == date(2025, 7, 13)
    assert after_continuing(date(2025, 6, 23), date(2025, 6, 12)) == date(2025, 7, 14)
    assert after_continuing(date(2025, 7, 21), date(2025, 6, 12)) == date(2025, 7, 21)


def test_the_extended_period() -> None:
    # Para 39: the last day of the benefit is Sunday 15 June, so that entitlement ceases on the 16th.
    assert extended_period(date(2025, 6, 15)) == (date(2025, 6, 23), date(2025, 7, 20))
    assert extended_period(date(2025, 6, 13), date(2025, 6, 30)) == (date(2025, 6, 16), date(2025, 6, 30))


# ---------------------------------------------------------------- whole claims


def steps(made: Claim, charges: Sequence[Charge], *, delay_covers_premium: bool = True) -> list[tuple[date, Fraction | int]]:
    """The stretches of a claim: first day, and pounds a day."""
    return [(award.first, award.a_day) for award in awards(pieces(made, charges, delay_covers_premium=delay_covers_premium))]


def test_a_year_is_rounded_once() -> None:
    # Trap 3: 1500 / 365 a day for 365 days is 1500.00, not 365 times 4.11.
    facts = household(person())
    assert awards(pieces(claim((date(2025, 4, 1), facts), ends=END), [year(2025)])) == [
        Award(date(2025, 4, 1), END, Fraction(1500, 365), 150000)
    ]


def test_a_claim_in_june() -> None:
    # Trap 35: claimed on Wednesday 11 June 2025, from Monday the 16th: 289 days at 4.00.
    made = claim((date(2025, 6, 11), household()), ends=END, claimed_on=date(2025, 6, 11))
    assert awards(pieces(made, [CHARGE])) == [Award(date(2025, 6, 16), END, Fraction(4), 115600)]


def test_a_change_of_income_on_a_wednesday() -> None:
    # 244.40 + 35.00 from 11 June: 7.00 a week less from Monday 16 June.  76 days at 4.00, 289 at 3.00.
    more = household(person(incomes={"state_pension": "279.40"}))
    made = claim((date(2025, 4, 1), household()), (date(2025, 6, 11), more), ends=END)
    assert steps(made, [CHARGE]) == [(date(2025, 4, 1), 4), (date(2025, 6, 16), 3)]
    assert [award.pence for award in awards(pieces(made, [CHARGE]))] == [30400, 86700]


def test_a_death_counts_from_the_day() -> None:
    couple = household(person(incomes={"state_pension": "401.00"}), person("partner"))
    alone = household(person(incomes={"state_pension": "244.40"}))
    made = claim((date(2025, 4, 1), couple), (date(2025, 6, 11), alone), ends=END)
    # 401.00 - 366.00 = 35.00: 1.00 a day; from the day of death the single amount is not exceeded.
    assert steps(made, [CHARGE]) == [(date(2025, 4, 1), 3), (date(2025, 6, 11), 4)]


def test_a_discount_counts_from_its_day() -> None:
    charges = [
        Charge(date(2025, 4, 1), date(2025, 6, 10), Fraction(1460), Fraction(1460)),
        Charge(date(2025, 6, 11), END, Fraction(1095), Fraction(1460)),
    ]
    made = claim((date(2025, 4, 1), household()), ends=END)
    assert steps(made, charges) == [(date(2025, 4, 1), 4), (date(2025, 6, 11), 3)]


def test_income_of_the_week_of_a_discount() -> None:
    # Para 46(7): income falls on Friday the 13th, the discount begins on Wednesday the 11th: both from Wednesday.
    charges = [
        Charge(date(2025, 4, 1), date(2025, 6, 10), Fraction(1460), Fraction(1460)),
        Charge(date(2025, 6, 11), END, Fraction(1095), Fraction(1460)),
    ]
    rich = household(person(incomes={"state_pension": "279.40"}))
    made = claim((date(2025, 4, 1), rich), (date(2025, 6, 13), household()), ends=END)
    assert steps(made, charges) == [(date(2025, 4, 1), 3)]  # 4 - 1, then 3: one stretch


def test_a_non_dependant_moves_in() -> None:
    # Trap 20: on Tuesday 10 June 2025; 5.00 a week from Monday 15 December.
    son = working("100", moved_in=date(2025, 6, 10))
    made = claim((date(2025, 4, 1), household()), (date(2025, 6, 10), household(person(), non_dependants=(son,))), ends=END)
    assert steps(made, [CHARGE]) == [
        (date(2025, 4, 1), 4),
        (date(2025, 12, 15), 4 - Fraction(5, 7)),
    ]


def test_a_non_dependant_who_was_there_when_entitlement_began() -> None:
    son = working("100", moved_in=date(2025, 6, 10))
    made = claim((date(2025, 6, 11), household(person(), non_dependants=(son,))), ends=END, claimed_on=date(2025, 6, 11))
    assert steps(made, [CHARGE]) == [(date(2025, 6, 16), 4 - Fraction(5, 7))]


def test_a_deduction_rises_during_the_delay_of_the_arrival() -> None:
    # Para 46(12)(a): the rise of 1 August lies before the effective date of the arrival, 15 December, and counts with it.
    son = working("500", moved_in=date(2025, 6, 10), rose_on=date(2025, 8, 1), before=pounds("5.00"))
    made = claim((date(2025, 4, 1), household(person(), non_dependants=(son,))), ends=END)
    assert steps(made, [CHARGE]) == [
        (date(2025, 4, 1), 4),
        (date(2025, 12, 15), 4 - Fraction(1280, 700)),
    ]


def test_a_deduction_that_rises_later() -> None:
    son = working("500", rose_on=date(2025, 8, 1), before=pounds("5.00"))
    made = claim((date(2025, 4, 1), household(person(), non_dependants=(son,))), ends=END)
    assert steps(made, [CHARGE]) == [
        (date(2025, 4, 1), 4 - Fraction(5, 7)),
        (date(2026, 2, 2), 4 - Fraction(1280, 700)),
    ]


def test_the_whole_arrival_waits_the_premium_included() -> None:
    # Para 46(10)-(11), by its letter: the severe disability premium goes when the deduction would come.
    son = working("100", moved_in=date(2025, 6, 10))
    mother = person(care="attendance_allowance", incomes={"state_pension": "279.40"})
    made = claim((date(2025, 4, 1), household(mother)), (date(2025, 6, 10), household(mother, non_dependants=(son,))), ends=END)
    assert steps(made, [CHARGE]) == [(date(2025, 4, 1), 4), (date(2025, 12, 15), 3)]
    assert steps(made, [CHARGE], delay_covers_premium=False) == [(date(2025, 4, 1), 4), (date(2025, 6, 16), 3)]


def test_guarantee_credit_in_the_middle_of_a_week() -> None:
    # Para 47(7): first payable on Thursday 12 June, from Monday the 16th.
    before = household(person(incomes={"state_pension": "279.40"}))
    after = household(person(incomes={"state_pension": "279.40"}, passport="guarantee_credit"), told_on=date(2025, 7, 2))
    made = claim((date(2025, 4, 1), before), (date(2025, 6, 12), after), ends=END)
    assert steps(made, [CHARGE]) == [(date(2025, 4, 1), 3), (date(2025, 6, 16), 4)]


def test_an_award_of_savings_credit_that_cuts_the_reduction() -> None:
    # Para 47(5): the council hears on 2 July.
    before = household(person())
    paid = person(passport="savings_credit", incomes={"savings_credit": "10"})
    after = household(paid, assessed_income=pounds("269.40"), told_on=date(2025, 7, 2))
    made = claim((date(2025, 4, 1), before), (date(2025, 6, 12), after), ends=END)
    assert steps(made, [CHARGE]) == [(date(2025, 4, 1), 4), (date(2025, 7, 7), 3)]


def test_more_credit_after_a_change_for_the_worse_is_held_against_what_is_received() -> None:
    # Para 47(2)(b): on 13 June the reduction received is still 4 a day; the higher figure of the 10th counts from Monday the 16th.
    def credited(income: str, credit: str, told: date | None = None) -> Circumstances:
        paid = person(passport="savings_credit", incomes={"savings_credit": credit})
        return household(paid, assessed_income=pounds(income), told_on=told)

    facts = (
        (date(2025, 4, 1), credited("239.40", "5")),
        (date(2025, 6, 10), credited("299.40", "5")),
        (date(2025, 6, 13), credited("259.40", "10", date(2025, 7, 2))),
    )
    found = [day for day, _ in steps(claim(*facts, ends=END), [CHARGE])]
    assert found == [date(2025, 4, 1), date(2025, 6, 16), date(2025, 7, 7)]


def test_the_65th_birthday_counts_from_the_week_after() -> None:
    # Born on 12 June 1950, 65 on Friday 12 June 2015.  190.00 - 151.20 = 38.80; from Monday the 15th 190.00 - 166.05 = 23.95.
    facts = household(person(born=date(1950, 6, 12), incomes={"state_pension": "190.00"}))
    found = awards(pieces(claim((date(2015, 4, 1), facts), ends=date(2016, 3, 31)), [year(2015, "1464.00")]))
    assert [(a.first, a.a_day * 7) for a in found] == [
        (date(2015, 4, 1), 28 - pounds("7.76")),
        (date(2015, 6, 15), 28 - pounds("4.79")),
    ]


def test_the_extended_reduction_is_the_greater() -> None:
    # Para 40(1): the last week's 24.50 against 28.00 - 7.00.
    facts = household(person(incomes={"employed_earnings": "284.40"}), last_week=pounds("24.50"))
    assert reduction(claim((date(2025, 4, 1), facts), ends=date(2025, 4, 28)), [CHARGE]) == 9800
    poorer = household(person(), last_week=pounds("24.50"))
    assert reduction(claim((date(2025, 4, 1), poorer), ends=date(2025, 4, 28)), [CHARGE]) == 11200


def test_the_continuing_reduction_leaves_income_out() -> None:
    facts = household(person(incomes={"state_pension": "900"}), capital=pounds("20000"), continuing=True)
    assert reduction(claim((date(2025, 4, 1), facts), ends=date(2025, 4, 28)), [CHARGE]) == 11200


def test_liability_that_ends() -> None:
    made = claim((date(2025, 4, 1), household()), ends=END)
    assert reduction(made, [Charge(date(2025, 4, 1), date(2025, 5, 1), Fraction(1460), Fraction(1460))]) == 31 * 400
