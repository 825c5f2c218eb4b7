"""Weekly amounts that only Housing Benefit has; what it shares with Council Tax Reduction stands with that.

HBR = Housing Benefit Regulations 2006 (SI 2006/213), working age; SPC = SI 2006/214, pension age.  A year is called by the
calendar year in which it begins.  The allowances and premiums of HBR Sch 3 and SPC Sch 3 are those of
`independent.council_tax_reduction.amounts`: the Department sets one figure for both benefits.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import NamedTuple

INSTRUMENTS = {
    2013: "SI 2013/574 arts 19, 20; SPC reg 55 and Sch 1 as they stood in October 2013",
    2024: "SI 2024/242 arts 23, 24; HBR reg 74 as at 1 April 2024; fuel as in 2023-24",
    2025: "SI 2025/295 arts 23, 24",
    2026: "SI 2026/148 arts 23, 24",
}
YEARS = tuple(INSTRUMENTS)


class Bands(NamedTuple):
    """HBR reg 74(1) and (2), SPC reg 55(1) and (2): the deductions from the lowest to the highest, and where each begins."""

    deductions: tuple[Fraction, ...]
    begins: tuple[Fraction, ...]


class Meals(NamedTuple):
    """Sch 1 para 2: three meals or more for one of 16 or over and for a child, fewer for each, and breakfast only."""

    full: Fraction
    full_child: Fraction
    half: Fraction
    half_child: Fraction
    breakfast: Fraction


class Fuel(NamedTuple):
    """Sch 1 para 6(2)."""

    heating: Fraction
    hot_water: Fraction
    lighting: Fraction
    cooking: Fraction


def _figures(text: str) -> tuple[Fraction, ...]:
    return tuple(Fraction(figure) for figure in text.split())


BANDS = {
    2013: Bands(_figures("13.60 31.25 42.90 70.20 79.95 87.75"), _figures("126 186 242 322 401")),
    2024: Bands(_figures("19.30 44.40 60.95 99.65 113.50 124.55"), _figures("176 256 334 445 554")),
    2025: Bands(_figures("19.65 45.15 62.00 101.35 115.45 126.65"), _figures("183 266 348 463 577")),
    2026: Bands(_figures("20.40 46.85 64.35 105.20 119.85 131.45"), _figures("192 279 365 485 605")),
}
MEALS = {
    2013: Meals(*_figures("25.85 13.10 17.20 8.65 3.15")),
    2024: Meals(*_figures("35.35 17.95 23.60 11.80 4.30")),
    2025: Meals(*_figures("35.95 18.25 24.00 12.00 4.35")),
    2026: Meals(*_figures("37.30 18.95 24.90 12.45 4.50")),
}
FUEL = {
    2013: Fuel(*_figures("25.60 2.95 2.05 2.95")),
    2024: Fuel(*_figures("35.25 4.10 2.85 4.10")),
    2025: Fuel(*_figures("35.25 4.10 2.85 4.10")),
    2026: Fuel(*_figures("35.25 4.10 2.85 4.10")),
}
COUPLE_UNDER_18 = dict(zip(YEARS, _figures("85.80 108.30 110.15 114.35"), strict=True))  # HBR Sch 3 para 1(3)(c)

# ---- the benefit cap: SI 2012/2994 reg 75G as made; HBR reg 75CA(2) for the years from 2023, outside Greater London.  In force from
# 15 April 2013, it waits for a determination (reg 75A): outside four London boroughs the first were made from 15 July 2013.
CAP_BEGINS = date(2013, 7, 15)
CAP_2013 = (Fraction(350), Fraction(500))  # single; all others
CAP_A_YEAR = (14753, 22020)

# ---- local housing allowance: the determinations of 31 January 2024, kept by SI 2025/5 and SI 2026/5
LHA_2024: dict[str, tuple[Fraction, ...]] = {
    "bournemouth": _figures("98.11 159.95 201.37 264.66 356.71"),
    "mid_and_west_dorset": _figures("98.11 136.93 172.60 207.12 287.67"),
    "yeovil": _figures("100.11 120.82 159.95 195.62 287.67"),
    "salisbury": _figures("98.11 149.59 179.51 210.58 287.67"),
    "teesside": _figures("66.50 94.36 109.32 126.58 172.60"),
    "darlington": _figures("66.50 82.85 103.56 121.97 159.95"),
    "durham": _figures("90.50 80.55 92.05 109.32 151.86"),
    "sunderland": _figures("73.95 97.81 109.32 126.58 161.10"),
    "stevenage_and_north_herts": _figures("100.38 178.36 224.38 287.67 368.22"),
    "south_east_herts": _figures("109.32 192.16 241.64 315.29 391.23"),
    "harlow_and_stortford": _figures("103.87 186.41 235.89 278.47 316.44"),
    "south_west_herts": _figures("115.37 218.63 287.67 345.21 460.27"),
    "cambridge": _figures("121.13 207.12 218.63 258.90 333.70"),
    "luton": _figures("100.38 161.10 201.37 253.15 310.68"),
}
CATEGORIES = ("shared", "one_bedroom", "two_bedrooms", "three_bedrooms", "four_bedrooms")

# ---- the law within a year, and what no year has changed
FOSTER_CARER_NOT_YOUNG = date(2013, 12, 4)  # SI 2013/2828 regs 1 and 2(2)(b)
TENANT_SINCE_1996_ENDS = date(2014, 3, 3)  # SI 2014/212 reg 1
MIXED_AGE_ENDS = date(2019, 5, 15)  # SI 2019/37 art 3
TWO_CHILDREN = date(2017, 4, 6)  # SI 2017/376 reg 1
TAPER = Fraction(65, 100)  # HBR reg 71, SPC reg 51
MINIMUM = Fraction(50, 100)  # HBR reg 75, SPC reg 56
ONE_SPARE, MORE_SPARE = Fraction(14, 100), Fraction(25, 100)  # HBR reg B13(3)
CAPITAL_LIMIT = Fraction(16000)  # HBR reg 43, SPC reg 43
YOUNG = 35  # HBR reg 2(1), "young individual", SI 2011/1736 reg 2


def pence(amount: Fraction) -> Fraction:
    """To the nearest penny, half a penny as a whole one (HBR reg 80(8), SPC reg 61(6))."""
    return Fraction((200 * amount.numerator + amount.denominator) // (2 * amount.denominator), 100)


def cap(day: date, *, single: bool) -> Fraction | None:
    """The relevant amount for a day; None where there is no cap (HBR regs 75CA(1), 75G)."""
    if day < CAP_BEGINS:
        return None
    if day < date(2016, 11, 7):
        return CAP_2013[0 if single else 1]
    assert day >= date(2023, 4, 1), "the amounts of 2016 to 2023 are not written down here"
    return pence(Fraction(CAP_A_YEAR[0 if single else 1], 52))
