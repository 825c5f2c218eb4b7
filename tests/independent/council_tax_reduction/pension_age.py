"""The qualifying age for state pension credit by date of birth, one table for women and men (SPC Act 2002 s.1(6)).

Pensions Act 1995 Sch 4 para 1 as amended by Pensions Act 2011 s.1 and Pensions Act 2014 s.26.
"""

from __future__ import annotations

import calendar
from datetime import date

from independent.exemptions import add_months, add_years

FIRST = date(1950, 4, 6)


def _born_index(born: date) -> int:
    """How many months from the sixth to the fifth lie between 6 April 1950 and a date of birth."""
    months = (born.year - FIRST.year) * 12 + born.month - FIRST.month
    return months if born.day >= 6 else months - 1


def pension_age_day(born: date) -> date:
    """The day on which the age is reached."""
    if born < FIRST:
        return add_years(born, 60)
    index = _born_index(born)
    if index < 36:  # to 5 April 1953: two months later for each month
        return add_months(date(2010, 5, 6), 2 * index)
    if index < 44:  # to 5 December 1953: Pensions Act 2011 s.1(4), four months later for each
        return add_months(date(2016, 7, 6), 4 * (index - 36))
    if index < 54:  # to 5 October 1954: two months later for each
        return add_months(date(2019, 3, 6), 2 * (index - 44))
    if born < date(1960, 4, 6):
        return _reached(born, 66, 0)
    if born < date(1961, 3, 6):
        return _reached(born, 66, _born_index(born) - _born_index(date(1960, 4, 6)) + 1)
    if born < date(1977, 4, 6):
        return _reached(born, 67, 0)
    return _reached(born, 68, 0)  # Pensions Act 2007; for those born before 6 April 1978 a table of days, all after May 2044


def _reached(born: date, years: int, months: int) -> date:
    """So many years and months after birth; where the month has no such day, its last (Sch 4 para 1(7A))."""
    year, month0 = divmod((born.year + years) * 12 + born.month - 1 + months, 12)
    return date(year, month0 + 1, min(born.day, calendar.monthrange(year, month0 + 1)[1]))
