"""Deductions for non-dependants (HBR reg 74, SPC reg 55, in the same words)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from independent.council_tax_reduction.deductions import arrival_counts_from, has_arrived, none_for_all, rise_counts_from
from independent.council_tax_reduction.facts import MissingFactError, NonDependant, total
from independent.exemptions import age_on
from independent.housing_benefit.amounts import BANDS, pence
from independent.housing_benefit.facts import Household, Lodged

ZERO = Fraction(0)
NEVER = ("lives_elsewhere", "youth_training", "full_time_student", "patient_over_52_weeks", "forces_on_operations", "pension_credit")
"""Para (7)(a) to (g) and (9) (HBR (10))."""
BELOW_25 = ("income_support", "jsa_income_based", "esa_income_related", "universal_credit_without_earnings")
"""Para (8)."""
DELAY_FROM = 65
"""SPC reg 59(10)(a)."""


def of_one(
    exempt: str | None, born: date | None, component: bool, in_work: bool, gross: Fraction | None, year: int, seen: date
) -> Fraction:
    """Para (1), (2) and (7) to (9) for one person."""
    age = None if born is None else age_on(born, seen)
    if exempt in NEVER or (age is not None and age < 18):
        return ZERO
    if exempt in BELOW_25 and not (exempt == "esa_income_related" and component):
        if age is None:
            raise MissingFactError("the age of a non-dependant on such a benefit")
        if age < 25:
            return ZERO
    bands = BANDS[year]
    if exempt in BELOW_25 or not in_work:  # reg 6(6): on such a benefit nobody is in remunerative work
        return bands.deductions[0]
    if gross is None:  # not shown to the authority: (1)(a)
        return bands.deductions[-1]
    return bands.deductions[sum(gross >= begins for begins in bands.begins)]


def weekly_deduction(one: NonDependant, year: int, seen: date) -> Fraction:
    """Para (1) to (5): the part that falls on the claimant."""
    return shared(one, undivided(one, year, seen))


def undivided(one: NonDependant, year: int, seen: date) -> Fraction:
    """Para (1) to (4): one deduction for a couple, the higher by their joint income."""
    assert isinstance(one, Lodged)
    found = of_one(one.exempt, one.born, one.component, one.in_work, one.gross_income, year, seen)
    if one.couple:
        other = of_one(one.other_exempt, one.other_born, one.other_component, one.other_in_work, one.gross_income, year, seen)
        found = max(found, other)
    return found


def shared(one: NonDependant, amount: Fraction) -> Fraction:
    """Para (5): apportioned between joint occupiers, each part to the nearest penny."""
    assert isinstance(one, Lodged)
    part = Fraction(1, one.joint_occupiers) if one.share is None else one.share
    return pence(amount * part)


def delays(household: Household, seen: date) -> bool:
    """SPC reg 59(10)(a)."""
    return any(age_on(person.born, seen) >= DELAY_FROM for person in household.adults)


def counted(one: NonDependant, year: int, day: date, seen: date, since: date | None) -> Fraction:
    """SPC reg 59(10) to (13): an arrival or a rise counts after 26 weeks."""
    now = weekly_deduction(one, year, seen)
    if not has_arrived(one, day, since):
        return ZERO
    begins = rise_counts_from(one, since)
    if begins is None or day >= begins:
        return now
    if one.before is None:
        raise MissingFactError("the deduction before it rose")
    return min(now, shared(one, one.before))


def deductions(household: Household, year: int, day: date, seen: date, since: date | None, *, old_rules: bool) -> Fraction:
    """The weekly deductions that count on a day; for pension age, those that have waited."""
    if none_for_all(household):  # (6)
        return ZERO
    if old_rules and delays(household, seen):
        return total(counted(one, year, day, seen, since) for one in household.non_dependants)
    return total(weekly_deduction(one, year, seen) for one in household.non_dependants)


def days_of_change(household: Household, since: date | None) -> list[date]:
    """When a delay ends."""
    found = [arrival_counts_from(one, since) for one in household.non_dependants]
    found += [rise_counts_from(one, since) for one in household.non_dependants]
    return [day for day in found if day is not None]
