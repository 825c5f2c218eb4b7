"""Reduction weeks, the day on which entitlement begins, and the days from which changes count.

PR = SI 2012/2885 Sch 1; the default scheme has the same words in paras 106 and 107 (SI 2012/2886), without para 46(10)-(13)
for people who are not pensioners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)
WEEK = timedelta(days=7)
HALF_YEAR = timedelta(weeks=26)


def week_of(day: date) -> date:
    """The first day, a Monday, of the reduction week in which a day lies (PR reg 2(1))."""
    return day - ONE_DAY * day.weekday()


def week_after(day: date) -> date:
    """The first day of the reduction week following a day (paras 45(1) and 46(1))."""
    return week_of(day) + WEEK


def week_from(day: date) -> date:
    """The day itself where it is the first of a reduction week, otherwise the first day of the next (para 46(13))."""
    return day if day.weekday() == 0 else week_after(day)


def entitlement_begins(claimed_on: date, liable_since: date | None) -> date:
    """Para 45: the week after the application; the same week where the applicant first became liable in it."""
    if liable_since is not None and week_of(liable_since) == week_of(claimed_on):
        return max(liable_since, week_of(claimed_on))
    return week_after(claimed_on)


def delayed(changed_on: date) -> date:
    """Para 46(12)-(13): 26 weeks after a non-dependant's arrival or the rise of a deduction, at the start of a week."""
    return week_from(changed_on + HALF_YEAR)


@dataclass(frozen=True)
class Change:
    """A change of the claim's facts; `at_once` for one under para 46(5) or (6), `counts_from` for one under para 47.

    `nothing`: the facts are others, and neither the entitlement nor its amount is, so that para 46(1) knows no change.
    """

    occurs: date
    at_once: bool = False
    counts_from: date | None = None
    nothing: bool = False

    @property
    def effective(self) -> date:
        """Para 46(1), (5), (6), or para 47."""
        if self.counts_from is not None:
            return self.counts_from
        return self.occurs if self.at_once else week_after(self.occurs)


def effective_days(changes: Sequence[Change], charge_changes: Sequence[date] = ()) -> list[date]:
    """The days from which changes count, para 46(7) included.

    Where one change of a reduction week would count from that week and another from the next, all of that week's changes count
    from the day to which para 46(3) to (6) refers, the earliest if there are several.
    """
    found: list[date] = []
    for change in changes:
        if change.nothing:
            found.append(found[-1] if found else date.min)  # with the facts before
            continue
        week = week_of(change.occurs)
        same = [other for other in changes if week_of(other.occurs) == week and other.counts_from is None and not other.nothing]
        special = [other.occurs for other in same if other.at_once] + [day for day in charge_changes if week_of(day) == week]
        ordinary = any(not other.at_once for other in same)
        found.append(min(special) if change.counts_from is None and special and ordinary else change.effective)
    return found


def pension_credit_counts_from(
    occurs: date,
    told: date | None,
    *,
    awarded: bool,
    credit_rises: bool,
    reduction_rises: bool,
    late: bool = False,
) -> date:
    """Para 47(2) to (7): from when a change of state pension credit counts.

    `occurs` is the day from which the credit is payable at the new rate; `told` the day on which the authority heard from
    the Secretary of State; `late` where the applicant had failed to tell the Secretary of State in time.
    """
    heard = occurs if told is None else max(told, occurs)
    if awarded:
        if not reduction_rises:
            return week_after(heard)  # (5)
        return week_after(occurs)  # (7) for a guarantee credit; otherwise para 46(1)
    if credit_rises:
        return week_of(occurs) if reduction_rises else week_after(heard)  # (2)(a), (2)(b)
    if reduction_rises:
        return week_of(occurs)  # (4)
    return week_of(occurs) if late else week_after(heard)  # (3)(a), (3)(b)


def after_continuing(counts_from: date, four_weeks_from: date) -> date:
    """Para 47(8): a change that would count within the four weeks of para 43 counts from the first week after them."""
    ends = continuing_ends(four_weeks_from)
    return ends + ONE_DAY if four_weeks_from <= counts_from <= ends else counts_from


def continuing_ends(begins: date) -> date:
    """Para 43(3)-(4): four weeks from the day after the benefit ended, to the end of the reduction week."""
    last = begins + timedelta(weeks=4) - ONE_DAY
    return week_of(last) + timedelta(days=6)


def extended_period(last_day_of_benefit: date, liability_ends: date | None = None) -> tuple[date, date]:
    """Para 39: from the week after that in which entitlement ceased (the day after its last day), for four weeks."""
    first = week_after(last_day_of_benefit + ONE_DAY)
    last = first + timedelta(weeks=4) - ONE_DAY
    return first, last if liability_ends is None else min(last, liability_ends)
