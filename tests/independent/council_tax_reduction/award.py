"""The reduction of a pensioner's council tax, day by day (PR = SI 2012/2885 Sch 1), and of anybody else's under a scheme.

The daily reduction is exact.  Neighbouring days with the same one are a stretch, which is rounded to the penny once, half up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from independent.council_tax_reduction.amounts import CAPITAL_LIMIT, FAMILY_PREMIUM_ENDS, SIXTY_FIVE_ENDS, days_in_year
from independent.council_tax_reduction.applicable import applicable_amount, is_pensioner, reaches_pension_age
from independent.council_tax_reduction.dates import (
    ONE_DAY,
    Change,
    effective_days,
    entitlement_begins,
    pension_credit_counts_from,
)
from independent.council_tax_reduction.deductions import (
    alternative_maximum,
    arrival_counts_from,
    has_arrived,
    non_dependant_deductions,
    rise_counts_from,
)
from independent.council_tax_reduction.facts import Charge, Circumstances, Claim, MissingFactError, Spell
from independent.council_tax_reduction.income import of_kind, pensioner_income
from independent.council_tax_reduction.working_age import Scheme, excluded_as_student, working_age_figures
from independent.exemptions import add_years

ZERO = Fraction(0)
TAPER = Fraction(20, 700)  # para 3(f)(ii): 2 6/7 per cent
NO_REDUCTION = Fraction(20_000)  # more than any charge
NO_CAPITAL_TEST = ("guarantee_credit", "income_support", "jsa_income_based", "esa_income_related")
NO_CHARGE = Charge(date.min, date.max, ZERO, ZERO)


def half_up(amount: Fraction) -> int:
    """PR reg 2(2)."""
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


@dataclass(frozen=True)
class Figures:
    """What a day's reduction is made of: weekly amounts, and daily ones where it is said."""

    pensioner: bool
    applicable_amount: Fraction
    assessable_income: Fraction
    excess_income: Fraction
    non_dependant_deductions: Fraction
    tariff_income: Fraction
    maximum_a_day: Fraction
    means_tested_a_day: Fraction
    alternative_a_day: Fraction
    a_day: Fraction


@dataclass(frozen=True)
class Piece:
    """Days on which facts, charge and figures are the same."""

    first: date
    last: date
    figures: Figures

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Award:
    """A stretch of days with one daily reduction, in pounds, and what it comes to in pence."""

    first: date
    last: date
    a_day: Fraction
    pence: int


# ---------------------------------------------------------------- one day


def figures_on(
    facts: Circumstances,
    charge: Charge,
    day: date,
    entitled_since: date | None = None,
    scheme: Scheme | None = None,
    *,
    seen: date | None = None,
    delay_covers_premium: bool = True,
) -> Figures:
    """The reduction for a day on which facts and charge are these; `scheme` is the authority's for other people.

    `delay_covers_premium`: para 46(10) and (11) put off the whole change that a non-dependant took up residence, so that the
    severe disability premium goes when the deduction comes; otherwise only the deduction waits.
    """
    if not is_pensioner(facts, day):
        if scheme is None:
            raise MissingFactError("the authority's scheme for people who are not pensioners")
        return working_age_reduction(facts, charge, day, scheme, seen)
    here = [one for one in facts.non_dependants if has_arrived(one, day, entitled_since)] if delay_covers_premium else None
    applicable = applicable_amount(facts, day, here, seen).amount
    deductions = non_dependant_deductions(facts, day, entitled_since, pensioner=True)
    maximum = max(charge.annual / facts.jointly_liable / days_in_year(day) - deductions / 7, ZERO)  # para 7
    alternative = alternative_maximum(facts, day, *(tax / days_in_year(day) for tax in (charge.annual, charge.before_discount)))
    disregarded = facts.continuing or facts.on("guarantee_credit")
    if not disregarded and facts.capital is None:
        raise MissingFactError("the capital")
    if not disregarded and facts.capital is not None and facts.capital > CAPITAL_LIMIT:  # reg 11(2)
        found = Figures(True, applicable, ZERO, ZERO, deductions, ZERO, maximum, ZERO, alternative, alternative)
        return _extended(facts, found, charge.annual / days_in_year(day))
    income = pensioner_income(facts, day)
    excess = max(income.amount - applicable, ZERO)  # paras 2(e) and 3(e)
    tested = max(maximum - TAPER * excess, ZERO)  # paras 3(f) and 10(3)
    best = max(tested, alternative)  # para 10(6)
    found = Figures(True, applicable, income.amount, excess, deductions, income.tariff, maximum, tested, alternative, best)
    return _extended(facts, found, charge.annual / days_in_year(day))


