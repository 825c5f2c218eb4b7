"""Housing Benefit day by day and for the year.

The week's benefit is exact until the award, where it is rounded to the penny, half up (HBR reg 80(8), SPC reg 61(6)); a part of
a week is so many sevenths of it (HBR reg 80(4), (5) and (9)), and all weekly amounts, the least payable among them, go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from independent.council_tax_reduction.applicable import reaches_pension_age
from independent.council_tax_reduction.award import half_up
from independent.council_tax_reduction.dates import pension_credit_counts_from
from independent.council_tax_reduction.deductions import has_arrived
from independent.council_tax_reduction.facts import Income
from independent.council_tax_reduction.income import of_kind
from independent.council_tax_reduction.working_age import excluded_as_student
from independent.exemptions import add_months, add_years
from independent.housing_benefit.amounts import (
    CAP_BEGINS,
    CAPITAL_LIMIT,
    FOSTER_CARER_NOT_YOUNG,
    MINIMUM,
    TAPER,
    TENANT_SINCE_1996_ENDS,
    pence,
)
from independent.housing_benefit.bedrooms import bedrooms
from independent.housing_benefit.cap import capped
from independent.housing_benefit.dates import ONE_DAY, Change, effective_days, entitlement_begins, figures_from, figures_year, week_of
from independent.housing_benefit.deductions import days_of_change, deductions
from independent.housing_benefit.facts import Household, Let, Lodged, Tenancy
from independent.housing_benefit.means import means, no_longer_entitled, passported, pension_age
from independent.housing_benefit.rent import eligible_rent, for_a_week, raised

ZERO = Fraction(0)
BENEFITS = frozenset(
    {
        "state_pension",
        "guarantee_credit",
        "savings_credit",
        "industrial_injuries_benefit",
        "carers_allowance",
        "incapacity_benefit",
        "severe_disablement_allowance",
        "bereavement_allowance",
        "widowed_parents_allowance",
        "jsa_contribution_based",
        "esa_contributory",
        "maternity_allowance",
    }
)
"""Benefits under the benefit Acts (reg 2(1)) that count as income or take their place."""
AGES = (10, 16, 18, 25, 35, 65)
"""Birthdays that change something: bedrooms, deductions, allowances, the shared rate, and SPC Sch 3 until 2018."""


@dataclass(frozen=True)
class Stay:
    """A household's facts from the day on which they occurred to the last day, both included."""

    first: date
    last: date
    facts: Household


@dataclass(frozen=True)
class HousingClaim:
    """A claim: its facts by the days on which they occurred, in order and without a gap."""

    stays: tuple[Stay, ...]
    claimed_on: date | None = None  # None: in payment before the year
    liable_since: date | None = None


@dataclass(frozen=True)
class Figures:
    """What a week's benefit is made of."""

    pension_age: bool
    eligible_rent: Fraction
    non_dependant_deductions: Fraction
    maximum_benefit: Fraction
    applicable_amount: Fraction
    assessable_income: Fraction
    excess_income: Fraction
    nothing_counted: bool
    capital_too_high: bool
    benefit_before_cap: Fraction
    weekly_benefit: Fraction
    weekly_award: Fraction


@dataclass(frozen=True)
class Piece:
    """Days on which facts and figures are the same."""

    first: date
    last: date
    figures: Figures


@dataclass(frozen=True)
class Award:
    """A stretch of days with one weekly benefit, in pounds, and what it comes to."""

    first: date
    last: date
    a_week: Fraction
    pounds: Fraction


# ---------------------------------------------------------------- one week


