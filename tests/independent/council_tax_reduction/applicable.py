"""Who is a pensioner, and the applicable amount of a pensioner (PR = SI 2012/2885, Sch 1 para 6 and Sch 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from independent.council_tax_reduction.amounts import (
    ADDITIONS,
    FAMILY_PREMIUM_ENDS,
    ONE_RATE,
    SIXTY_FIVE,
    SIXTY_FIVE_ENDS,
    TWO_CHILDREN_YEARS,
    TWO_RATES,
    year_of,
)
from independent.council_tax_reduction.facts import (
    WORKING_AGE_BENEFITS,
    Circumstances,
    MissingFactError,
    NonDependant,
    Person,
    total,
)
from independent.council_tax_reduction.pension_age import pension_age_day
from independent.exemptions import add_years

CARE_FOR_PREMIUM = frozenset(
    {
        "attendance_allowance",
        "dla_care_middle",
        "dla_care_highest",
        "pip_daily_living_standard",
        "pip_daily_living_enhanced",
        "armed_forces_independence_payment",
    }
)  # para 6(2)(a)(i)
CUT = date(2021, 4, 1)


def reaches_pension_age(person: Person) -> date:
    """The qualifying age for state pension credit, as recorded or from the date of birth."""
    return person.pension_age_day or pension_age_day(person.born)


def is_pensioner(facts: Circumstances, day: date) -> bool:
    """PR reg 3: the applicant is of the qualifying age, and nobody of the couple is on a benefit for working age."""
    if reaches_pension_age(facts.applicant) > day:
        return False
    for person in facts.adults:
        left_out = person.passport == "universal_credit" and facts.universal_credit_left_out
        if person.passport in WORKING_AGE_BENEFITS and not left_out:
            return False
    return facts.universal_credit is None or facts.universal_credit_left_out


# ---------------------------------------------------------------- personal allowances


def personal_allowance(facts: Circumstances, day: date, seen: date) -> Fraction:
    """Sch 2 para 1 for a day, with the ages of the day on which the facts are seen."""
    year, spouses = year_of(day), max(len(facts.partners) - 1, 0)
    if day < SIXTY_FIVE_ENDS:
        old = SIXTY_FIVE[year]
        over = any(add_years(person.born, 65) <= seen for person in facts.adults)
        if not facts.partners:
            return old.single_over if over else old.single_under
        return old.couple_over + spouses * old.spouse_over if over else old.couple_under + spouses * old.spouse_under
    if day < CUT:
        one = ONE_RATE[year]
        return one.couple + spouses * one.spouse if facts.partners else one.single
    two = TWO_RATES[year]
    before = any(reaches_pension_age(person) < CUT for person in facts.adults)
    if not facts.partners:
        return two.single_before if before else two.single_after
    return two.couple_before + spouses * two.spouse_before if before else two.couple_after + spouses * two.spouse_after


def children_counted(facts: Circumstances, day: date) -> int:
    """Sch 1 para 6(1A) as it stood for 2018-19 to 2024-25, with the saving of SI 2017/1305 reg 17."""
    count = len(facts.children)
    if year_of(day) not in TWO_CHILDREN_YEARS or facts.children_saved:
        return count
    return min(count, max(2, facts.children_in_tax_credit))  # (1B) and (1C)


def family_premium(facts: Circumstances, day: date) -> Fraction:
    """Sch 2 para 3, nil from 2 May 2016 but for the saving of SI 2015/2041 reg 3."""
    if not facts.children or (day >= FAMILY_PREMIUM_ENDS and not facts.family_premium_saved):
        return Fraction(0)
    return ADDITIONS[year_of(day)].family


# ---------------------------------------------------------------- premiums


def normally_resides(non_dependant: NonDependant) -> bool:
    """One whose normal home is elsewhere does not normally reside with the applicant (reg 9(1)); para 6(6)."""
    return non_dependant.exempt != "lives_elsewhere" and not non_dependant.ignored_for_severe_disability


def severe_disability(facts: Circumstances, one: Fraction, two: Fraction, residing: Sequence[NonDependant]) -> Fraction:
    """Sch 2 para 6 and Part 4 item 1."""
    if any(normally_resides(each) for each in residing):
        return Fraction(0)
    applicant = facts.applicant
    if applicant.care not in CARE_FOR_PREMIUM:
        return Fraction(0)
    partners = [p for p in facts.partners if p.care in CARE_FOR_PREMIUM or not p.blind]  # (3)
    if not partners:
        return Fraction(0) if applicant.cared_for or applicant.care_suspended else one
    if any(partner.care not in CARE_FOR_PREMIUM for partner in partners):
        return Fraction(0)
    cared_for = [person.cared_for for person in (applicant, *partners)]
    if all(cared_for):
        return Fraction(0)
    by_seven_only = any(person.care_suspended for person in (applicant, *partners))  # (7) and Part 4
    return one if any(cared_for) or by_seven_only else two


def enhanced_disability(child: Person, day: date) -> bool:
    """Sch 2 para 7, for a child or young person; the armed forces payment from 2023-24."""
    if child.care == "armed_forces_independence_payment":
        return year_of(day) >= 2023 and not child.care_suspended
    return child.care in ("dla_care_highest", "pip_daily_living_enhanced")


def disabled_child(child: Person, day: date) -> bool:
    """Sch 2 para 8: any rate of disability living allowance or personal independence payment, or blind."""
    if child.blind or child.mobility:
        return True
    if child.care == "armed_forces_independence_payment":
        return child.role == "young_person" and year_of(day) >= 2023
    return child.care is not None and child.care != "attendance_allowance"


@dataclass(frozen=True)
class ApplicableAmount:
    """The parts of an applicable amount."""

    allowance: Fraction
    children: Fraction = Fraction(0)
    family: Fraction = Fraction(0)
    premiums: dict[str, Fraction] = field(default_factory=dict)

    @property
    def amount(self) -> Fraction:
        return self.allowance + self.children + self.family + total(self.premiums.values())


def applicable_amount(
    facts: Circumstances, day: date, residing: Sequence[NonDependant] | None = None, seen: date | None = None
) -> ApplicableAmount:
    """Sch 1 para 6(1).

    `residing` are the non-dependants whose arrival counts by that day, all where nothing is said; `seen` is the day of the
    facts, where they count from a later one: a 65th birthday is a change of circumstances like others (Sch 1 para 46(1)).
    """
    residing = facts.non_dependants if residing is None else residing
    if not any(reaches_pension_age(person) <= day for person in facts.adults):
        raise MissingFactError("Sch 2 para 1 has no row for people below pension age")
    rates = ADDITIONS[year_of(day)]
    return ApplicableAmount(
        personal_allowance(facts, day, seen or day),
        children_counted(facts, day) * rates.child,
        family_premium(facts, day),
        {
            "severe_disability": severe_disability(facts, rates.severe_one, rates.severe_two, residing),
            "enhanced_disability": sum(enhanced_disability(child, day) for child in facts.children) * rates.enhanced_child,
            "disabled_child": sum(disabled_child(child, day) for child in facts.children) * rates.disabled_child,
            "carer": sum(person.carer for person in facts.adults) * rates.carer,
        },
    )
