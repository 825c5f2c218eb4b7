"""The lines of a ratepayer's bills by the rules and by the independent calculation, and what may lie between them.

The rules hold amounts of a period to a billionth of a pound, and nothing else is rounded before the bill.  So a line of the
rules, before it is rounded, may be off by so much, as is worked out in `bound`, and not more; a bill is the same to the penny.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from independent.rates.bill import Bill
from rbcalc_kernels.exact.rows import Row

ZERO = Fraction(0)
FINE = Fraction(1, 2_000_000_000)
"""Half of £0.000000001."""
GROWTH = Fraction(132, 100)
"""By how much a limit, and what was rounded of it, may grow from one year to the next; by 1.55 in the three years from 2023."""
STEPS = 16
"""Roundings to £0.000000001 that one amount of a period may go through."""
LINES: dict[str, tuple[str, ...]] = {
    "mandatory": ("mandatory_relief",),
    "new_fibre": ("new_fibre_relieved",),
    "support": ("supported_relief",),
    "top_up": ("top_up_relief",),
    "extension": ("transition_extension",),
    "rural": ("rural_relief",),
    "film_studio": ("film_studio_relief",),
    "heat_network": ("heat_network_relief",),
    "electric_vehicle_charging": ("electric_vehicle_charging_relief",),
    "local_newspaper": ("newspaper_relief",),
    "public_house": ("pub_relief", "pub_discount"),
    "nursery": ("nursery_discount",),
    "additional_relief": ("additional_relief",),
    "reoccupation": ("reoccupation_relief",),
    "retail": ("retail_relief_given",),
    "discretionary": ("local_relief_before_retail", "local_relief_after_retail"),
    "hardship": ("hardship_relief",),
}
"""Lines by the values of a period that make them up."""
NAMES = {"supporting_small_business": "support", "transitional_extension": "extension", "mandatory_fibre": "new_fibre"}
"""Reliefs of the independent calculation that have another name."""


@dataclass
class Told:
    """How often something was compared."""

    lines: Counter[str] = field(default_factory=Counter)
    bills: int = 0


def chain(year: int) -> Fraction:
    """What the roundings of the limits of all years of a list come to in a year, in FINE: two of each year, the first times Q."""
    begins = max(first for first in (2010, 2017, 2023, 2026) if first <= year)
    growth = Fraction(155, 100) if begins == 2023 else GROWTH
    return sum((growth**years * Fraction(21, 10) for years in range(year - begins + 1)), ZERO)


def bound(account: Row, year: int) -> Fraction:
    """What the roundings within an account may come to: as many as its amounts went through."""
    rows = account.children["period"]
    found = FINE * STEPS * len(rows)
    if any(row.values["transitional"] or row.values["extension_applies"] for row in rows):
        found += FINE * chain(year)
    return found


def money(row: Row, name: str) -> Fraction:
    """A sum of money of a row; nothing where the year has no such value."""
    return Fraction(row.values.get(name) or 0)


def lines_of(account: Row) -> dict[str, Fraction]:
    """The lines by the rules, added up over the days without rounding."""
    rows = account.children["period"]
    found = {line: sum((money(row, name) for row in rows for name in names), ZERO) for line, names in LINES.items()}
    found["gross"] = sum((money(row, "gross") for row in rows), ZERO)
    found["transition"] = sum((money(row, "charge_with_transition") - money(row, "gross") for row in rows), ZERO)
    found["apportionment"] = sum((money(row, "part_occupation_amount") for row in rows), ZERO)
    found["left"] = sum((money(row, "charge_after_all") for row in rows), ZERO)
    return found


def lines_by_statute(bill: Bill) -> dict[str, Fraction]:
    """The same lines by the independent calculation."""
    found = dict.fromkeys(LINES, ZERO)
    for name, amount in bill.reliefs.items():
        line = NAMES.get(name) or ("mandatory" if name.startswith("mandatory_") else name)
        found[line] += amount
    found |= {"gross": bill.gross, "transition": bill.transition + bill.supplement, "apportionment": bill.apportionment}
    return {**found, "left": bill.exact}


def instalments_of(account: Row) -> tuple[Fraction, ...]:
    """The instalments by the rules."""
    count = int(money(account, "instalments"))
    first, other = money(account, "first_instalment"), money(account, "other_instalment")
    return (first, *[other] * (count - 1)) if count else ()


def differences(account: Row, bill: Bill, year: int, told: Told) -> list[str]:
    """What an account comes to otherwise by the statute than by the rules."""
    found = []
    rules, statute, most = lines_of(account), lines_by_statute(bill), bound(account, year)
    assert set(rules) == set(statute)
    for line, amount in rules.items():
        told.lines[line] += bool(statute[line])
        if abs(amount - statute[line]) > most:
            found.append(f"{line}: statute {float(statute[line]):.5f}, rules {float(amount):.5f}")
    told.bills += 1
    if money(account, "bill") != bill.bill:
        found.append(f"bill: statute {bill.bill}, rules {account.values['bill']}")
    elif not found and instalments_of(account) != bill.instalments:
        found.append(f"instalments: statute {bill.instalments}, rules {instalments_of(account)}")
    return found