def working_age_reduction(facts: Circumstances, charge: Charge, day: date, scheme: Scheme, seen: date | None = None) -> Figures:
    """DS paras 16 to 18, 24 and 29 to 32, with the local figures of a scheme that keeps their form."""
    deductions = non_dependant_deductions(facts, day, None, pensioner=False)
    full = charge.annual / facts.jointly_liable / days_in_year(day) * scheme.share
    maximum = max(full - deductions / 7, ZERO)
    alternative = ZERO
    if scheme.second_adults:
        alternative = alternative_maximum(facts, day, *(tax / days_in_year(day) for tax in (charge.annual, charge.before_discount)))
    means = working_age_figures(facts, day, scheme, seen)
    if means is None:  # more capital than the limit
        found = Figures(False, ZERO, ZERO, ZERO, deductions, ZERO, maximum, ZERO, alternative, alternative)
        return _extended(facts, found, charge.annual / days_in_year(day))
    excess = max(means.income - means.applicable, ZERO)
    tested = max(maximum - scheme.taper / 7 * excess, ZERO)
    best = max(tested, alternative)
    if excluded_as_student(facts):  # para 24: but for what a second adult brings
        tested, best = ZERO, alternative
    found = Figures(False, means.applicable, means.income, excess, deductions, means.tariff, maximum, tested, alternative, best)
    return _extended(facts, found, charge.annual / days_in_year(day))


def _extended(facts: Circumstances, found: Figures, tax: Fraction) -> Figures:
    """Para 40(1) (DS paras 97 and 102): the reduction of the last week where that is more; never more than the day's tax."""
    if facts.last_week is None or (not found.pensioner and excluded_as_student(facts)):
        return found
    return replace(found, a_day=min(max(found.a_day, facts.last_week / 7), tax))


# ---------------------------------------------------------------- changes


def _partners(facts: Circumstances) -> frozenset[str]:
    return frozenset(person.key for person in facts.partners)


def _credit(facts: Circumstances) -> tuple[bool, Fraction]:
    """Whether there is state pension credit, and how much a week."""
    on = facts.on("guarantee_credit") or facts.on("savings_credit")
    return on, sum(of_kind(facts, "guarantee_credit", "savings_credit"), ZERO)


def taken_off(facts: Circumstances, found: Figures) -> Fraction:
    """What is taken off the maximum for a day: by it a change is for the better or for the worse, whatever the charge leaves of it."""
    if not found.pensioner:
        return ZERO  # para 47 is of pensioners
    disregarded = facts.continuing or facts.on("guarantee_credit")
    if not disregarded and facts.capital is not None and facts.capital > CAPITAL_LIMIT:
        return NO_REDUCTION
    return found.non_dependant_deductions / 7 + TAPER * (ZERO if disregarded else found.excess_income)


def _means(facts: Circumstances) -> tuple[object, ...]:
    """The people, the incomes, and the capital where it is looked at."""
    incomes = sorted((income.kind, income.amount, income.period) for person in facts.people for income in person.incomes if income.amount)
    capital = None if facts.continuing or any(map(facts.on, NO_CAPITAL_TEST)) else facts.capital
    return len(facts.people), len(facts.non_dependants), incomes, capital


def change_between(before: Spell, after: Spell, received: Spell, since: date | None, worked: Callable[[Spell, date], Figures]) -> Change:
    """What kind of change leads from one spell to the next: para 46(5) and (6), para 47, or para 46(1).

    `received` are the facts that count on the day, from `since`: para 47 asks what becomes of the reduction that the applicant receives.
    Before they count, no later facts do.
    """
    occurs = after.first
    if _partners(before.facts) != _partners(after.facts):
        return Change(occurs, at_once=True)
    if _means(before.facts) == _means(after.facts) and worked(before, occurs) == worked(after, occurs):
        return Change(occurs, nothing=True)
    old, new = _credit(before.facts), _credit(after.facts)
    if not new[0] or old == new:  # no credit, it has ceased (para 46(2)), or its amount has not changed
        return Change(occurs)
    now, then = (taken_off(spell.facts, worked(spell, occurs)) for spell in (received, after))
    guaranteed = after.facts.on("guarantee_credit") and not before.facts.on("guarantee_credit")
    if now == then or (
        then < now and not old[0] and not guaranteed
    ):  # para 47 speaks of changes of the reduction, of awards in (5) and (7)
        return Change(occurs)
    counts_from = pension_credit_counts_from(
        occurs,
        after.facts.told_on,
        awarded=not old[0] or (then < now and guaranteed),  # (5), (7)
        credit_rises=new[1] > old[1],
        reduction_rises=then < now,
        late=after.facts.told_late,
    )
    return Change(occurs, counts_from=counts_from if since is None else max(counts_from, since))


@dataclass(frozen=True)
class InForce:
    """A spell's facts from the day on which they count."""

    first: date
    last: date
    spell: Spell


