"""Statutory instalments of council tax: SI 1992/613 Sch 1 Parts I and III, as amended by SI 2012/3086.

All money is in whole pence.  Nothing here comes from the engine or its rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

POUND = 100
FIVE_POUNDS = 500
NOTICE = timedelta(days=14)


@dataclass(frozen=True)
class Instalment:
    due: date
    pence: int


@dataclass(frozen=True)
class Adjusted:
    """What an adjustment leaves: instalments still to pay, and money to repay or credit."""

    instalments: tuple[Instalment, ...]
    overpaid: int = 0


def instalment_count(issued: date, year_start: date, twelve: bool = False) -> int:
    """Para 2(3) and (3A), para 4: how many monthly instalments a notice issued on this day carries."""
    if issued >= date(year_start.year + 1, 4, 1):
        raise ValueError("a notice issued after the year is payable at once, not by instalments")
    if twelve and year_start < date(2013, 4, 1):
        raise ValueError("twelve instalments can be asked for from 2013-14 only")
    if issued >= date(year_start.year + 1, 1, 1):
        return 1
    whole_months = 12 if issued < year_start else (3 - issued.month) % 12  # after the month of issue
    if twelve:
        return 12 if issued <= date(year_start.year, 4, 15) else whole_months
    return 10 if issued <= date(year_start.year, 4, 30) else whole_months - 1


def _first_and_rest(total: int, count: int) -> tuple[int, int]:
    """Para 2(5) and (6): the first instalment, and each of the others; 50p goes up."""
    if count == 1:
        return total, 0
    if total % (count * POUND) == 0:
        return total // count, total // count
    rest = (2 * total + count * POUND) // (2 * count * POUND) * POUND
    return total - (count - 1) * rest, rest


def _joined(first: int, rest: int, count: int) -> list[int]:
    """Para 2(7): if an instalment would be under five pounds the second is added to the first."""
    if count > 1 and min(first, rest) < FIVE_POUNDS:
        return [first + rest] + [rest] * (count - 2)
    return [first] + [rest] * (count - 1)


def split(total: int, count: int) -> list[int]:
    """Amounts of up to `count` instalments, the small-amount powers of paras 2(7) and 3 being used."""
    if total <= 0:
        return []
    amounts = _joined(*_first_and_rest(total, count), count)
    if len(amounts) > 1 and min(amounts) < FIVE_POUNDS:
        fewer = 1 if total < 2 * FIVE_POUNDS else total // FIVE_POUNDS
        amounts = _joined(*_first_and_rest(total, fewer), fewer)
    return amounts


def _due_days(first_month: date, count: int, pay_day: int) -> list[date]:
    months = [first_month.year * 12 + first_month.month - 1 + offset for offset in range(count)]
    return [date(month // 12, month % 12 + 1, pay_day) for month in months]


def schedule(
    total: int,
    issued: date,
    year_start: date,
    *,
    twelve: bool = False,
    pay_day: int = 1,
    first_month: date | None = None,
) -> tuple[Instalment, ...]:
    """The instalments of a first bill.

    The months run without a break (para 2(4)).  Unless the council names another first month it is April for a notice
    issued before the year (and for twelve instalments up to 15 April), and the month after the issue otherwise.
    """
    count = instalment_count(issued, year_start, twelve)
    amounts = split(total, count)
    if issued >= date(year_start.year + 1, 1, 1):
        return tuple(Instalment(issued + NOTICE, pence) for pence in amounts)
    if first_month is None:
        in_april = issued < year_start or (twelve and count == 12)
        following = issued.year * 12 + issued.month
        first_month = year_start if in_april else date(following // 12, following % 12 + 1, 1)
    days = _due_days(first_month, len(amounts), pay_day)
    return tuple(Instalment(day, pence) for day, pence in zip(days, amounts, strict=True))


def adjust(plan: Sequence[Instalment], revised_total: int, notice: date, *, paid_ahead: int = 0, paid_between: int = 0) -> Adjusted:
    """Part III para 10: spread a revised estimate over the instalments not yet due.

    `paid_ahead` is money paid before the relevant day towards later instalments (10(6)(aa)); `paid_between` was paid
    from the relevant day to the day before the adjustment day (10(6A)).
    """
    adjustment_day = notice + NOTICE
    left = [item for item in plan if item.due >= adjustment_day]
    before = sum(item.pence for item in plan if item.due < adjustment_day)
    remaining = revised_total - before - paid_ahead - paid_between
    if remaining <= 0:
        return Adjusted((), -remaining)
    if not left:
        return Adjusted((Instalment(adjustment_day, remaining),))
    amounts = split(remaining, len(left))
    return Adjusted(tuple(Instalment(item.due, pence) for item, pence in zip(left, amounts, strict=False)))


def liability_ends(plan: Sequence[Instalment], charge_to_the_end: int, ended: date, notice: date) -> Adjusted:
    """Part III para 9: nothing falling due after the relevant day is payable; the rest is settled."""
    due = sum(item.pence for item in plan if item.due <= ended)
    if charge_to_the_end > due:
        return Adjusted((Instalment(notice + NOTICE, charge_to_the_end - due),))
    return Adjusted((), due - charge_to_the_end)
