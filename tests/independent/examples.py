"""What the cases worked by hand from the statute and from councils' published pages share.

Each case names its source.  "Trap n" is the number in the project's list of mistakes that a naive calculation makes.
The amounts of Hartlepool 2025-26 are the published ones; a figure marked "notional" is made up.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from independent.council_tax import (
    BANDS,
    Account,
    Bill,
    Council,
    Part,
    Step,
)
from independent.exemptions import (
    Dated,
    Resident,
)

Y13, Y23, Y24, Y25 = date(2013, 4, 1), date(2023, 4, 1), date(2024, 4, 1), date(2025, 4, 1)
HUNDRED, FIFTY = Fraction(100), Fraction(50)
HARTLEPOOL_PARTS = (
    Part("Hartlepool", 2083_44),
    Part("Cleveland police and crime commissioner", 317_73),
    Part("Cleveland fire", 94_46),
)
HARTLEPOOL = Council(
    Y25,
    {"town": HARTLEPOOL_PARTS},
    second_home_discount=Fraction(0),
    second_home_premium=HUNDRED,
    second_home_premium_after_years=1,
    empty_steps=(Step(HUNDRED, months=1),),
    major_repair_discount=FIFTY,
    empty_ladder=((1, HUNDRED), (5, 2 * HUNDRED), (10, 3 * HUNDRED)),
)
BORN = date(1980, 6, 15)
ALONE = (Resident(BORN, date(2000, 1, 1)),)
COUPLE = (*ALONE, Resident(date(1981, 7, 16), date(2000, 1, 1)))


def other(category: str | None, born: date = BORN, **facts: Any) -> Resident:
    return Resident(born, date(2000, 1, 1), category=category, **facts)


def account(band: str = "D", first: date = Y25, **facts: Any) -> Account:
    start = date(1993, 4, 1)
    return Account(first, (Dated("town", start),), (Dated(band, start),), **facts)


def empty(since: date, band: str = "A", **facts: Any) -> Account:
    return account(band, furnished=(Dated(False, since),), empty_since=(Dated(since, since),), **facts)


def charges(result: Bill) -> list[tuple[int, int]]:
    return [(stretch.days, stretch.charge_pence) for stretch in result.stretches]


def published(year: date, **bands: int) -> Council:
    amounts = tuple(bands.get(band, 0) for band in BANDS)
    return Council(year, {"town": (Part("all authorities", published_pence=amounts),)})