def figures_on(
    household: Household,
    tenancy: Tenancy,
    day: date,
    since: date | None = None,
    *,
    seen: date | None = None,
    delay_covers_premium: bool = True,
) -> Figures:
    """The weekly benefit for a day on which the facts are these; `seen` is the day from which the facts count.

    `delay_covers_premium`: SPC reg 59(10) and (11) put off the whole change that a non-dependant took up residence, so that the
    severe disability premium goes when the deduction comes; otherwise only the deduction waits.
    """
    seen = seen or day
    year = figures_year(day, by_the_week=tenancy.by_the_week)
    amounts = max(date(year, 4, 1), min(day, date(year + 1, 3, 31)))  # a day of the year of the figures
    by_old = pension_age(household, seen)
    rent = eligible_rent(tenancy, household, year, day, seen, pension_age=by_old)
    arrived = [one for one in household.non_dependants if not by_old or not delay_covers_premium or has_arrived(one, day, since)]
    counted = means(household, amounts, seen, arrived, old_rules=by_old)
    off = deductions(household, year, day, seen, since, old_rules=by_old)
    most = max(rent - raised(tenancy, off, year), ZERO)  # HBR reg 70, SPC reg 50; reg 81(3) raises all but the rent
    least = raised(tenancy, MINIMUM, year)
    benefit = ZERO if counted.capital_too_high else max(most - TAPER * raised(tenancy, counted.excess, year), ZERO)
    if benefit < least:
        benefit = ZERO
    benefit = pence(benefit)
    if (not by_old and excluded_as_student(household)) or (no_longer_entitled(household, seen) and not outside_universal_credit(tenancy)):
        benefit = ZERO
    after = benefit if by_old else capped(household, day, benefit, least, specified=tenancy.counts_as_specified)
    after = pence(after)
    given = after if household.extended is None else max(after, household.extended)  # HBR regs 72B(1) and 72E
    return Figures(
        by_old,
        rent,
        off,
        most,
        counted.applicable,
        counted.income,
        counted.excess,
        counted.nothing_counted,
        counted.capital_too_high,
        benefit,
        after,
        ZERO if tenancy.rent_free else given,  # HBR regs 72B(6) and 81(1)
    )


def outside_universal_credit(tenancy: Tenancy) -> bool:
    """SI 2019/37 art 6(4): specified and temporary accommodation."""
    return tenancy.counts_as_specified or tenancy.temporary is not None


# ---------------------------------------------------------------- changes


def _credit(household: Household) -> tuple[bool, Fraction]:
    """Whether there is state pension credit, and how much a week."""
    on = household.on("guarantee_credit") or household.on("savings_credit")
    return on, sum(of_kind(household, "guarantee_credit", "savings_credit"), ZERO)


def _but_benefits(household: Household) -> object:
    """What there is beside the amounts of benefits."""

    def bare(income: Income) -> object:
        return (income.kind, income.period) if income.kind in BENEFITS else income

    people = [(person.key, sorted(map(repr, map(bare, person.incomes)))) for person in household.adults]
    others = {name: value for name, value in household.__dict__.items() if name in Household.__dataclass_fields__ and name != "people"}
    rest = [{**person.__dict__, "incomes": None, "adult": None} for person in household.people]
    return people, repr(others), repr(rest)


def benefits_uprated(before: Stay, after: Stay) -> bool:
    """HBR reg 42(8), SPC reg 41(9): benefits alone change, on 1 April or up to fourteen days after."""
    day = after.first
    if not date(day.year, 4, 1) <= day <= date(day.year, 4, 15):
        return False
    return before.facts != after.facts and _but_benefits(before.facts) == _but_benefits(after.facts)


def decided_for_itself(before: Household, after: Household, day: date) -> bool:
    """What counts from its own day: the two weeks of SI 2014/1230 reg 8A, and a decision on the cap (SI 2001/1002 reg 8(14F))."""
    told = (before.benefits_for_cap or ZERO) != (after.benefits_for_cap or ZERO)
    return (after.run_on and not before.run_on) or (told and not pension_age(after, day))


def lost(household: Household, day: date) -> bool:
    """Whether entitlement ends whatever the rent is: by capital, or for students."""
    by_old = pension_age(household, day)
    over = household.capital is not None and household.capital > CAPITAL_LIMIT
    return (over and not passported(household, old_rules=by_old)) or (not by_old and excluded_as_student(household))


