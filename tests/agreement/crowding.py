"""Claims in which several things change within a fortnight."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any

from agreement.accounts import Records
from agreement.mapping import on
from rbcalc_kernels.program.graph import Program

FORTNIGHT = 14


def birthdays(born: date, program: Program) -> Iterator[int]:
    """Birthdays in the program's year at which pension age may be reached, or 25, as days since 1970."""
    for year in (on(program.first_day).year, on(program.last_day).year):
        if year - born.year in (25, *range(60, 68)):
            day = 28 if (born.month, born.day) == (2, 29) else born.day
            yield (date(year, born.month, day) - on(0)).days


def crowded(records: Records, program: Program) -> bool:
    """Whether several things change within a fortnight; such birthdays and new amounts of the scheme are changes too."""
    days = {program.first_day, *(period.first_day - 1 for period in program.periods[1:])}
    arrivals, notices = set(), set()
    for register in ("claims", "household", "incomes", "non_dependants", "dwellings"):
        for record in records.get(register, ()):
            found: dict[str, Any] = dict(record)
            days |= {found["from"], (found.get("to") or found["from"] - 1) + 1}
            days |= {found[name] for name in ("claimed_on", "told_on") if found.get(name) is not None}
            days |= {found[name] + 26 * 7 for name in ("moved_in", "deduction_rose_on") if found.get(name) is not None}
            arrivals |= {found["moved_in"]} if found.get("moved_in") is not None else set()
            notices |= {found["from"]} if found.get("told_on") is not None else set()
            if found.get("born") is not None:
                days |= set(birthdays(on(found["born"]), program))
    return bool(arrivals & notices) or any(after - before < FORTNIGHT for before, after in pairwise(sorted(days)))
