"""Records of claims in the words of the independent calculation; only the shape is changed here.

What the records leave open:
- a yes/no fact that is not given is a no, and a person is not jointly liable with anybody unless that is said;
- a run of days with a claim is one claim; after a gap it is another.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

from agreement.accounts import Record, Records
from agreement.mapping import OPEN, on, until
from independent.council_tax_reduction.facts import Circumstances, Claim, Income, NonDependant, Person, Spell, UniversalCredit

ONE_DAY = timedelta(days=1)
UNIVERSAL_CREDIT = ("award", "maximum", "earnings", "other_income")


def first_of(record: Record) -> int:
    return int(-OPEN if record["from"] is None else record["from"])


def last_of(record: Record) -> int:
    return int(OPEN if record["to"] is None else record["to"])


def in_force(records: Iterable[Record], day: int) -> list[Record]:
    return [record for record in records if first_of(record) <= day <= last_of(record)]


def money(record: Record, name: str) -> Fraction:
    return Fraction(record.get(name) or 0)


def optional(record: Record, name: str) -> Fraction | None:
    value = record.get(name)
    return None if value is None else Fraction(value)


def text(record: Record, name: str) -> str | None:
    value = record.get(name)
    return None if value is None else str(value)


def claims_of(records: Records, first: int, last: int) -> list[Claim]:
    """The claims between two days."""
    registers = ("claims", "household", "incomes", "non_dependants")
    edges = {first, last + 1}
    for name in registers:
        for record in records.get(name, ()):
            edges |= {first_of(record), last_of(record) + 1}
    days = sorted(day for day in edges if first <= day <= last + 1)
    runs: list[list[Spell]] = []
    heads: list[Record] = []
    for begins, ends in itertools.pairwise(days):
        held = in_force(records.get("claims", ()), begins)
        if not held:
            continue
        spell = Spell(on(begins), on(ends - 1), circumstances(records, held[0], begins))
        if runs and runs[-1][-1].last + ONE_DAY == spell.first:
            if runs[-1][-1].facts == spell.facts:
                spell = Spell(runs[-1].pop().first, spell.last, spell.facts)
            runs[-1].append(spell)
        else:
            runs.append([spell])
            heads.append(held[0])
    return [
        Claim(tuple(run), until(head.get("claimed_on")), until(head.get("liable_since"))) for run, head in zip(runs, heads, strict=True)
    ]


def circumstances(records: Records, claim: Record, day: int) -> Circumstances:
    people = [person(records, record, day) for record in in_force(records.get("household", ()), day)]
    award = optional(claim, "universal_credit_award")
    amounts = [money(claim, f"universal_credit_{name}") for name in UNIVERSAL_CREDIT]
    return Circumstances(
        people=tuple(sorted(people, key=lambda each: each.key)),
        non_dependants=tuple(non_dependant(record) for record in in_force(records.get("non_dependants", ()), day)),
        capital=optional(claim, "capital"),
        jointly_liable=int(money(claim, "jointly_liable")) or 1,
        family_premium_saved=bool(claim.get("family_premium_saved")),
        lone_parent_rate_saved=bool(claim.get("lone_parent_rate_saved")),
        children_saved=bool(claim.get("children_saved")),
        children_in_tax_credit=int(money(claim, "children_in_tax_credit")),
        assessed_income=optional(claim, "assessed_income"),
        partner_income_left_out=money(claim, "assessed_income_partner"),
        earnings_left_out=money(claim, "assessed_income_earnings_left_out"),
        only_students_besides=bool(claim.get("only_students_besides")),
        universal_credit=None if award is None else UniversalCredit(*amounts),
        universal_credit_left_out=bool(claim.get("universal_credit_left_out")),
        last_week=optional(claim, "extended_reduction"),
        continuing=bool(claim.get("continuing_reduction")),
        told_on=until(claim.get("told_on")),
        told_late=bool(claim.get("told_late")),
    )


def person(records: Records, record: Record, day: int) -> Person:
    key = str(record["person"])
    given = [each for each in in_force(records.get("incomes", ()), day) if each["person"] == key]
    limit = optional(record, "exempt_work_limit")
    return Person(
        role=str(record["role"]),
        born=on(record["born"]),
        key=key,
        incomes=tuple(sorted((income(each) for each in given), key=repr)),
        care=text(record, "care_benefit"),
        care_suspended=bool(record.get("care_benefit_suspended")),
        mobility=bool(record.get("mobility_benefit")),
        blind=bool(record.get("blind")),
        carer=bool(record.get("carer")),
        cared_for=bool(record.get("cared_for")),
        long_term_sick=bool(record.get("long_term_sick")),
        special_occupation=bool(record.get("special_occupation")),
        hours=optional(record, "weekly_work"),
        hours_condition=None if record.get("additional_earnings_disregard") is None else bool(record["additional_earnings_disregard"]),
        exempt_work_limit=limit if record.get("exempt_work") else None,
        twenty_kept=bool(record.get("earnings_disregard_kept")),
        parental_contribution=money(record, "parental_contribution"),
        student_maintenance=money(record, "student_maintenance"),
        student_award=money(record, "student_award"),
        child_care=money(record, "childcare_cost"),
        passport=text(record, "passport"),
        pension_age_day=until(record.get("pension_age_on")),
        esa_component=text(record, "esa_component"),
        student=bool(record.get("student")),
    )


def income(record: Record) -> Income:
    return Income(str(record["income_kind"]), Fraction(record["amount"] or 0), str(record["frequency"]), money(record, "loan_interest"))


def non_dependant(record: Record) -> NonDependant:
    return NonDependant(
        key=str(record["non_dependant"]),
        in_work=bool(record.get("in_work")),
        gross_income=optional(record, "gross_income"),
        exempt=text(record, "exempt_because"),
        couple=bool(record.get("couple")),
        other_in_work=bool(record.get("other_in_work")),
        other_exempt=text(record, "other_exempt_because"),
        moved_in=until(record.get("moved_in")),
        rose_on=until(record.get("deduction_rose_on")),
        before=optional(record, "deduction_before"),
        ignored_for_severe_disability=bool(record.get("ignored_for_severe_disability")),
        second_adult=bool(record.get("second_adult")),
        second_adult_benefit=text(record, "second_adult_benefit"),
    )


def charges_from(rows: Sequence[tuple[int, int, Any, Any]]) -> list[Any]:
    """Charges from first day, last day, yearly amount and yearly amount before discount; equal neighbours joined."""
    from independent.council_tax_reduction.facts import Charge

    found: list[Charge] = []
    for first, last, annual, before in rows:
        if found and (found[-1].annual, found[-1].before_discount) == (annual, before) and found[-1].last + ONE_DAY == on(first):
            found[-1] = Charge(found[-1].first, on(last), annual, before)
        else:
            found.append(Charge(on(first), on(last), annual, before))
    return found
