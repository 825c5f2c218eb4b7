"""Value, multiplier and gross charge of a day (LGFA 1988 ss. 43 to 46, from 2024 Schs 4ZA and 4ZB; SI 2026/152).

Multipliers: the notices of each year, as listed by North Warwickshire BC and Salford CC; 2026-27 also Rossendale BC.
"""

from __future__ import annotations

from fractions import Fraction

from independent.rates.days import days_in_year
from independent.rates.empty import charged_while_empty, part_apportioned
from independent.rates.facts import RETAIL_USES, Day


def _mills(*thousandths: int) -> tuple[Fraction, ...]:
    return tuple(Fraction(mill, 1000) for mill in thousandths)


STANDARD = dict(
    zip(range(2009, 2027), _mills(485, 414, 433, 458, 471, 482, 493, 497, 479, 493, 504, 512, 512, 512, 512, 546, 555, 480), strict=True)
)
SMALL = dict(
    zip(range(2009, 2027), _mills(481, 407, 426, 450, 462, 471, 480, 484, 466, 480, 491, 499, 499, 499, 499, 499, 499, 432), strict=True)
)
SMALL_RETAIL_2026, STANDARD_RETAIL_2026, HIGH_VALUE_2026 = _mills(382, 430, 508)
HIGH_VALUE = 500_000
BAND_FROM_2017 = 50_999


def small_limit(year: int, in_greater_london: bool) -> int:
    """Greatest value on the small multiplier: SI 2009/3175 and SI 2012/148 art. 2; SI 2017/102 art. 2; SI 2024/111; SI 2026/152."""
    if year >= 2017:
        return BAND_FROM_2017
    return 25_499 if in_greater_london else 17_999


def full_value(facts: Day) -> int:
    """Item A before any apportionment.

    From 2024 the amount G of improvement relief is left out (Sch 4ZA para. 10(2)); Sch 4ZB knows no G, so nothing is left
    out of an unoccupied hereditament.
    """
    value = facts.entry.rateable_value
    if facts.year >= 2024 and facts.occupied:
        value -= facts.entry.improvement_value or 0
    return max(value, 0)


def value_for_tests(facts: Day) -> int:
    """The value that decides multiplier and small business relief.

    Until 2023-24 both are tests on the value shown in the list.  From 2024 they are tests on item A, which s. 44A(7)
    replaces by the occupied part while an apportionment is applicable.
    """
    if facts.year < 2024:
        return facts.entry.rateable_value
    return apportioned_value(facts)


def apportioned_value(facts: Day) -> int:
    """Item A: the occupied part while an apportionment is applicable, less its part of G (s. 44A(7)); otherwise the whole."""
    value = full_value(facts)
    part = facts.occupation.occupied_value
    if part is None or not part_apportioned(facts):
        return value
    if facts.year >= 2024 and facts.entry.improvement_value is not None:
        part -= facts.occupation.occupied_improvement_value
    return min(max(part, 0), value)


def multiplier(facts: Day, *, small_business: bool, rural: bool) -> Fraction:
    """Item M (or B, or D) of the day; `small_business` and `rural` say which formula the day has."""
    year, use = facts.year, facts.entry.rating_use
    value = value_for_tests(facts)
    if year >= 2026:
        retail = facts.occupied and use in RETAIL_USES
        if small_business:
            return SMALL_RETAIL_2026 if retail else SMALL[year]
        if value >= HIGH_VALUE:
            return HIGH_VALUE_2026
        if value <= BAND_FROM_2017:
            return SMALL_RETAIL_2026 if retail else SMALL[year]
        return STANDARD_RETAIL_2026 if retail else STANDARD[year]
    low = value <= small_limit(year, facts.entry.in_greater_london)
    if year >= 2024:
        return SMALL[year] if low or small_business else STANDARD[year]
    lavatory = year >= 2020 and use == "public_lavatory"  # nothing is charged: of the formulas none goes before
    if not facts.occupied or rural or (facts.charitable and not lavatory):
        return STANDARD[year]
    if year < 2012 and not small_business:  # SI 2004/3315 art. 3: the small multiplier came with the relief, on application
        return STANDARD[year]
    return SMALL[year] if low else STANDARD[year]


def chargeable(facts: Day) -> bool:
    return facts.occupied or charged_while_empty(facts)


def gross(facts: Day, rate: Fraction) -> Fraction:
    return full_value(facts) * rate / days_in_year(facts.year)
