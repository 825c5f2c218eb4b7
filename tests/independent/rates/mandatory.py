"""Mandatory reliefs: which formula the day has, and its divisor.

Charities and clubs, rural settlements, public lavatories, heat networks: LGFA 1988 s. 43(5) to (8D), from 2024 Sch 4ZA.
Small business: SI 2004/3315 (as amended by SI 2009/3175, 2010/1655 and 2011/1664), SI 2012/148 (SI 2014/43, 2015/106,
2016/143), SI 2017/102, SI 2023/1250 and its amendment of 7 January 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from independent.rates.charge import small_limit, value_for_tests
from independent.rates.days import three_places, within_months, year_start
from independent.rates.facts import Day

RURAL_LIMITS = {"shop_or_post_office": 8_500, "food_shop": 8_500, "public_house": 12_500, "petrol_station": 12_500}  # SI 2009/3176
ALL_RELIEVED = Fraction(5_000_000)
DOUBLED_FROM = date(2010, 10, 1)
GRACE_FROM = date(2014, 2, 14)  # SI 2014/43 art. 1; no other day is stated for its effect
LONGER_GRACE_FROM, LONGER_GRACE_TAKEN = date(2026, 4, 1), date(2025, 11, 27)


@dataclass(frozen=True)
class Formula:
    """The mandatory relief of a day; a divisor of None stands for a charge of nothing.

    `small_business` is whether the conditions of s. 43(4B) or Sch 4ZA para. 4 are met, be E no more than 1.
    """

    kind: str = "no_relief"
    divisor: Fraction | None = Fraction(1)
    small_business: bool = False


# ---------------------------------------------------------------- small business


def _small_others(facts: Day, count: int, greatest: int, total: int) -> bool:
    """Whether every other hereditament is passed over because it is small and all together are within the limit."""
    if count == 0:
        return True
    london = facts.entry.in_greater_london
    if facts.year >= 2017:
        each, together = 2_899, 27_999 if london else 19_999
    else:
        each, together = 2_599, small_limit(facts.year, london)
    return greatest <= each and value_for_tests(facts) + total <= together


def _in_grace(facts: Day) -> bool:
    since = facts.occupation.additional_since
    if since is None or facts.day < GRACE_FROM or since > facts.day:
        return False
    longer = facts.day >= LONGER_GRACE_FROM and since >= LONGER_GRACE_TAKEN
    return within_months(since, 36 if longer else 12, facts.day)


def sole_hereditament(facts: Day) -> bool:
    """The ratepayer occupies only one hereditament in England, small ones and the last taken being passed over.

    While the last taken is passed over its value counts neither singly nor in the total.  Where it is the greatest of all and
    the greatest of the others is not recorded, they are taken to be small: the relief was kept until it was taken.
    """
    state = facts.occupation
    if _small_others(facts, state.others_occupied, state.others_greatest_value, state.others_total_value):
        return True
    if state.others_occupied == 0 or not _in_grace(facts):
        return False
    rest = max(state.others_total_value - state.additional_value, 0)
    greatest = state.others_greatest_value
    if state.others_greatest_before is not None:
        greatest = state.others_greatest_before
    elif state.additional_value >= greatest:
        greatest = 0
    return _small_others(facts, state.others_occupied - 1, greatest, rest)


def divisor_e(facts: Day) -> Fraction:
    """Item E for a ratepayer with one hereditament; 1 above the taper."""
    value = value_for_tests(facts)
    if facts.year >= 2017:
        full, end = 12_000, 15_000
        tapered = Fraction(3_000, value - full) if value > full else ALL_RELIEVED
    else:
        full, end = 6_000, 12_000
        if facts.day < DOUBLED_FROM:
            tapered = Fraction(12_000, value) if value > full else Fraction(2)
        else:
            tapered = Fraction(6_000, value - full) if value > full else ALL_RELIEVED
    if value > end:
        return Fraction(1)
    return three_places(tapered) if value > full else tapered


def _small_business(facts: Day) -> Formula:
    """The relief; until 2023-24 the conditions are wider than the relief, and E is 1 for the rest."""
    value, year = value_for_tests(facts), facts.year
    claimed = facts.occupation.small_business_claimed and sole_hereditament(facts)
    if year >= 2024:
        if not claimed or value > 15_000:
            return Formula()
    else:
        if value > small_limit(year, facts.entry.in_greater_london) or (year < 2012 and not claimed):
            return Formula()
        if not claimed:
            return Formula(small_business=True)
    divisor = divisor_e(facts)
    return Formula("small_business" if divisor > 1 else "no_relief", divisor, small_business=True)


# ---------------------------------------------------------------- all of them


def rural(facts: Day) -> bool:
    """Tested on the value at the beginning of the year (s. 43(6B)(b); from 2024 item A, Sch 4ZA para. 8(1)(c))."""
    ceiling = RURAL_LIMITS.get(facts.entry.rural_kind)
    if ceiling is None or not facts.occupied:
        return False
    return _value_at_start_of_year(facts) <= ceiling


def _value_at_start_of_year(facts: Day) -> int:
    """Until 2023-24 the value in the list; from 2024 item A as it then was, which s. 44A(7) may replace."""
    start = facts if facts.day == year_start(facts.year) else facts.at_start_of_year
    if start is not None:
        return value_for_tests(start)
    entry = facts.entry_at_start_of_year
    return max(entry.rateable_value - ((entry.improvement_value or 0) if facts.year >= 2024 else 0), 0)


def _fibre(facts: Day) -> Formula:
    """ss. 43(4E), 45(4C) until 2021-22: the charge times F (or T), 1 less the part of the value that is new fibre (SI 2018/425)."""
    value, new = facts.entry.rateable_value, facts.entry.new_fibre_value
    if facts.entry.rating_use != "fibre" or not 2017 <= facts.year <= 2021 or not new:
        return Formula()
    return Formula("fibre", Fraction(value, value - new) if new < value else None)


def formula(facts: Day) -> Formula:
    """Which relief is given where several could be: s. 43(8A) to (8D); Sch 4ZA para. 9."""
    if not facts.occupied:
        return _fibre(facts)
    year, use = facts.year, facts.entry.rating_use
    if use == "public_lavatory" and year >= 2020:  # 2021 c. 13 s. 4(2)
        return Formula("lavatory", None)
    if year >= 2024:
        if use == "heat_network":
            return Formula("heat_network", None)
        if rural(facts):
            return Formula("rural", None)
    if facts.charitable:
        return Formula("charity" if facts.occupation.ratepayer_kind == "charity" else "sports_club", Fraction(5))
    if year < 2024 and rural(facts):
        return Formula("rural", Fraction(2))
    small = _small_business(facts)
    return small if small.small_business else _fibre(facts)  # s. 43(8C): (4A) goes before (4E), E being 1 or more
