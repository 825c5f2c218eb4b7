"""The benefit cap (HBR Part 8A, regs 75A to 75G; the list of benefits is that of s.96(10) of the Welfare Reform Act 2012).

Until 6 November 2016 the list stood in reg 75G (SI 2012/2994) and had carer's and guardian's allowance; since then whoever has
one of them is spared (SI 2016/909).
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from independent.council_tax_reduction.facts import MissingFactError, Person, total
from independent.council_tax_reduction.working_age import PASSPORTS, weekly
from independent.housing_benefit.amounts import cap
from independent.housing_benefit.facts import Household
from independent.housing_benefit.means import on_universal_credit

ZERO = Fraction(0)
LISTED = (
    "bereavement_allowance",
    "child_benefit",
    "child_tax_credit",
    "esa_contributory",
    "esa_income_related",
    "incapacity_benefit",
    "income_support",
    "jsa_contribution_based",
    "jsa_income_based",
    "maternity_allowance",
    "severe_disablement_allowance",
)
UNTIL_2016 = ("carers_allowance", "guardians_allowance")
WAR_PENSIONS = ("war_disablement_pension", "war_widows_pension", "guaranteed_income_payment")
SPARED = ("industrial_injuries_benefit", "attendance_allowance", "working_tax_credit", *WAR_PENSIONS)
"""Regs 75E(2) and 75F(1)(b), (c) and (d), of the claimant or the partner."""
SPARED_WITH_CHILDREN = ("dla_care", "dla_mobility", "pip_daily_living", "pip_mobility", "armed_forces_independence_payment")
"""Reg 75F(1)(e) and, since April 2013, its like."""
CHANGED = date(2016, 11, 7)


def couple(household: Household) -> list[Person]:
    """Reg 75G: of a polygamous marriage the claimant and the one first married, who is the partner of regs 75A to 75F."""
    return [person for person in household.adults if person.role in ("applicant", "partner")]


def spared(household: Household, day: date) -> bool:
    """Regs 75E and 75F."""
    if household.cap_grace or household.cap_exempt or on_universal_credit(household):  # 75F(1)(g): universal credit has its own
        return True
    two = couple(household)
    kinds = {income.kind for person in two for income in person.incomes}
    everyone = {income.kind for person in (*two, *household.children) for income in person.incomes}
    if any(person.esa_component == "support" for person in two) or kinds & set(SPARED):
        return True
    if any(person.care is not None or person.mobility for person in (*two, *household.children)) or everyone & set(SPARED_WITH_CHILDREN):
        return True
    return day >= CHANGED and (bool(kinds & set(UNTIL_2016)) or any(person.carer for person in two))


def benefits(household: Household, day: date) -> Fraction:
    """Reg 75C: what is taken as income, or the amount of entitlement."""
    if household.benefits_for_cap is not None:
        return household.benefits_for_cap
    kinds = LISTED if day >= CHANGED else (*LISTED, *UNTIL_2016)
    incomes = [income for person in couple(household) for income in person.incomes]
    widowed = total(weekly(income) for income in incomes if income.kind == "widowed_parents_allowance")
    return total(weekly(income) for income in incomes if income.kind in kinds) + max(widowed - 15, ZERO)  # 75C(4), Sch 5 para 16


def amount_is_known(household: Household) -> bool:
    """Reg 75C(1): whether the amount of a benefit that decides by itself, or the Department's sum, is recorded."""
    two = couple(household)
    kinds = {income.kind for person in two for income in person.incomes}
    return household.benefits_for_cap is not None or not {person.passport for person in two} & set(PASSPORTS) - kinds


def capped(household: Household, day: date, benefit: Fraction, minimum: Fraction, *, specified: bool) -> Fraction:
    """Reg 75D: the benefit for a week after the cap, of people who are not of pension age."""
    single = not household.partners and not household.children
    limit = cap(day, single=single)
    if limit is None or not benefit or spared(household, day):
        return benefit
    together = benefits(household, day) + (ZERO if specified else benefit)
    if not amount_is_known(household):
        if together >= limit:
            raise MissingFactError("the amount of a benefit that counts for the benefit cap")
        return benefit  # nothing is determined (regs 75A and 75B(1))
    return min(benefit, max(benefit - max(together - limit, ZERO), minimum))
