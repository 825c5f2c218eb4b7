"""Income of people who are not pensioners (DS = SI 2012/2886), in the form most local schemes keep.

The stored text of DS ends before its inner schedules.  Schs 7 and 8 are taken from Schs 4 and 5 to the Housing Benefit Regulations
2006 (HBR), whose words they repeat.  Of students' income loans are taken (DS para 81), grants are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from independent.council_tax_reduction.amounts import ADDITIONAL
from independent.council_tax_reduction.facts import Circumstances, Income, MissingFactError, Person, total
from independent.council_tax_reduction.income import (
    EARNINGS,
    WAR_PENSIONS,
    beyond_20,
    child_care_deductible,
    exempt_work,
    student_support,
)
from independent.council_tax_reduction.working_age_applicable import (
    COMPONENTS,
    applicable_amount,
    brings_disability_premium,
    component,
    has_disability_premium,
    has_severe_disability_premium,
)
from independent.exemptions import age_on

ZERO = Fraction(0)
PASSPORTS = ("income_support", "jsa_income_based", "esa_income_related")
PERIODS = {
    "weekly": Fraction(1),  # para 50(1)(a)
    "fortnightly": Fraction(7, 14),  # (b)(ii)
    "four_weekly": Fraction(7, 28),
    "monthly": Fraction(12, 52),  # (b)(i)
    "quarterly": Fraction(7 * 4, 365),  # (b)(ii), by days: a year of 365, a quarter as a fourth of it
    "yearly": Fraction(7, 365),
}
LEFT_OUT = frozenset(
    {
        *PASSPORTS,  # DS Sch 8: income support and the like
        "guarantee_credit",
        "universal_credit",  # para 37 takes the award
        "attendance_allowance",
        "dla_care",
        "dla_mobility",
        "pip_daily_living",
        "pip_mobility",
        "armed_forces_independence_payment",
        "constant_attendance_allowance",
        "mobility_supplement",
        "war_pension_supplement",  # HBR Sch 5 paras 43 and 53 to 55
        "child_benefit",
        "guardians_allowance",
        "child_maintenance",
        "bereavement_support_payment",
        "victims_compensation",
        "foster_allowance",
        "adoption_allowance",
        "charitable_payment",  # HBR Sch 5 para 14(1)(a)
        "trust_payment_for_needs",  # (c)
        "rent_from_property",  # treated as capital (DS para 64)
    }
)
SELF_EMPLOYED = ("self_employed_earnings", "royalties")  # DS para 53(1) and (3)
PARTLY = {
    *WAR_PENSIONS,
    "widowed_parents_allowance",
    "student_loan",
    "spousal_maintenance",
    "working_tax_credit",
    "child_tax_credit",
    "boarder",
    "sub_tenant",
    "home_income_annuity",
}


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


def weekly(income: Income) -> Fraction:
    """DS para 50(1)."""
    return income.amount * PERIODS[income.period]


def of_kind(facts: Circumstances, *kinds: str) -> list[Fraction]:
    """The weekly amounts of some kinds of income of the applicant and partners (DS para 33(2))."""
    return [weekly(income) for person in facts.adults for income in person.incomes if income.kind in kinds]


def earnings(person: Person) -> Fraction:
    """DS paras 51 and 53."""
    return total(weekly(income) for income in person.incomes if income.kind in EARNINGS or income.kind in SELF_EMPLOYED)


def tariff_income(capital: Fraction, scheme: Scheme) -> Fraction:
    """DS para 72, of no more than the limit."""
    over = (min(capital, scheme.capital_limit) - scheme.tariff_above) / scheme.tariff_step
    return max(Fraction(-((-over.numerator) // over.denominator)), ZERO)


def excluded_as_student(facts: Circumstances) -> bool:
    """DS paras 24 and 75(1); of a couple the one who is no such student may apply (para 109(1))."""
    return all(person.student for person in facts.adults)


# ---------------------------------------------------------------- earnings


def main_disregard(facts: Circumstances, day: date) -> Fraction:
    """DS Sch 7, in the words of HBR Sch 4 paras 3 to 10A: the first of them that applies."""
    each = {person.key: earnings(person) for person in facts.adults}
    everything = total(each.values())
    exempt = exempt_work(facts, each)
    if exempt is not None:
        return exempt
    if facts.lone_parent:  # para 4
        return min(Fraction(25), everything)
    if has_disability_premium(facts, day) or has_severe_disability_premium(facts) or component(facts, day) is not None:  # para 3(2)
        return min(Fraction(20), everything)
    ordinary = Fraction(10 if facts.partners else 5)
    for chosen, share in (("carer", ordinary if facts.partners else ZERO), ("special_occupation", ordinary)):
        mine = total(each[person.key] for person in facts.adults if getattr(person, chosen))
        if mine:  # paras 5 and 6, or 8 and 9: 20 pounds, the balance from other earnings
            first = min(Fraction(20), mine)
            special = total(each[p.key] for p in facts.adults if p.special_occupation and not getattr(p, chosen))
            second = min(special, 20 - first)
            return first + second + min(everything - mine - special, share, 20 - first - second)
    return min(ordinary, everything)  # paras 7 and 10


def additional_condition(facts: Circumstances, day: date) -> bool:
    """HBR Sch 4 para 17(2), from the hours of work, or as an officer found it."""
    if any(person.hours_condition for person in facts.adults):
        return True

    def works(person: Person, hours: int) -> bool:
        return person.hours is not None and person.hours >= hours and person.hours_condition is not False

    people = facts.adults
    if any(works(person, 30) and age_on(person.born, day) >= 25 for person in people):  # (b)(i)
        return True
    if facts.children and any(works(person, 16) for person in people):  # (b)(ii) and (iii)
        return True
    if has_disability_premium(facts, day):  # (b)(iv)
        return any(works(person, 16) and brings_disability_premium(person, day) for person in people)
    return component(facts, day) is not None and any(works(person, 16) and person.esa_component in COMPONENTS for person in people)


# ---------------------------------------------------------------- other income


def other_income(facts: Circumstances) -> Fraction:
    """DS para 54: the whole of any other income, less DS Sch 8, but for tax credits."""
    kinds = {income.kind for person in facts.adults for income in person.incomes}
    if "student_grant" in kinds:
        raise MissingFactError("a student's grant income by DS Part 11")
    plain = kinds - LEFT_OUT - PARTLY - set(EARNINGS) - set(SELF_EMPLOYED)
    war, widowed, loan = (total(of_kind(facts, *which)) for which in (WAR_PENSIONS, ("widowed_parents_allowance",), ("student_loan",)))
    # HBR Sch 5 paras 15, 16 and 34 and DS para 81(2): together no more than 20 pounds.
    off = min(min(war, Fraction(10)) + min(widowed, Fraction(15)) + min(loan, Fraction(10)), Fraction(20))
    maintenance = total(of_kind(facts, "spousal_maintenance"))
    maintenance -= min(maintenance, Fraction(15)) if facts.children else ZERO  # HBR Sch 5 para 47
    boarders = total(beyond_20(amount, "half") for amount in of_kind(facts, "boarder"))
    tenants = total(beyond_20(amount, "all") for amount in of_kind(facts, "sub_tenant"))
    annuities = [(weekly(i), i.loan_interest) for p in facts.adults for i in p.incomes if i.kind == "home_income_annuity"]
    annuity = total(amount - min(amount, interest) for amount, interest in annuities)  # HBR Sch 5 para 18
    return total(of_kind(facts, *plain)) + war + widowed + loan - off + maintenance + boarders + tenants + annuity


# ---------------------------------------------------------------- together


def income_taken_one_by_one(facts: Circumstances, day: date, seen: date, tariff: Fraction) -> Fraction:
    """DS para 57."""
    gross, disregard = total(map(earnings, facts.adults)), main_disregard(facts, seen)
    credit, child_credit = total(of_kind(facts, "working_tax_credit")), total(of_kind(facts, "child_tax_credit"))
    condition, support = additional_condition(facts, seen), student_support(facts, day)
    other = other_income(facts) + child_credit + tariff
    from_earnings = max(support - other - credit, ZERO)  # HBR Sch 4 para 11: what other income does not cover
    left = gross - min(disregard + from_earnings, gross)
    enough = gross - disregard - child_care_deductible(facts, left, ZERO) >= ADDITIONAL
    if condition and enough:  # HBR Sch 4 para 17(1) and (3), which asks for paras 3 to 10A and not for para 11
        left = max(left - ADDITIONAL, ZERO)
    elif condition:  # HBR Sch 5 para 56
        credit = max(credit - ADDITIONAL, ZERO)
    care = child_care_deductible(facts, left, credit + child_credit)
    return max(left - care + max(other + credit - support, ZERO), ZERO)


def working_age_figures(facts: Circumstances, day: date, scheme: Scheme, seen: date | None = None) -> Means | None:
    """DS paras 26, 28, 37 and 57; None where capital is over the limit.

    `seen` is the day of the facts, where they count from a later one: a birthday is a change of circumstances (DS para 107(1)).
    """
    seen = seen or day
    if any(person.passport in PASSPORTS for person in facts.adults):
        return Means(ZERO if facts.universal_credit else applicable_amount(facts, day, seen), ZERO)
    capital = facts.capital
    if capital is None:
        raise MissingFactError("the capital")
    if capital > scheme.capital_limit or (scheme.limit_excluded and capital == scheme.capital_limit):
        return None
    credit = facts.universal_credit
    if credit is not None:  # DS paras 28(3), 37(2) and (4)
        month = Fraction(12, 52)
        return Means(credit.maximum * month, (credit.earnings + credit.other_income + credit.award) * month)
    tariff = tariff_income(capital, scheme)
    return Means(applicable_amount(facts, day, seen), income_taken_one_by_one(facts, day, seen, tariff), tariff)
