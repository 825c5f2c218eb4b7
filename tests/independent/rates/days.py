"""Days of a financial year, calendar months and roundings of business rates, in plain fractions.

An independent calculation from the statute: it shares no code with the engine and is not derived from the rules.
A financial year is called by the calendar year in which it begins; money is in pounds.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from fractions import Fraction

FIRST_YEAR, LAST_YEAR = 2010, 2026
ONE_DAY = timedelta(days=1)


def year_start(year: int) -> date:
    return date(year, 4, 1)


def days_in_year(year: int) -> int:
    """Item C: 366 where 29 February falls in the financial year."""
    return (year_start(year + 1) - year_start(year)).days


def add_months(day: date, months: int) -> date:
    """The corresponding date so many months on, or the last day of a month that is too short."""
    years, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month0 + 1, min(day.day, calendar.monthrange(years, month0 + 1)[1]))


def after_months(since: date, months: int) -> date:
    """The first day after so many calendar months that begin with `since`.

    Twelve months that begin with 29 February end with 28 February, and three that begin with 30 November with the end of February:
    the corresponding day, or the last day of a month that has none (Dodds v Walker [1981] 1 WLR 1027), is the last of the period that
    follows the day before.
    """
    return max(add_months(since, months), add_months(since - ONE_DAY, months) + ONE_DAY)


def within_months(since: date, months: int, day: date) -> bool:
    """Whether a period that began with `since`, the day itself included, does not exceed so many months on the day."""
    return day < after_months(since, months)


def half_up(amount: Fraction) -> int:
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


def to_penny(amount: Fraction) -> Fraction:
    return Fraction(half_up(amount * 100), 100)


def three_places(amount: Fraction) -> Fraction:
    """Three decimal places; a thousandth is added only for more than five ten-thousandths (SI 2012/148 art. 3(5))."""
    thousandths, remainder = divmod(amount * 1000, 1)
    return Fraction(int(thousandths) + (remainder > Fraction(1, 2)), 1000)