def _with_birthdays(spells: Sequence[Spell]) -> Iterable[Spell]:
    """Spells divided at 25th birthdays, and at 65th ones, which change the allowance until 5 December 2018."""
    for spell in spells:
        born = [person.born for person in spell.facts.adults]
        birthdays = {add_years(day, 25) for day in born}
        birthdays |= {day for day in (add_years(day, 65) for day in born) if day < SIXTY_FIVE_ENDS}
        days = sorted(day for day in birthdays if spell.first < day <= spell.last)
        edges = [spell.first, *days, spell.last + ONE_DAY]
        yield from (Spell(first, end - ONE_DAY, spell.facts) for first, end in pairwise(edges))


def in_force(
    claim: Claim, charges: Sequence[Charge], scheme: Scheme | None = None, *, delay_covers_premium: bool = True
) -> tuple[list[InForce], date | None]:
    """The claim's facts by the days on which they count, and since when there is entitlement (None: before the year)."""
    since = None if claim.claimed_on is None else entitlement_begins(claim.claimed_on, claim.liable_since)

    def worked(spell: Spell, day: date) -> Figures:
        charge = next((each for each in charges if each.first <= day <= each.last), NO_CHARGE)
        return figures_on(spell.facts, charge, day, since, scheme, seen=spell.first, delay_covers_premium=delay_covers_premium)

    spells = list(_with_birthdays(claim.spells))
    moves = [after.first for before, after in pairwise(charges) if before.last + ONE_DAY == after.first and _differs(before, after)]
    start = spells[0].first if since is None else max(since, spells[0].first)
    changes: list[Change] = []
    for before, after in pairwise(spells):
        counted = [start, *(max(day, start) for day in effective_days(changes, moves))]
        latest = max((place for place, day in enumerate(counted) if day <= after.first), default=None)
        changes.append(change_between(before, after, spells[latest or 0], None if latest is None else counted[latest], worked))
    begins = [start, *(max(day, start) for day in effective_days(changes, moves))]
    found: list[InForce] = []
    following = spells[-1].last + ONE_DAY
    for spell, first in reversed(list(zip(spells, begins, strict=True))):
        if first < following:
            found.append(InForce(first, following - ONE_DAY, spell))
            following = first
    return found[::-1], since


def _differs(one: Charge, other: Charge) -> bool:
    return (one.annual, one.before_discount) != (other.annual, other.before_discount)


# ---------------------------------------------------------------- the claim


def _days_of_change(facts: Circumstances, entitled_since: date | None, last: date) -> Iterable[date]:
    """Days on which something that is not a change of facts begins to count."""
    yield from (FAMILY_PREMIUM_ENDS, SIXTY_FIVE_ENDS)
    for one in facts.non_dependants:
        for day in (arrival_counts_from(one, entitled_since), rise_counts_from(one, entitled_since)):
            if day is not None:
                yield day
    for person in facts.adults:
        yield reaches_pension_age(person)
        yield add_years(person.born, 60)
    yield from (date(year, 4, 1) for year in range(2013, last.year + 1))


def pieces(claim: Claim, charges: Sequence[Charge], scheme: Scheme | None = None, *, delay_covers_premium: bool = True) -> list[Piece]:
    """The claim worked out: every day for which there is a charge and facts that count."""
    found = []
    held, since = in_force(claim, charges, scheme, delay_covers_premium=delay_covers_premium)
    for counted in held:
        facts, seen = counted.spell.facts, counted.spell.first
        for charge in charges:
            first, last = max(counted.first, charge.first), min(counted.last, charge.last)
            if first > last:
                continue
            days = {first} | {day for day in _days_of_change(facts, since, last) if first < day <= last}
            edges = [*sorted(days), last + ONE_DAY]
            for begins, ends in pairwise(edges):
                figures = figures_on(facts, charge, begins, since, scheme, seen=seen, delay_covers_premium=delay_covers_premium)
                found.append(Piece(begins, ends - ONE_DAY, figures))
    return sorted(found, key=lambda piece: piece.first)


def awards(worked: Sequence[Piece]) -> list[Award]:
    """Stretches of equal daily reduction, each rounded once."""
    found: list[Award] = []
    for piece in worked:
        a_day, first = piece.figures.a_day, piece.first
        if found and found[-1].a_day == a_day and found[-1].last + ONE_DAY == first:
            first = found.pop().first
        days = (piece.last - first) // timedelta(days=1) + 1
        found.append(Award(first, piece.last, a_day, half_up(100 * a_day * days)))
    return found


def reduction(claim: Claim, charges: Sequence[Charge], scheme: Scheme | None = None) -> int:
    """The reduction for the year, in pence."""
    return sum(award.pence for award in awards(pieces(claim, charges, scheme)))
