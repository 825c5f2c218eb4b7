"""Deductions for non-dependants and the alternative maximum.

PR = SI 2012/2885 Sch 1 paras 8 and 9 and Sch 3; DS = SI 2012/2886 paras 30 and 31 and Sch 4, in the same words.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from independent.council_tax_reduction.amounts import BANDS, Bands, year_of
from independent.council_tax_reduction.dates import delayed
from independent.council_tax_reduction.facts import DAILY_CARE, Circumstances, MissingFactError, NonDependant, total

EXEMPT = {
    "lives_elsewhere": 2013,  # para 8(7)(a)
    "youth_training": 2013,  # (7)(b)
    "full_time_student": 2013,  # (7)(c)
    "patient_over_52_weeks": 2013,  # (7)(d)
    "forces_on_operations": 2014,  # (7)(e), SI 2013/3181
    "pension_credit": 2013,  # (8)(a)
    "income_support": 2013,
    "jsa_income_based": 2013,
    "esa_income_related": 2013,
    "disregarded": 2013,  # (8)(b)
    "universal_credit_without_earnings": 2015,  # (8)(c), SI 2014/3312
}
"""Why nothing is deducted, with the year from which the prescribed scheme says so."""
PASSPORTED = ("income_support", "jsa_income_based", "esa_income_related", "pension_credit")


def none_for_all(facts: Circumstances) -> bool:
    """Para 8(6): the applicant or a partner is blind, or receives a benefit for care or daily living at any rate."""
    return any(person.blind or person.care in DAILY_CARE for person in facts.adults)


def _of_one(rates: Bands, year: int, exempt: str | None, in_work: bool, gross: Fraction | None) -> Fraction:
    """Para 8(1), (2), (7) and (8) for one person."""
    if exempt is not None and year >= EXEMPT[exempt]:
        return Fraction(0)
    if not in_work:
        return rates.low
    if gross is None or gross >= rates.top_from:  # not shown to the authority, or t3 and over
        return rates.top
    if gross < rates.second_from:
        return rates.low
    return rates.second if gross < rates.third_from else rates.third


def weekly_deduction(non_dependant: NonDependant, day: date, rates: Bands | None = None) -> Fraction:
    """Para 8(1) to (4): one deduction for a couple, the higher of the two, both by their joint income."""
    year = year_of(day)
    rates = rates or BANDS[year]
    mine = _of_one(rates, year, non_dependant.exempt, non_dependant.in_work, non_dependant.gross_income)
    if not non_dependant.couple:
        return mine
    return max(mine, _of_one(rates, year, non_dependant.other_exempt, non_dependant.other_in_work, non_dependant.gross_income))


def arrival_counts_from(non_dependant: NonDependant, entitled_since: date | None) -> date | None:
    """Para 46(10)(b)(i) and (12): from when the arrival counts; None where it is no change since entitlement began."""
    moved_in = non_dependant.moved_in
    if moved_in is None or (entitled_since is not None and moved_in <= entitled_since):
        return None
    return delayed(moved_in)


def rise_counts_from(non_dependant: NonDependant, entitled_since: date | None) -> date | None:
    """Para 46(10)(b)(ii) and (12): a rise before the last effective date counts from that date, as the first change does."""
    rose, arrival = non_dependant.rose_on, arrival_counts_from(non_dependant, entitled_since)
    if rose is None or (entitled_since is not None and rose <= entitled_since):
        return None
    if arrival is not None and rose < arrival:
        return arrival
    return delayed(rose)


def has_arrived(non_dependant: NonDependant, day: date, entitled_since: date | None) -> bool:
    """Whether an arrival counts on the day (para 46(11))."""
    counts_from = arrival_counts_from(non_dependant, entitled_since)
    return counts_from is None or day >= counts_from


def pensioner_deduction(non_dependant: NonDependant, day: date, entitled_since: date | None) -> Fraction:
    """The weekly deduction that counts on a day, with the 26 weeks of para 46(10) to (13); what falls, falls at once."""
    now = weekly_deduction(non_dependant, day)
    if not has_arrived(non_dependant, day, entitled_since):
        return Fraction(0)
    counts_from = rise_counts_from(non_dependant, entitled_since)
    if counts_from is None or day >= counts_from:
        return now
    if non_dependant.before is None:
        raise MissingFactError("the deduction before it rose")
    return min(now, non_dependant.before)


def non_dependant_deductions(facts: Circumstances, day: date, entitled_since: date | None, *, pensioner: bool) -> Fraction:
    """The weekly sum for the applicant; shared equally by those who are jointly liable (para 8(5))."""
    if none_for_all(facts):
        return Fraction(0)
    if pensioner:
        each = [pensioner_deduction(one, day, entitled_since) for one in facts.non_dependants]
    else:
        each = [weekly_deduction(one, day) for one in facts.non_dependants]
    return total(each) / facts.jointly_liable


def alternative_share(facts: Circumstances, day: date) -> Fraction:
    """The table of Sch 3 para 1: the share of the tax that second adults bring."""
    seconds = [one for one in facts.non_dependants if one.second_adult]
    if not seconds:
        return Fraction(0)
    if all(one.second_adult_benefit in PASSPORTED for one in seconds):
        return Fraction(1 if facts.only_students_besides else Fraction(25, 100))
    others = [one.gross_income for one in seconds if one.second_adult_benefit not in PASSPORTED]
    if any(income is None for income in others):
        raise MissingFactError("the gross income of a second adult")
    gross, rates = total(income for income in others if income is not None), BANDS[year_of(day)]
    if gross < rates.fifteen_below:
        return Fraction(15, 100)
    return Fraction(75, 1000) if gross < rates.seven_and_a_half_below else Fraction(0)


def alternative_maximum(facts: Circumstances, day: date, tax: Fraction, tax_before_discount: Fraction) -> Fraction:
    """Para 9 and Sch 3 para 1(2): of the day's tax before discount, or after it in case (c), divided among the jointly liable."""
    share = alternative_share(facts, day)
    return share * (tax if share == 1 else tax_before_discount) / facts.jointly_liable