def change_between(
    before: Stay, after: Stay, benefit: Callable[[Household, date, date], Fraction], tenancy: Tenancy, *, rent_by_the_day: bool
) -> Change:
    """What kind of change leads from one stay to the next: SPC reg 60, the first days of April, or reg 79(1).

    `benefit` is the benefit of a household by the facts of one day and the rent of another.  Where the rent changes in the week of
    a change of pension credit, it is the credit's doing what the benefit comes to on either rent; and where it stays as it
    was on both, a change of the bedrooms that are needed tells it.
    """
    occurs = after.first
    if benefits_uprated(before, after):
        return Change(occurs, counts_from=figures_from(occurs.year, by_the_week=tenancy.by_the_week))
    old, new = _credit(before.facts), _credit(after.facts)
    if decided_for_itself(before.facts, after.facts, occurs):
        return Change(occurs, counts_from=occurs)
    then, now = (benefit(each.facts, occurs, occurs) for each in (before, after))
    if not pension_age(after.facts, occurs) or not new[0] or old == new:
        told = after.facts.told_on
        if told is not None and told > add_months(occurs, 1) and now > then:
            return Change(told)  # SI 2001/1002 reg 8(3)
        return Change(occurs, ends=lost(after.facts, occurs), rent_by_the_day=rent_by_the_day)
    if now == then:
        then, now = (benefit(each.facts, occurs, week_of(occurs)) for each in (before, after))
    if now == then:
        then, now = (Fraction(bedrooms(each.facts, occurs)) for each in (before, after))
    guaranteed = after.facts.on("guarantee_credit") and not before.facts.on("guarantee_credit")
    if now == then or (now > then and not old[0] and not guaranteed):  # reg 60 speaks of changes of the rate, of awards only in (5) and (7)
        return Change(occurs)
    counts_from = pension_credit_counts_from(
        occurs,
        after.facts.told_on,
        awarded=not old[0] or (now > then and guaranteed),  # (5), (7)
        credit_rises=new[1] > old[1],
        reduction_rises=now > then,
        late=after.facts.told_late,
    )
    return Change(occurs, counts_from=counts_from)


def _birthdays(household: Household) -> Iterable[date]:
    born = [person.born for person in household.people]
    for one in household.non_dependants:
        assert isinstance(one, Lodged)
        born += [day for day in (one.born, one.other_born) if day is not None]
    for day in born:
        yield from (add_years(day, age) for age in AGES)
    yield from (reaches_pension_age(person) for person in household.adults)


def _with_birthdays(stays: Sequence[Stay]) -> Iterable[Stay]:
    """Stays divided at birthdays, which are changes of circumstances like others."""
    for stay in stays:
        days = sorted({day for day in _birthdays(stay.facts) if stay.first < day <= stay.last})
        edges = [stay.first, *days, stay.last + ONE_DAY]
        yield from (Stay(first, end - ONE_DAY, stay.facts) for first, end in pairwise(edges))


@dataclass(frozen=True)
class InForce:
    """Facts from the day on which they count."""

    first: date
    last: date
    facts: Household
    seen: date


def rent_differs(before: Let, after: Let) -> bool:
    """Reg 79(2) and (2A): the amount of rent payable, or a move to a new home."""
    moves = after.facts.moved_in is not None and before.first < after.facts.moved_in != before.facts.moved_in
    return moves or for_a_week(before.facts, before.facts.rent) != for_a_week(after.facts, after.facts.rent)


def _let_on(lets: Sequence[Let], day: date) -> Tenancy | None:
    return next((let.facts for let in lets if let.first <= day <= let.last), None)


def _due_by_the_day(lets: Sequence[Let], day: date) -> bool:
    """Whether payments fall due on a daily basis on a day (reg 79(8)); between two lettings, whether those of both do."""
    on = [let for let in lets if let.first <= day <= let.last]
    near = on or [*[let for let in lets if let.last < day][-1:], *[let for let in lets if let.first > day][:1]]
    return bool(near) and (len(near) == 2 or bool(on)) and all(let.facts.frequency == "daily" for let in near)


def entitled_from(claim: HousingClaim, lets: Sequence[Let]) -> date | None:
    """Reg 76: liable for a dwelling that is lived in as the home ([2014] UKUT 411 (AAC)), of which that at the start counts."""
    if claim.claimed_on is None:
        return None
    moved_in = next((let.facts.moved_in for let in lets if let.last >= claim.stays[0].first), None)
    days = [day for day in (claim.liable_since, moved_in) if day is not None]
    begins = entitlement_begins(claim.claimed_on, max(days, default=None))
    return max([begins, *days])


