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
    shifted = bind(f"{day} + 719468.0")
    era = bind(quotient(shifted, 146_097))
    of_era = bind(f"{shifted} - {era} * 146097.0")
    leap = f"{quotient(of_era, 1460)} - {quotient(of_era, 36_524)} + {quotient(of_era, 146_096)}"
    year_of_era = bind(quotient(f"{of_era} - ({leap})", 365))
    return _from_march(lines, era, of_era, year_of_era)


def _from_march(lines: Lines, era: str, of_era: str, year_of_era: str) -> tuple[str, str, str]:
    bind = lines.bind
    of_year = bind(f"{of_era} - (365.0 * {year_of_era} + {quotient(year_of_era, 4)} - {quotient(year_of_era, 100)})")
    march = bind(quotient(f"5.0 * {of_year} + 2.0", 153))
    day = bind(f"{of_year} - {quotient(f'153.0 * {march} + 2.0', 5)} + 1.0")
    month = bind(f"{march} + 3.0 if {march} < 10.0 else {march} - 9.0")
    year = bind(f"{year_of_era} + {era} * 400.0 + (1.0 if {month} <= 2.0 else 0.0)")
    return year, month, day


def day_number(lines: Lines, year: str, month: str, day: str) -> str:
    """Variable with the count of days of a year, a month and a day of the month."""
    bind = lines.bind
    year = bind(f"{year} - (1.0 if {month} <= 2.0 else 0.0)")
    era = bind(quotient(year, 400))
    year_of_era = bind(f"{year} - {era} * 400.0")
    march = bind(f"{month} - 3.0 if {month} > 2.0 else {month} + 9.0")
    of_year = bind(f"{quotient(f'153.0 * {march} + 2.0', 5)} + {day} - 1.0")
    of_era = bind(f"365.0 * {year_of_era} + {quotient(year_of_era, 4)} - {quotient(year_of_era, 100)} + {of_year}")
    return bind(f"{era} * 146097.0 + {of_era} - 719468.0")


def months_after(lines: Lines, day: str, months: str) -> str:
    """Variable with the same day of the month so many months later, or the last day of a shorter month."""
    bind = lines.bind
    year, month, of_month = civil(lines, day)
    total = bind(f"{year} * 12.0 + {month} - 1.0 + {months}")
    year = bind(quotient(total, 12))
    month = bind(f"{total} - {year} * 12.0 + 1.0")
    late = bind(f"{month} + 1.0 if {month} > 7.0 else {month}")
    four, hundred, fourth = (f"({year} == {quotient(year, n)} * {n}.0)" for n in (4, 100, 400))
    february = bind(f"29.0 if {four} & ((not {hundred}) | {fourth}) else 28.0")
    length = bind(f"{february} if {month} == 2.0 else 30.0 + {late} - 2.0 * {quotient(late, 2)}")
    return day_number(lines, year, month, bind(f"{of_month} if {of_month} < {length} else {length}"))


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
