"""Weekly income of a pensioner (PR = SI 2012/2885 Sch 1 Part 6 and Schs 4 and 5).

Net earnings are given: after income tax, Class 1 or Class 4 contributions and half of a pension contribution (paras 19, 29, 30).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Literal

from independent.council_tax_reduction.amounts import ADDITIONAL, CHILD_CARE_MORE, CHILD_CARE_ONE, STUDENT, year_of
from independent.council_tax_reduction.facts import Circumstances, Income, MissingFactError, Person, total
from independent.exemptions import age_on

ZERO = Fraction(0)
PERIODS = {
    "weekly": Fraction(1),  # para 17(1)(a)
    "fortnightly": Fraction(7, 14),  # (b)(iv)
    "four_weekly": Fraction(7, 28),
    "monthly": Fraction(12, 52),  # (b)(i)
    "quarterly": Fraction(4, 52),  # (b)(ii)
    "yearly": Fraction(1, 52),  # (b)(iii)
}
STATUTORY_PAY = ("statutory_sick_pay", "statutory_maternity_pay", "other_statutory_pay")  # para 18(1)(h) to (l)
EARNINGS = ("employed_earnings", "self_employed_earnings", *STATUTORY_PAY)
WAR_PENSIONS = ("war_disablement_pension", "war_widows_pension", "guaranteed_income_payment", "persecution_pension")  # Sch 5 para 1
COUNTED = frozenset(
    {
        "working_tax_credit",  # para 16(1)(b)
        "state_pension",  # (c)
        "occupational_pension",
        "personal_pension",
        "annuity",  # (d)
        "home_income_annuity",
        *WAR_PENSIONS,  # (e), (g), (m)
        "jsa_contribution_based",  # (j), social security benefits that it does not except
        "esa_contributory",
        "incapacity_benefit",
        "severe_disablement_allowance",
        "industrial_injuries_benefit",
        "maternity_allowance",
        "carers_allowance",
        "widowed_parents_allowance",
        "bereavement_allowance",
        "savings_credit",
        "spousal_maintenance",  # (o)
        "boarder",  # (p)
        "sub_tenant",  # (v)
        "trust_payment_for_needs",  # not in the list by name, but Sch 5 para 12(2) disregards a part only
        "equity_release",  # (w)
        "listed_income",  # anything else in the list
        "notional_income",  # para 22
    }
)
"""The closed list of para 16(1); what is not in it is no income."""
SICKNESS_BENEFITS: tuple[str, ...] = ("incapacity_benefit", "severe_disablement_allowance", "mobility_supplement")  # Sch 4 para 5(1)(a)
SICKNESS_BENEFITS += ("attendance_allowance", "dla_care", "dla_mobility", "pip_daily_living", "pip_mobility")
SICKNESS_BENEFITS += ("armed_forces_independence_payment",)


def weekly(income: Income) -> Fraction:
    """Para 17(1)."""
    return income.amount * PERIODS[income.period]


def of_kind(facts: Circumstances, *kinds: str) -> list[Fraction]:
    """The weekly amounts of some kinds of income of the applicant and partners (para 11(2))."""
    return [weekly(income) for person in facts.adults for income in person.incomes if income.kind in kinds]


def earnings(person: Person) -> Fraction:
    """Para 16(1)(a)."""
    return total(weekly(income) for income in person.incomes if income.kind in EARNINGS)


def earnings_and_royalties(person: Person) -> Fraction:
    """Para 17(9)(b) and (10): what an author or inventor is paid is treated as earnings for the disregards of Sch 4 only."""
    return total(weekly(income) for income in person.incomes if income.kind in (*EARNINGS, "royalties"))


# ---------------------------------------------------------------- earnings


def sick_or_disabled(person: Person) -> bool:
    """Sch 4 para 5(1)."""
    return (
        (person.care is not None and not person.care_suspended)
        or person.mobility
        or person.blind
        or person.long_term_sick
        or person.esa_component in ("work_related_activity", "support")
        or any(income.kind in SICKNESS_BENEFITS for income in person.incomes)
    )


def main_disregard(facts: Circumstances) -> Fraction:
    """Sch 4 paras 1 to 6 and 8."""
    people = facts.adults
    each = {person.key: earnings_and_royalties(person) for person in people}
    all_of_it = total(each.values())
    exempt = exempt_work(facts, each)
    if exempt is not None:
        return exempt
    found: list[Fraction] = []
    twenty = False
    if facts.lone_parent:  # para 2
        found.append(min(Fraction(25), all_of_it))
    special = total(each[person.key] for person in people if person.special_occupation)
    if special:  # para 3(1) and (3): with the balance from other earnings
        found.append(min(Fraction(20), all_of_it))
        twenty = True
    carers = total(each[person.key] for person in people if person.carer)
    if carers:  # para 4
        found.append(min(Fraction(20), carers))
        twenty = True
    if any(sick_or_disabled(person) or person.twenty_kept for person in people):  # para 5
        found.append(min(Fraction(20), all_of_it))
        twenty = True
    highest = Fraction(25 if facts.lone_parent else 20)
    disregard = min(total(found), highest)  # para 1
    ordinary = Fraction(10 if facts.partners else 5)
    if not facts.lone_parent:  # para 8; read so that nobody has less left out for earning as a carer than others have
        disregard = max(disregard, ordinary) if twenty else ordinary
    return min(disregard, all_of_it)


def exempt_work(facts: Circumstances, each: dict[str, Fraction]) -> Fraction | None:
    """Sch 4 para 6, and for people who are not pensioners HBR Sch 4 para 10A in the same words; None where it does not apply."""
    doing = [person for person in facts.adults if person.exempt_work_limit is not None]
    if not doing:
        return None
    limits = [person.exempt_work_limit for person in doing if person.exempt_work_limit is not None]
    specified = max(limits)
    if facts.lone_parent and specified < 25:
        return None
    first = doing[0]
    mine = min(each[first.key], specified)
    others = total(each[person.key] for person in facts.adults if person is not first)
    balance = max(specified - each[first.key], ZERO)
    return mine + min(others, balance if len(doing) > 1 else min(balance, Fraction(20)))


def additional_condition(facts: Circumstances, day: date) -> bool:
    """Sch 4 para 10(2), from the hours of work, or as an officer found it."""
    if any(person.hours_condition for person in facts.adults):
        return True

    def works(person: Person, hours: int) -> bool:
        return person.hours is not None and person.hours >= hours and person.hours_condition is not False

    people = facts.adults
    if any(works(person, 30) and age_on(person.born, day) >= 25 for person in people):  # (b)(i)
        return True
    if facts.children and any(works(person, 16) for person in people):  # (b)(ii) and (iii)
        return True
    return any(works(person, 16) and sick_or_disabled(person) for person in people)  # (b)(iv)


# ---------------------------------------------------------------- child care


def child_care_deductible(facts: Circumstances, left_of_earnings: Fraction, credits_: Fraction) -> Fraction:
    """Sch 1 para 24(1)(c), (2) and (3): from earnings, or where they are less than the charges from tax credit as well."""
    charges = [child.child_care for child in facts.children if child.child_care]
    if not charges:
        return ZERO
    wanted = min(total(charges), CHILD_CARE_ONE if len(charges) == 1 else CHILD_CARE_MORE)
    if left_of_earnings < wanted:
        return min(wanted, left_of_earnings + credits_)
    return wanted


# ---------------------------------------------------------------- other income


def beyond_20(amount: Fraction, share: Literal["half", "all"]) -> Fraction:
    """What counts of a boarder's (half of what is over 20 pounds) or a sub-tenant's payment (Sch 5 paras 9 and 10)."""
    over = max(amount - 20, ZERO)
    return over / 2 if share == "half" else over


def other_income(facts: Circumstances, *, tax_credit_disregard: bool) -> Fraction:
    """Para 16(1) other than earnings, less Sch 5."""
    war = total(of_kind(facts, *WAR_PENSIONS))
    widowed = total(of_kind(facts, "widowed_parents_allowance"))
    trust = total(of_kind(facts, "trust_payment_for_needs"))
    maintenance = total(of_kind(facts, "spousal_maintenance"))
    war_off = min(war, Fraction(10))  # para 1
    widowed_off = min(widowed, Fraction(15))  # paras 7 and 8
    trust_off = max(20 - war_off - widowed_off, ZERO)  # para 12(3): 20, 10, 5 or nothing
    maintenance_off = Fraction(15) if facts.children else ZERO  # para 20
    credit = working_tax_credit(facts, tax_credit_disregard=tax_credit_disregard)
    special = {*WAR_PENSIONS, "widowed_parents_allowance", "trust_payment_for_needs", "spousal_maintenance"}
    special |= {"working_tax_credit", "boarder", "sub_tenant"}
    found = total(of_kind(facts, *(COUNTED - special)))
    found += (war - war_off) + (widowed - widowed_off) + max(trust - trust_off, ZERO) + max(maintenance - maintenance_off, ZERO)
    found += total(beyond_20(amount, "half") for amount in of_kind(facts, "boarder"))
    found += total(beyond_20(amount, "all") for amount in of_kind(facts, "sub_tenant"))
    annuities = [(weekly(i), i.loan_interest) for p in facts.adults for i in p.incomes if i.kind == "home_income_annuity"]
    return found + credit - total(min(amount, interest) for amount, interest in annuities)  # para 11


def student_support(facts: Circumstances, day: date) -> Fraction:
    """Sch 5 paras 18 and 19: what a parent pays for a student, from other income and then from earnings (Sch 4 para 7)."""
    found = total(person.parental_contribution for person in facts.adults)
    for person in facts.adults:
        if person.student_maintenance:
            most = max(STUDENT[year_of(day)] - person.student_award, ZERO)
            found += min(person.student_maintenance, most)
    return found


def working_tax_credit(facts: Circumstances, *, tax_credit_disregard: bool) -> Fraction:
    """Para 16(1)(b) less Sch 5 para 21."""
    credit = total(of_kind(facts, "working_tax_credit"))
    return max(credit - ADDITIONAL, ZERO) if tax_credit_disregard else credit


def tariff_income(capital: Fraction) -> Fraction:
    """Para 37: a pound for each 500 pounds over 10,000 and for a part of it, to 16,000."""
    steps = (min(capital, Fraction(16000)) - 10000) / 500
    return max(Fraction(-((-steps.numerator) // steps.denominator)), ZERO)


# ---------------------------------------------------------------- together


@dataclass(frozen=True)
class AssessedIncome:
    """Weekly income with what it is made of."""

    amount: Fraction
    earnings: Fraction = ZERO
    earnings_disregard: Fraction = ZERO
    additional: Fraction = ZERO
    child_care: Fraction = ZERO
    other: Fraction = ZERO
    tariff: Fraction = ZERO


def pensioner_income(facts: Circumstances, day: date) -> AssessedIncome:
    """Paras 13 to 15 and 24."""
    if facts.continuing or facts.on("guarantee_credit"):  # paras 43(5), 13
        return AssessedIncome(ZERO)
    condition = additional_condition(facts, day)
    found = _with(facts, day, ADDITIONAL if condition else ZERO)  # Sch 4 para 10
    if found is None:
        found = _with(facts, day, ZERO, tax_credit_disregard=condition)  # Sch 5 para 21
    assert found is not None
    if facts.on("savings_credit"):
        return _savings_credit(facts, found)
    if facts.capital is None:
        raise MissingFactError("the capital")
    left = found.earnings - found.earnings_disregard - found.additional
    return replace(found, tariff=tariff_income(facts.capital), amount=max(left + found.other - found.child_care, ZERO))


def _with(facts: Circumstances, day: date, additional: Fraction, *, tax_credit_disregard: bool = False) -> AssessedIncome | None:
    """Earnings, child care and other income with an additional disregard; None where earnings are too low for it (para 10(1))."""
    gross, disregard = total(map(earnings_and_royalties, facts.adults)), main_disregard(facts)
    employed = total(map(earnings, facts.adults))
    other, support = other_income(facts, tax_credit_disregard=tax_credit_disregard), student_support(facts, day)
    if facts.capital is not None and not facts.on("savings_credit"):
        other += tariff_income(facts.capital)  # para 24(1)(b); like any income that is not earnings it bears Sch 5 paras 18 and 19
    from_other = min(other, support)
    if all(person.exempt_work_limit is None for person in facts.adults):
        disregard = min(disregard + support - from_other, gross)  # Sch 4 para 7
    if additional and gross - disregard - child_care_deductible(facts, min(gross - disregard, employed), ZERO) < additional:
        return None
    # Para 24(2)(b) names child tax credit too, although it is no income of a pensioner.
    credit = working_tax_credit(facts, tax_credit_disregard=tax_credit_disregard) + total(of_kind(facts, "child_tax_credit"))
    care = child_care_deductible(facts, min(gross - disregard - additional, employed), credit)
    return AssessedIncome(ZERO, gross, disregard, additional, care, other - from_other)


def _savings_credit(facts: Circumstances, found: AssessedIncome) -> AssessedIncome:
    """Para 14: the assessed income figure with the credit, child care, a higher disregard and the additional sum."""
    if facts.assessed_income is None:
        raise MissingFactError("the assessed income figure")
    credit, earned = total(of_kind(facts, "savings_credit")), ZERO
    if facts.lone_parent or any(person.exempt_work_limit is not None for person in facts.adults):  # (2)(c)(i) and (h)
        earned = max(main_disregard(facts) - facts.earnings_left_out, ZERO)
    maintenance = min(total(of_kind(facts, "spousal_maintenance")), Fraction(15)) if facts.children else ZERO  # (2)(c)(ii)
    off = found.child_care + earned + maintenance + found.additional
    amount = facts.assessed_income + facts.partner_income_left_out + credit - off
    return replace(found, other=credit, amount=max(amount, ZERO))
