"""What each operator does to exact values: one table, `OPERATIONS`.

Numbers are `Fraction` (counts and days too), dates are whole days since 1 January 1970 (`int`), conditions `bool`,
members of lists `str`.  An operator whose node carries a setting (`ROUND`, `NEXT_WEEKDAY`) takes it as its last argument.
The calendar is the Gregorian one, carried backwards and forwards without end, so that no date is out of reach.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final

from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.program.graph import Mode, Op, Rounding

_DAYS_TO_1970: Final = 719_468  # from 1 March of the year 0
_DAYS_OF_400_YEARS: Final = 146_097
_HALF: Final = Fraction(1, 2)

Civil = tuple[int, int, int]
"""Year, month and day of the month."""


def civil(day: int) -> Civil:
    """The year, month and day of the month of a count of days since 1970.

    Years are counted from March, so that 29 February is the last day of one.
    """
    shifted = day + _DAYS_TO_1970
    era, of_era = divmod(shifted, _DAYS_OF_400_YEARS)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * of_year + 2) // 153
    month = march_month + 3 if march_month < 10 else march_month - 9
    return era * 400 + year_of_era + (month <= 2), month, of_year - (153 * march_month + 2) // 5 + 1


def day_number(year: int, month: int, day: int) -> int:
    """The count of days since 1970 of a calendar day."""
    from_march = year - (month <= 2)
    era, year_of_era = divmod(from_march, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    of_era = 365 * year_of_era + year_of_era // 4 - year_of_era // 100 + of_year
    return era * _DAYS_OF_400_YEARS + of_era - _DAYS_TO_1970


def days_in_month(year: int, month: int) -> int:
    """How many days the month has."""
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return day_number(*following, 1) - day_number(year, month, 1)


def whole(count: Fraction | int, what: str) -> int:
    """The count as a whole number.  Raises CalculationFault when it has a fraction."""
    if count.denominator != 1:
        raise CalculationFault(Reason.NOT_WHOLE, f"{count} is not a whole number of {what}")
    return int(count)


def add(left: Any, right: Any) -> Any:
    """The sum of two numbers, or the date so many days after a date."""
    if isinstance(left, Fraction):
        return left + right if isinstance(right, Fraction) else right + whole(left, "days")
    return left + whole(right, "days")


def subtract(left: Any, right: Any) -> Any:
    """The difference of two numbers, the days between two dates, or the date so many days before a date."""
    if isinstance(left, Fraction):
        return left - right
    if isinstance(right, Fraction):
        return left - whole(right, "days")
    return Fraction(left - right)


def divide(left: Fraction, right: Fraction) -> Fraction:
    """The quotient.  Raises CalculationFault for division by nought."""
    if not right:
        raise CalculationFault(Reason.DIVISION, "division by nought")
    return left / right


def round_to(amount: Fraction, rounding: Rounding) -> Fraction:
    """The multiple of the step next to the amount, in the direction of the mode.

    Directions are by value: down is towards minus infinity and half up takes -0.5 to 0.
    """
    steps = amount / rounding.step
    match rounding.mode:
        case Mode.HALF_UP:
            count = floor(steps + _HALF)
        case Mode.HALF_DOWN:
            count = ceil(steps - _HALF)
        case Mode.UP:
            count = ceil(steps)
        case Mode.DOWN:
            count = floor(steps)
    return count * rounding.step


def months_after(day: int, count: Fraction) -> int:
    """The same day of the month so many months later (or earlier), or the last day of a shorter month."""
    year, month, day_of_month = civil(day)
    year, month = divmod(year * 12 + month - 1 + whole(count, "months"), 12)
    return day_number(year, month + 1, min(day_of_month, days_in_month(year, month + 1)))


def after_months(day: int, count: Fraction) -> int:
    """The first day after so many calendar months that begin with a day: the first of the next month where that day is missing."""
    year, month, day_of_month = civil(day)
    year, month = divmod(year * 12 + month - 1 + whole(count, "months"), 12)
    return day_number(year, month + 1, 1) + min(day_of_month - 1, days_in_month(year, month + 1))


def years_between(start: int, end: int) -> Fraction:
    """The completed years from one day to another, never below 0.

    A year is completed when month and day are reached: someone born on 29 February is a year older on 1 March of a
    common year.
    """
    first, last = civil(start), civil(end)
    return Fraction(max(0, last[0] - first[0] - (last[1:] < first[1:])))


def months_between(start: int, end: int) -> Fraction:
    """The completed months from one day to another, never below 0; a month is completed when its day is reached."""
    first, last = civil(start), civil(end)
    return Fraction(max(0, (last[0] - first[0]) * 12 + last[1] - first[1] - (last[2] < first[2])))


def next_weekday(day: int, weekday: int) -> int:
    """The first day after `day` that falls on the weekday (1 Monday ... 7 Sunday)."""
    return day + 1 + (weekday - 5 - day) % 7


def _choose(condition: bool, then: Any, otherwise: Any) -> Any:
    return then if condition else otherwise


OPERATIONS: Final[Mapping[Op, Callable[..., Any]]] = {
    Op.ADD: add,
    Op.SUB: subtract,
    Op.MUL: operator.mul,
    Op.DIV: divide,
    Op.NEG: operator.neg,
    Op.MIN: min,
    Op.MAX: max,
    Op.ROUND: round_to,
    Op.AS: lambda value: value,
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.AND: lambda left, right: left and right,
    Op.OR: lambda left, right: left or right,
    Op.NOT: operator.not_,
    Op.IF: _choose,
    Op.MONTHS_AFTER: months_after,
    Op.AFTER_MONTHS: after_months,
    Op.YEARS_BETWEEN: years_between,
    Op.MONTHS_BETWEEN: months_between,
    Op.YEAR: lambda day: Fraction(civil(day)[0]),
    Op.MONTH: lambda day: Fraction(civil(day)[1]),
    Op.DAY_OF_MONTH: lambda day: Fraction(civil(day)[2]),
    Op.NEXT_WEEKDAY: next_weekday,
}
"""Operator to exact function.  The evaluator runs IF, AND and OR lazily, and gives the same values."""

WITH_SETTING: Final = frozenset({Op.ROUND, Op.NEXT_WEEKDAY})
"""The operators that take the node's `value` after their arguments."""
