"""Calendar arithmetic on whole numbers in float64, written out as statements.

Proved by test for 1 January 1900 to 31 December 2200.  Days count from 1 January 1970.
"""

from __future__ import annotations

from rbcalc_kernels.compiled.numbers import Lines


def quotient(top: str, divisor: int) -> str:
    """Text of the whole part of a whole number divided by a constant."""
    return f"floor(({top} + 0.5) * (1.0 / {divisor}.0))"


def civil(lines: Lines, day: str) -> tuple[str, str, str]:
    """Variables with the year, the month and the day of the month of a day."""
    bind = lines.bind
    year, march, of_month = _from_march(lines, day)
    month = bind(f"{march} + 3.0 if {march} < 10.0 else {march} - 9.0")
    return bind(f"{year} + (1.0 if {month} <= 2.0 else 0.0)"), month, bind(f"{of_month} + 1.0")


def _from_march(lines: Lines, day: str) -> tuple[str, str, str]:
    """Variables with a day's year, month and day of the month, where years begin in March and all three count from 0.

    A leap day is then the last of its year, of its four years, and of its four centuries.
    """
    bind = lines.bind
    shifted = bind(f"{day} + 719468.0")
    century = bind(quotient(f"4.0 * {shifted} + 3.0", 146_097))
    of_century = bind(f"{shifted} - {quotient(f'146097.0 * {century}', 4)}")
    year = bind(quotient(f"4.0 * {of_century} + 3.0", 1461))
    of_year = bind(f"{of_century} - {quotient(f'1461.0 * {year}', 4)}")
    march = bind(quotient(f"5.0 * {of_year} + 2.0", 153))
    return bind(f"100.0 * {century} + {year}"), march, bind(f"{of_year} - {quotient(f'153.0 * {march} + 2.0', 5)}")


def months_after(lines: Lines, day: str, months: str, *, whole: bool) -> str:
    """Variable with the same day of the month so many months later, or the last day of a shorter month.

    With `whole`, the first of the month after a shorter one.
    """
    bind = lines.bind
    year, march, of_month = _from_march(lines, day)
    total = bind(f"{year} * 12.0 + {march} + {months}")
    year = bind(quotient(total, 12))
    march = bind(f"{total} - {year} * 12.0")
    four, hundred = bind(quotient(year, 4)), bind(quotient(year, 100))
    fourth = bind(quotient(hundred, 4))
    start = bind(quotient(f"153.0 * {march} + 2.0", 5))
    # February ends the year, so that it has a leap day when the year after is one of those that have.
    leap = f"({year} - 4.0 * {four} == 3.0) & (({year} - 100.0 * {hundred} != 99.0) | ({hundred} - 4.0 * {fourth} == 3.0))"
    february = bind(f"29.0 if {leap} else 28.0" if whole else f"28.0 if {leap} else 27.0")
    more = "" if whole else " - 1.0"
    last = bind(f"{february} if {march} == 11.0 else {quotient(f'153.0 * {march} + 155.0', 5)} - {start}{more}")
    of_year = bind(f"{start} + ({of_month} if {of_month} < {last} else {last})")
    return bind(f"365.0 * {year} + {four} - {hundred} + {fourth} + {of_year} - 719468.0")


def years_between(lines: Lines, start: str, end: str) -> str:
    """Text of the completed years from one day to another, never below 0."""
    a, b = civil(lines, start), civil(lines, end)
    early = f"(({b[1]} < {a[1]}) | (({b[1]} == {a[1]}) & ({b[2]} < {a[2]})))"
    return _not_below_0(lines, f"{b[0]} - {a[0]} - (1.0 if {early} else 0.0)")


def months_between(lines: Lines, start: str, end: str) -> str:
    """Text of the completed months from one day to another, never below 0."""
    a, b = civil(lines, start), civil(lines, end)
    return _not_below_0(lines, f"({b[0]} - {a[0]}) * 12.0 + {b[1]} - {a[1]} - (1.0 if {b[2]} < {a[2]} else 0.0)")


def next_weekday(lines: Lines, day: str, weekday: int) -> str:
    """Text of the first day after a day that falls on the weekday (1 Monday ... 7 Sunday)."""
    offset = lines.bind(f"{weekday - 5}.0 - {day}")
    return f"({day} + 1.0 + {offset} - 7.0 * {quotient(offset, 7)})"


def _not_below_0(lines: Lines, text: str) -> str:
    count = lines.bind(text)
    return f"({count} if {count} > 0.0 else 0.0)"
