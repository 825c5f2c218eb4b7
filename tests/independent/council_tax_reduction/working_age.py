"""Income and applicable amount of people who are not pensioners (DS = SI 2012/2886), in the form most local schemes keep.

The stored text of DS ends before its inner schedules; where one of them is cited its words are those of the Housing Benefit
Regulations 2006, which it follows.  Students' grants and loans (DS Part 11) are not worked out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from independent.council_tax_reduction.amounts import ADDITIONAL, FAMILY_PREMIUM_ENDS, WORKING, Working, year_of
from independent.council_tax_reduction.applicable import CARE_FOR_PREMIUM, normally_resides, severe_disability
from independent.council_tax_reduction.facts import Circumstances, MissingFactError, Person, total
from independent.council_tax_reduction.income import (
    WAR_PENSIONS,
    additional_condition,
    beyond_20,
    child_care_deductible,
    earnings,
    of_kind,
)
from independent.exemptions import age_on

ZERO = Fraction(0)
PASSPORTS = ("income_support", "jsa_income_based", "esa_income_related")
LEFT_OUT = frozenset(
    {
        *PASSPORTS,  # DS Sch 8: income support and the like
        "attendance_allowance",
        "dla_care",
        "dla_mobility",
        "pip_daily_living",
        "pip_mobility",
        "armed_forces_independence_payment",
        "constant_attendance_allowance",
        "mobility_supplement",
        "child_benefit",
        "guardians_allowance",
        "child_maintenance",
        "bereavement_support_payment",
        "victims_compensation",
        "foster_allowance",
        "adoption_allowance",
        "charitable_payment",
        "rent_from_property",  # treated as capital (DS para 64)
    }
)
PARTLY = {*WAR_PENSIONS, "widowed_parents_allowance", "spousal_maintenance", "working_tax_credit", "boarder", "sub_tenant"}


@dataclass(frozen=True)
class Scheme:
    """A local scheme of the default form: the share of the tax that it takes, its taper and its capital figures."""

    share: Fraction = Fraction(1)
    taper: Fraction = Fraction(20, 100)
    capital_limit: Fraction = Fraction(16000)
    limit_excluded: bool = False  # whether capital of just the limit excludes
    tariff_above: Fraction = Fraction(6000)
    tariff_step: Fraction = Fraction(250)
    second_adults: bool = True


@dataclass(frozen=True)
class Means:
    """Weekly applicable amount and income."""

    applicable: Fraction
    income: Fraction
    tariff: Fraction = ZERO


def tariff_income(capital: Fraction, scheme: Scheme) -> Fraction:
    """DS para 72."""
    over = (capital - scheme.tariff_above) / scheme.tariff_step
    return max(Fraction(-((-over.numerator) // over.denominator)), ZERO)


# ---------------------------------------------------------------- applicable amount


def _disabled(person: Person) -> bool:
    """DS Sch 3 paras 9 and 10: the additional condition for the disability premium."""
    return person.care is not None or person.mobility or person.blind or person.long_term_sick


def applicable_amount(facts: Circumstances, day: date) -> Fraction:
    """DS para 26 and Sch 3."""
    rates, applicant = WORKING[year_of(day)], facts.applicant
    component = next((p.esa_component for p in facts.adults if p.esa_component in ("support", "work_related_activity")), None)
    if facts.partners:
        allowance = rates.couple + (len(facts.partners) - 1) * (rates.couple - rates.single)
    elif facts.children:
        allowance = rates.lone_parent
    else:
        young = age_on(applicant.born, day) < 25 and component is None
        allowance = rates.single_under_25 if young else rates.single
    found = [allowance, len(facts.children) * rates.child, _family_premium(facts, day, rates), *_premiums(facts, rates, component)]
    return total(found)


def _family_premium(facts: Circumstances, day: date, rates: Working) -> Fraction:
    """DS Sch 3 para 4, in the form of the Housing Benefit Regulations: saved cases only from 1 May 2016."""
    if not facts.children or (day >= FAMILY_PREMIUM_ENDS and not facts.family_premium_saved):
        return ZERO
    return rates.family_lone_parent if facts.lone_parent and facts.lone_parent_rate_saved else rates.family


def _premiums(facts: Circumstances, rates: Working, component: str | None) -> list[Fraction]:
    """DS Sch 3 Parts 3 to 6: the disability premium gives way to employment and support allowance."""
    adults, couple = facts.adults, bool(facts.partners)
    esa = any(person.esa_component is not None for person in adults)
    found = []
    if not esa and any(_disabled(person) for person in adults):
        found.append(rates.disability_couple if couple else rates.disability_single)
    best = ("dla_care_highest", "pip_daily_living_enhanced", "armed_forces_independence_payment")
    if component == "support" or any(person.care in best for person in adults):
        found.append(rates.enhanced_couple if couple else rates.enhanced_single)
    found.append(severe_disability(facts, rates.severe_one, rates.severe_two, facts.non_dependants))
    found += [rates.enhanced_child for child in facts.children if child.care in best]
    found += [rates.disabled_child for child in facts.children if child.blind or child.mobility or child.care is not None]
    found += [rates.carer for person in adults if person.carer]
    if component is not None:
        found.append(rates.support if component == "support" else rates.work_related)
    return found


# ---------------------------------------------------------------- income


def main_disregard(facts: Circumstances) -> Fraction:
    """DS Sch 7, in the words of HBR Sch 4 paras 3 to 10: the first of them that applies."""
    each = {person.key: earnings(person) for person in facts.adults}
    everything = total(each.values())
    if facts.lone_parent:
        return min(Fraction(25), everything)
    esa = any(p.esa_component in ("support", "work_related_activity") for p in facts.adults)
    severe = all(person.care in CARE_FOR_PREMIUM for person in facts.adults) and not any(map(normally_resides, facts.non_dependants))
    if esa or severe or any(_disabled(person) for person in facts.adults):
        return min(Fraction(20), everything)
    for chosen in ("carer", "special_occupation"):
        mine = total(each[person.key] for person in facts.adults if getattr(person, chosen))
        if mine:
            first = min(Fraction(20), mine)
            special = total(each[p.key] for p in facts.adults if p.special_occupation and not getattr(p, chosen))
            second = min(special, 20 - first)
            rest = everything - mine - special
            return first + second + min(rest, Fraction(10 if facts.partners else 5), 20 - first - second)
    return min(Fraction(10 if facts.partners else 5), everything)


def other_income(facts: Circumstances, *, tax_credit_disregard: bool) -> Fraction:
    """DS para 54: the whole of any other income, less DS Sch 8."""
    kinds = {income.kind for person in facts.adults for income in person.incomes}
    if kinds & {"student_grant", "student_loan"}:
        raise MissingFactError("a student's income by DS Part 11")
    plain = kinds - LEFT_OUT - PARTLY - {"employed_earnings", "self_employed_earnings", "statutory_sick_pay", "statutory_maternity_pay"}
    war, widowed = total(of_kind(facts, *WAR_PENSIONS)), total(of_kind(facts, "widowed_parents_allowance"))
    off = min(min(war, Fraction(10)) + min(widowed, Fraction(15)), Fraction(20))  # together no more than 20 pounds
    maintenance = total(of_kind(facts, "spousal_maintenance"))
    maintenance -= min(maintenance, Fraction(15)) if facts.children else ZERO
    credit = total(of_kind(facts, "working_tax_credit"))
    credit -= min(credit, ADDITIONAL) if tax_credit_disregard else ZERO
    boarders = total(beyond_20(amount, "half") for amount in of_kind(facts, "boarder"))
    tenants = total(beyond_20(amount, "all") for amount in of_kind(facts, "sub_tenant"))
    return total(of_kind(facts, *plain)) + war + widowed - off + maintenance + credit + boarders + tenants


def working_age_figures(facts: Circumstances, day: date, scheme: Scheme) -> Means | None:
    """DS paras 26, 28, 37 and 57; None where capital is over the limit."""
    if any(person.passport in PASSPORTS for person in facts.adults):
        return Means(ZERO if facts.universal_credit else applicable_amount(facts, day), ZERO)
    capital = facts.capital
    if capital is None:
        raise MissingFactError("the capital")
    if capital > scheme.capital_limit or (scheme.limit_excluded and capital == scheme.capital_limit):
        return None
    credit = facts.universal_credit
    if credit is not None:  # DS paras 28(3), 37(2) and (4)
        month = Fraction(12, 52)
        return Means(credit.maximum * month, (credit.earnings + credit.other_income + credit.award) * month)
    gross, disregard = total(earnings(person) for person in facts.adults), main_disregard(facts)
    left, condition = gross - disregard, additional_condition(facts, day)
    in_full = child_care_deductible(facts, left, ZERO)
    additional = ADDITIONAL if condition and left - in_full >= ADDITIONAL else ZERO
    left -= additional
    tax_credits = total(of_kind(facts, "working_tax_credit", "child_tax_credit"))
    care = child_care_deductible(facts, left, tax_credits)
    other = other_income(facts, tax_credit_disregard=condition and not additional)
    tariff = tariff_income(capital, scheme)
    return Means(applicable_amount(facts, day), max(left + other + tariff - care, ZERO), tariff)
