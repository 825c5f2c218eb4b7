"""One day of an account up to retail relief, and the runs of days on which nothing changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from independent.rates.charge import apportioned_value, chargeable, full_value, gross, multiplier
from independent.rates.days import ONE_DAY, after_months, days_in_year, year_start
from independent.rates.facts import Account, Dated, Day, MissingFactError, record_on
from independent.rates.funded import Uncapped, before_retail, discretion_first, reoccupied, retail
from independent.rates.mandatory import formula
from independent.rates.support import supported_relief
from independent.rates.transition import charge_with_transition, extended_charge

ZERO = Fraction(0)
IN_YEAR_CHANGES = (date(2010, 10, 1), date(2014, 2, 14), date(2021, 7, 1))
CLOCKS = {
    "empty_since": (3, 6),
    "empty_before_since": (3, 6),
    "part_empty_since": (3, 6),
    "additional_since": (12, 36),
    "reoccupied_since": (18,),
}


@dataclass(frozen=True)
class DayCharge:
    """The exact lines of one day; reliefs are above nought, and transition is below nought where it is a relief."""

    facts: Day
    gross: Fraction = ZERO
    transition: Fraction = ZERO
    supplement: Fraction = ZERO
    apportionment: Fraction = ZERO
    reliefs: tuple[tuple[str, Fraction], ...] = ()
    left: Fraction = ZERO
    retail: Uncapped | None = None


def facts_on(account: Account, day: date, year: int) -> Day | None:
    """The facts of a day, or None where the account is not liable or the hereditament is not in the list."""
    if day < account.first or (account.last is not None and day > account.last):
        return None
    entry = record_on(account.hereditaments, day)
    if entry is None:
        return None
    occupation = record_on(account.occupations, day)
    if occupation is None:
        raise MissingFactError(f"account {account.reference}: occupation not recorded on {day}")
    start = year_start(year)
    shown = record_on(account.hereditaments, start)
    if shown is None:  # first shown in the course of the year
        shown = min((item for item in account.hereditaments if item.first > start), key=lambda item: item.first, default=entry)
    begins = facts_on(account, start, year) if day != start else None
    return Day(day, year, entry, shown, occupation, record_on(account.list_values, day), begins)


def day_charge(facts: Day) -> DayCharge:
    """Gross, transition, apportionment, mandatory relief, support and funded reliefs of one day, in that order."""
    if not chargeable(facts):
        return DayCharge(facts)
    found = formula(facts)
    rate = multiplier(facts, small_business=found.small_business, rural=found.kind == "rural")
    whole = gross(facts, rate)
    nothing_due = found.divisor is None and found.kind != "fibre"
    changed = charge_with_transition(facts, rate, nothing_due=nothing_due)
    limited, supplement = (whole, ZERO) if changed is None else changed
    value = full_value(facts)
    share = Fraction(apportioned_value(facts), value) if value else Fraction(1)
    charge = (limited + supplement) * share
    apportionment = limited + supplement - charge
    reliefs: list[tuple[str, Fraction]] = []

    def relieve(name: str, amount: Fraction) -> None:
        nonlocal charge
        if amount > 0:
            reliefs.append((name, amount))
            charge -= amount

    divided = ZERO if found.divisor is None else charge / found.divisor
    relieve(f"mandatory_{found.kind}", charge - divided)
    relieve("supporting_small_business", supported_relief(facts, charge))
    top_up = ZERO if facts.excepted else charge * facts.occupation.top_up_share  # the older kinds of s. 47(2) and (3A)
    extended = extended_charge(facts, rate)
    extension = ZERO
    if extended is not None and found.divisor is not None:
        extension = max(charge - extended * share / found.divisor, ZERO)
    relieve("top_up", top_up)
    transitional_relief = max(whole - limited, ZERO) * share
    for name, amount in before_retail(facts, charge, whole * share, transitional_relief, extension, rural=found.kind == "rural"):
        relieve(name, amount)
    if discretion_first(facts):
        relieve("discretionary", charge * facts.occupation.discretionary_share)
    if reoccupied(facts):  # half, after every relief but retail relief
        relieve("reoccupation", charge / 2)
    return DayCharge(facts, whole, limited - whole, supplement, apportionment, tuple(reliefs), charge, retail(facts, charge))


def cuts(account: Account, year: int) -> list[date]:
    """Days of the year on which anything may change: every run between two of them is proved alike by the tests."""
    start, end = year_start(year), year_start(year + 1)
    found = {start, end, account.first, *IN_YEAR_CHANGES}
    if account.last is not None:
        found.add(account.last + ONE_DAY)
    records: list[Dated] = [*account.hereditaments, *account.occupations, *account.list_values]
    for record in records:
        found.add(record.first)
        if record.last is not None:
            found.add(record.last + ONE_DAY)
    for state in account.occupations:
        for name, lengths in CLOCKS.items():
            since: date | None = getattr(state, name)
            if since is not None:
                found.add(since)
                found.update(after_months(since, months) for months in lengths)
        found.update(after_months(state.first, months) for months in CLOCKS["part_empty_since"])
    return sorted(day for day in found if start <= day <= end)


def runs(account: Account, year: int, *, day_by_day: bool = False) -> Iterator[tuple[int, DayCharge]]:
    """Runs of like days with their lines; with `day_by_day` every day stands alone."""
    bounds = [year_start(year) + ONE_DAY * day for day in range(days_in_year(year) + 1)] if day_by_day else cuts(account, year)
    for first, until in itertools.pairwise(bounds):
        facts = facts_on(account, first, year)
        if facts is not None:
            yield (until - first).days, day_charge(facts)
