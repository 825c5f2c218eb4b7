"""The applicable amount of people who are not pensioners (DS = SI 2012/2886, paras 26 to 28 and Sch 3).

The stored text of DS ends before its inner schedules.  The conditions of Sch 3 are taken from Schedule 3 to the Housing Benefit
Regulations 2006 (HBR), whose words it repeats; paragraphs cited as HBR are of that Schedule.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from independent.council_tax_reduction.amounts import FAMILY_PREMIUM_ENDS, WORKING, Working, year_of
from independent.council_tax_reduction.applicable import reaches_pension_age, severe_disability
from independent.council_tax_reduction.facts import Circumstances, MissingFactError, Person, total
from independent.exemptions import age_on

ZERO = Fraction(0)
COMPONENTS = ("work_related_activity", "support")
MAIN_PHASE = (*COMPONENTS, "work_related_activity_without_component")
HIGHEST = ("dla_care_highest", "pip_daily_living_enhanced", "armed_forces_independence_payment")


def below_pension_age(person: Person, day: date) -> bool:
    return reaches_pension_age(person) > day


def brings_disability_premium(person: Person, day: date) -> bool:
    """HBR paras 12 and 13(1): by a benefit or blindness either of a couple, by incapacity the applicant alone."""
    if not person.adult or not below_pension_age(person, day):
        return False
    kinds = {income.kind for income in person.incomes}
    by_benefit = person.care is not None or person.mobility or person.blind
    by_benefit = by_benefit or bool(kinds & {"severe_disablement_allowance", "mobility_supplement"})
    by_benefit = by_benefit or ("incapacity_benefit" in kinds and person.long_term_sick)  # at the long-term rate
    return by_benefit or (person.role == "applicant" and person.long_term_sick)


def has_disability_premium(facts: Circumstances, day: date) -> bool:
    """HBR paras 12 and 13, with (9): none for an applicant with limited capability for work."""
    return facts.applicant.esa_component is None and any(brings_disability_premium(person, day) for person in facts.adults)


def component(facts: Circumstances, day: date) -> str | None:
    """DS Sch 3 Part 5: one component, that of the applicant where both have one; none beside a disability premium.

    Of several partners' components the higher: the paragraphs speak of one partner alone.
    """
    if has_disability_premium(facts, day):
        return None
    first = sorted(facts.adults, key=lambda person: (person.role != "applicant", person.esa_component != "support"))
    return next((person.esa_component for person in first if person.esa_component in COMPONENTS), None)


def has_severe_disability_premium(facts: Circumstances) -> bool:
    """HBR para 14."""
    return severe_disability(facts, Fraction(1), Fraction(2), facts.non_dependants) > 0


def personal_allowance(facts: Circumstances, day: date, rates: Working) -> Fraction:
    """DS paras 26 and 27 and Sch 3 para 1."""
    if facts.partners:
        return rates.couple + (len(facts.partners) - 1) * (rates.couple - rates.single)
    if facts.children:
        return rates.lone_parent
    applicant = facts.applicant
    young = age_on(applicant.born, day) < 25 and applicant.esa_component not in MAIN_PHASE
    return rates.single_under_25 if young else rates.single


def family_premium(facts: Circumstances, day: date, rates: Working) -> Fraction:
    """DS Sch 3 para 4; from 2 May 2016 for those alone who kept it, as in housing benefit (SI 2015/1857)."""
    if not facts.children:
        return ZERO
    if facts.lone_parent and facts.lone_parent_rate_saved:
        return rates.family_lone_parent
    return ZERO if day >= FAMILY_PREMIUM_ENDS and not facts.family_premium_saved else rates.family


def disabled_child(child: Person) -> bool:
    """HBR para 16: disability living allowance or personal independence payment, blind, or the forces' payment of a young person."""
    if child.care == "armed_forces_independence_payment":
        return child.role == "young_person" or child.blind or child.mobility
    return child.blind or child.mobility or (child.care is not None and child.care != "attendance_allowance")


def enhanced_disability(facts: Circumstances, day: date) -> bool:
    """HBR para 15(1), for an adult: the support group for the applicant, the highest rate for either of a couple."""
    if facts.applicant.esa_component == "support":
        return True
    return any(person.care in HIGHEST and below_pension_age(person, day) for person in facts.adults)


def applicable_amount(facts: Circumstances, day: date, seen: date) -> Fraction:
    """DS para 26 and Sch 3, with the ages of the day on which the facts are seen."""
    rates, couple = WORKING[year_of(day)], bool(facts.partners)
    found = [
        personal_allowance(facts, seen, rates),
        len(facts.children) * rates.child,
        family_premium(facts, day, rates),
        severe_disability(facts, rates.severe_one, rates.severe_two, facts.non_dependants),
    ]
    if has_disability_premium(facts, seen):
        found.append(rates.disability_couple if couple else rates.disability_single)
    if enhanced_disability(facts, seen):
        found.append(rates.enhanced_couple if couple else rates.enhanced_single)
    found += [rates.enhanced_child for child in facts.children if child.care in HIGHEST]
    found += [rates.disabled_child for child in facts.children if disabled_child(child)]
    found += [rates.carer for person in facts.adults if person.carer]
    part = component(facts, seen)
    if part == "work_related_activity" and not rates.work_related:
        raise MissingFactError("the work-related activity component of this year was not found in print")
    if part is not None:
        found.append(rates.support if part == "support" else rates.work_related)
    return total(found)