def in_force(claim: HousingClaim, lets: Sequence[Let]) -> tuple[list[InForce], date | None]:
    """The claim's facts by the days on which they count, and since when there is entitlement (None: before the year)."""
    since = entitled_from(claim, lets)

    def benefit(household: Household, day: date, rent_of: date) -> Fraction:
        tenancy = _let_on(lets, rent_of)
        return ZERO if tenancy is None else figures_on(household, tenancy, day, since).benefit_before_cap

    stays = list(_with_birthdays(claim.stays))
    changes = [
        change_between(
            before,
            after,
            benefit,
            _let_on(lets, after.first) or lets[0].facts,
            rent_by_the_day=_due_by_the_day(lets, after.first),
        )
        for before, after in pairwise(stays)
    ]
    rents = [after.first for before, after in pairwise(lets) if before.last + ONE_DAY == after.first and rent_differs(before, after)]
    begins = [stays[0].first if since is None else max(since, stays[0].first)]
    for stay, change in zip(stays[1:], changes, strict=True):
        tenancy = _let_on(lets, stay.first) or lets[0].facts
        (day,) = effective_days([change], rents, since=since, by_the_week=tenancy.by_the_week)
        begins.append(max(day, begins[0]))
    found: list[InForce] = []
    following = stays[-1].last + ONE_DAY
    for stay, first in reversed(list(zip(stays, begins, strict=True))):
        if first < following:
            found.append(InForce(first, following - ONE_DAY, stay.facts, stay.first))
            following = first
    return found[::-1], since


# ---------------------------------------------------------------- the claim


def _days_of_change(household: Household, tenancy: Tenancy, since: date | None, first: date, last: date) -> Iterable[date]:
    """Days on which something that is not a change of facts begins to count."""
    yield from (CAP_BEGINS, FOSTER_CARER_NOT_YOUNG, TENANT_SINCE_1996_ENDS)
    yield from days_of_change(household, since)
    yield from (figures_from(year, by_the_week=tenancy.by_the_week) for year in range(first.year, last.year + 1))
    if tenancy.died_on is not None:
        yield from (tenancy.died_on, add_months(tenancy.died_on, 12))
    if tenancy.thirteen_weeks_from is not None:
        yield from (tenancy.thirteen_weeks_from, tenancy.thirteen_weeks_from + timedelta(weeks=13))


def pieces(claim: HousingClaim, lets: Sequence[Let], *, delay_covers_premium: bool = True) -> list[Piece]:
    """The claim worked out: every day for which there is a tenancy and facts that count."""
    found = []
    held, since = in_force(claim, lets)
    for counted in held:
        for let in lets:
            first, last = max(counted.first, let.first), min(counted.last, let.last)
            if first > last:
                continue
            days = {first} | {day for day in _days_of_change(counted.facts, let.facts, since, first, last) if first < day <= last}
            for begins, ends in pairwise([*sorted(days), last + ONE_DAY]):
                figures = figures_on(counted.facts, let.facts, begins, since, seen=counted.seen, delay_covers_premium=delay_covers_premium)
                found.append(Piece(begins, ends - ONE_DAY, figures))
    return sorted(found, key=lambda piece: piece.first)


def awards(worked: Sequence[Piece], year: int) -> list[Award]:
    """Stretches of equal weekly benefit within a financial year, each rounded once."""
    found: list[Award] = []
    for piece in worked:
        first, last = max(piece.first, date(year, 4, 1)), min(piece.last, date(year + 1, 3, 31))
        if first > last:
            continue
        a_week = piece.figures.weekly_award
        if found and found[-1].a_week == a_week and found[-1].last + ONE_DAY == first:
            first = found.pop().first
        days = (last - first).days + 1
        found.append(Award(first, last, a_week, Fraction(half_up(100 * a_week * days / 7), 100)))
    return found


def housing_benefit(claim: HousingClaim, lets: Sequence[Let], year: int) -> Fraction:
    """Housing Benefit for a financial year, in pounds."""
    return sum((award.pounds for award in awards(pieces(claim, lets), year)), ZERO)
