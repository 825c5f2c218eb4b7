"""Benefit weeks, the day on which entitlement begins, and the days from which changes and new amounts count.

HBR = SI 2006/213 regs 76, 79 and 80, SPC = SI 2006/214 regs 57, 59, 60 and 61, in the same words but for SPC reg 60 (pension
credit) and SPC reg 59(10) to (13) (non-dependants), which are those of Council Tax Reduction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from independent.council_tax_reduction.dates import ONE_DAY, entitlement_begins, week_after, week_of

__all__ = ["ONE_DAY", "Change", "effective_days", "entitlement_begins", "figures_from", "first_monday", "week_after", "week_of"]


def first_monday(year: int) -> date:
    """The first Monday in April."""
    day = date(year, 4, 1)
    return day + ONE_DAY * (-day.weekday() % 7)


def figures_from(year: int, *, by_the_week: bool) -> date:
    """Reg 79(3)(a): the day from which the amounts of a year count."""
    return first_monday(year) if by_the_week else date(year, 4, 1)


def figures_year(day: date, *, by_the_week: bool) -> int:
    """The year whose amounts count on a day."""
    return day.year - (day < figures_from(day.year, by_the_week=by_the_week))


@dataclass(frozen=True)
class Change:
    """A change of circumstances and the day on which it occurs.

    `counts_from` is given for one under SPC reg 60, or where a benefit changes in the first days of April (HBR reg 42(8),
    SPC reg 41(9)); `ends` where it ends entitlement, and `rent_by_the_day` where the rent falls due on a daily basis then.
    """

    occurs: date
    counts_from: date | None = None
    ends: bool = False
    rent_by_the_day: bool = False


def effective(change: Change, rent_changes: Sequence[date], since: date | None, *, by_the_week: bool) -> date:
    """Reg 79(1), (4), (5) and (8): the first day of the next week, or as soon as something else of the same week counts."""
    if change.counts_from is not None:
        return change.counts_from
    week = week_of(change.occurs)
    rents = [day for day in rent_changes if week_of(day) == week]
    if change.ends:  # (8), to which (4) is subject
        return change.occurs if change.rent_by_the_day else week_after(change.occurs)
    if rents:  # (4): a change of rent takes effect in this week, so all do, on that day
        return min(rents)
    uprated = figures_from((week + 6 * ONE_DAY).year, by_the_week=by_the_week)
    if week == week_of(uprated) and (since is None or since < uprated):  # (5), or (4) where they count from 1 April: with the new amounts
        return uprated
    return week_after(change.occurs)


def effective_days(
    changes: Sequence[Change], rent_changes: Sequence[date] = (), *, since: date | None = None, by_the_week: bool = True
) -> list[date]:
    """The days from which changes count; `since` is the first day of entitlement, if it is known."""
    return [effective(change, rent_changes, since, by_the_week=by_the_week) for change in changes]
