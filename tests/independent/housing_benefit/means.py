"""Who falls under which Regulations, applicable amounts, income and capital (HBR Parts 5 and 6, SPC Parts 5 and 6).

SPC has the words of the prescribed scheme for Council Tax Reduction (SI 2012/2885 Sch 1), and the default scheme has those of
HBR, so most of it stands with them; here is what Housing Benefit has otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from independent.council_tax_reduction import applicable as old
from independent.council_tax_reduction import working_age_applicable as young
from independent.council_tax_reduction.amounts import ADDITIONS, WORKING, year_of
from independent.council_tax_reduction.applicable import reaches_pension_age
from independent.council_tax_reduction.facts import MissingFactError, NonDependant, Person
from independent.council_tax_reduction.income import pensioner_income
from independent.council_tax_reduction.working_age import PASSPORTS, income_taken_one_by_one
from independent.exemptions import age_on
from independent.housing_benefit.amounts import CAPITAL_LIMIT, COUPLE_UNDER_18, MIXED_AGE_ENDS, TWO_CHILDREN
from independent.housing_benefit.facts import Household, Lodged

ZERO = Fraction(0)


@dataclass(frozen=True)
class Means:
    """Weekly amounts; nothing counted where a benefit decides by itself, and nothing payable over the capital limit."""

    applicable: Fraction = ZERO
    income: Fraction = ZERO
    nothing_counted: bool = False
    capital_too_high: bool = False

    @property
    def excess(self) -> Fraction:
        return ZERO if self.nothing_counted else max(self.income - self.applicable, ZERO)


# ---------------------------------------------------------------- which Regulations


def reached(person: Person, day: date) -> bool:
    """The qualifying age for state pension credit."""
    return reaches_pension_age(person) <= day


def on_universal_credit(household: Household) -> bool:
    return household.run_on or household.universal_credit is not None or household.on("universal_credit")


def mixed_age(household: Household, day: date) -> bool:
    """SI 2019/37 art 2(2): a couple of whom one has reached the age and another has not."""
    ages = {reached(person, day) for person in household.adults}
    return len(ages) == 2


def pension_age(household: Household, day: date) -> bool:
    """HBR reg 5, SPC reg 5: the claimant is of the age, and nobody of the couple is on a benefit for working age."""
    if not reached(household.applicant, day):
        return False
    return not on_universal_credit(household) and not any(household.on(passport) for passport in PASSPORTS)


def no_longer_entitled(household: Household, day: date) -> bool:
    """SI 2019/37 arts 5 and 6: a mixed-age couple that is not saved has no award under SPC."""
    return day >= MIXED_AGE_ENDS and pension_age(household, day) and mixed_age(household, day) and not household.mixed_age_saved


def passported(household: Household, *, old_rules: bool) -> bool:
    """SPC reg 26; HBR Sch 4 para 12, Sch 5 para 4 and Sch 6 para 5, and universal credit with them (SI 2013/630)."""
    if old_rules:
        return household.continuing or household.on("guarantee_credit")
    return on_universal_credit(household) or any(household.on(passport) for passport in PASSPORTS)


# ---------------------------------------------------------------- applicable amounts


def children_counted(household: Household, day: date) -> int:
    """HBR and SPC reg 22 with SI 2017/376: two, or as many as child tax credit has, but for the saving."""
    count = len(household.children)
    if day < TWO_CHILDREN or household.children_saved:
        return count
    return min(count, max(2, household.children_in_tax_credit))


def beside(household: Household, seen: date) -> tuple[NonDependant, ...]:
    """The non-dependants who may stand against a severe disability premium: aged 18 or over (Sch 3 para 14(2)(a)(ii)).

    Those who are away for a time, in hospital or with the forces, go on to reside normally with the claimant.
    """
    return tuple(one for one in household.non_dependants if not (isinstance(one, Lodged) and under_18(one, seen)))


def under_18(one: Lodged, seen: date) -> bool:
    born = [day for day in (one.born, one.other_born if one.couple else one.born) if day is not None]
    return bool(born) and all(age_on(day, seen) < 18 for day in born)


def has_severe_disability_premium(household: Household, seen: date) -> bool:
    """HBR Sch 3 para 14, SPC Sch 3 para 6, in the same words."""
    return old.severe_disability(household, Fraction(1), Fraction(2), beside(household, seen)) > 0


def personal_allowance(household: Household, day: date, seen: date) -> Fraction:
    """HBR regs 22(a) and 23(a) and (b), Sch 3 paras 1 and 1A."""
    rates = WORKING[year_of(day)]
    applicant = household.applicant
    main_phase = applicant.esa_component in young.MAIN_PHASE
    if household.partners:
        adult = main_phase or any(age_on(person.born, seen) >= 18 for person in household.adults)
        couple = rates.couple if adult else COUPLE_UNDER_18[year_of(day)]
        return couple + (len(household.partners) - 1) * (rates.couple - rates.single)
    if main_phase:
        return rates.single
    if household.children:
        return rates.lone_parent if age_on(applicant.born, seen) >= 18 else rates.single_under_25
    return rates.single if age_on(applicant.born, seen) >= 25 else rates.single_under_25


def working_age_applicable(household: Household, day: date, seen: date) -> Fraction:
    """HBR regs 22 and 23 and Sch 3."""
    rates = WORKING[year_of(day)]
    found = young.applicable_amount(replace(household, non_dependants=beside(household, seen)), day, seen)
    found += personal_allowance(household, day, seen) - young.personal_allowance(household, seen, rates)
    found += (children_counted(household, day) - len(household.children)) * rates.child
    return found + household.transitional_addition


def pension_age_applicable(household: Household, day: date, seen: date, arrived: Sequence[NonDependant]) -> Fraction:
    """SPC reg 22 and Sch 3; `arrived` are the non-dependants whose arrival counts."""
    against = beside(household, seen)
    counted = old.applicable_amount(household, day, [one for one in arrived if one in against], seen)
    return counted.amount - counted.children + children_counted(household, day) * ADDITIONS[year_of(day)].child


# ---------------------------------------------------------------- income and capital


def working_age_tariff(household: Household, capital: Fraction) -> Fraction:
    """HBR reg 52: a pound for each 250 pounds over 6,000, or over 10,000 in a care home, and for a part of it."""
    over = (min(capital, CAPITAL_LIMIT) - (10000 if household.care_home else 6000)) / 250
    return max(Fraction(-((-over.numerator) // over.denominator)), ZERO)


def means(household: Household, day: date, seen: date, arrived: Sequence[NonDependant], *, old_rules: bool) -> Means:
    """The means that count on a day; `day` is one of the year of the figures, `seen` that of the ages."""
    by_age = pension_age_applicable(household, day, seen, arrived) if old_rules else None
    applicable = working_age_applicable(household, day, seen) if by_age is None else by_age
    if passported(household, old_rules=old_rules):
        return Means(applicable, nothing_counted=True)
    if household.capital is None:
        raise MissingFactError("the capital")
    if household.capital > CAPITAL_LIMIT:
        return Means(applicable, capital_too_high=True)
    if old_rules:
        return Means(applicable, pensioner_income(household, day).amount)
    tariff = working_age_tariff(household, household.capital)
    return Means(applicable, income_taken_one_by_one(replace(household, non_dependants=beside(household, seen)), day, seen, tariff))
