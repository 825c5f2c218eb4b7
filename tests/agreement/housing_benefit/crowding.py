"""Claims in which a change that counts by a clock of its own lies close to another change.

The statute dates each change by itself.  The rules carry all facts known on a day along, so that a change that still waits, for
the notice of pension credit, for the 26 weeks of a non-dependant or for a late report, may come or stay with the next one.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from agreement.accounts import Records
from agreement.mapping import on
from independent.exemptions import add_years
from independent.housing_benefit.award import AGES
from rbcalc_kernels.program.graph import Program

CLOSE = 14
CREDITS = ("guarantee_credit", "savings_credit")
OF_CLAIM = ("claims", "household", "incomes", "non_dependants")


def changes(records: Records, program: Program) -> set[int]:
    """Days on which something of the claim or the rent may change, birthdays among them."""
    found: set[int] = {int(row["from"] or 0) for row in records["rents"]}
    for record in chain.from_iterable(records.get(name, ()) for name in OF_CLAIM):
        held: dict[str, Any] = dict(record)
        found.add(held["from"])
        if held.get("to") is not None:
            found.add(held["to"] + 1)
        for name in ("born", "other_born"):
            if held.get(name) is not None:
                ages = (add_years(on(held[name]), age) for age in (*AGES, *range(60, 68)))
                found |= {(day - on(0)).days for day in ages}
    return {day for day in found if program.first_day - CLOSE <= day <= program.last_day + CLOSE}


def waiting(records: Records) -> set[int]:
    """Days about which a change counts by a clock of its own."""
    found: set[int] = set()
    for row in records.get("claims", ()):
        held: dict[str, Any] = dict(row)
        if held.get("told_on") is not None:
            found |= {held["from"], held["told_on"]}
        if held.get("benefits_for_cap") is not None:
            found.add(held["from"])
    for row in records.get("incomes", ()):
        if row["income_kind"] in CREDITS:
            found.add(int(row["from"] or 0))
            found |= set() if row["to"] is None else {int(row["to"]) + 1}
    for row in records.get("non_dependants", ()):
        held = dict(row)
        found |= {held[name] + 26 * 7 for name in ("moved_in", "deduction_rose_on") if held.get(name) is not None}
    return found


def crowded(records: Records, program: Program) -> bool:
    """Whether there is another change between such a clock and a fortnight after it, or a fortnight before."""
    every, clocks = changes(records, program), waiting(records)
    law = {period.first_day for period in program.periods}
    return any(0 < abs(clock - day) < CLOSE for clock in clocks for day in every | clocks | law)
