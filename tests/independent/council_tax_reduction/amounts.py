"""Weekly amounts of the prescribed scheme for pensioners and of the Housing Benefit figures that working-age schemes follow.

PR = SI 2012/2885, DS = SI 2012/2886.  A year is called by the calendar year in which it begins.  The instruments that set
the figures of each year stand in INSTRUMENTS; where one leaves a figure alone, the figure of the year before goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import NamedTuple

INSTRUMENTS = {
    2013: "SI 2012/3085 regs 3-6; family premium PR Sch 2 para 3 as made",
    2014: "SI 2013/3181 reg 2; SI 2014/448 reg 2 (extra spouse, family premium)",
    2015: "SI 2014/3312 reg 2(5)-(9)",
    2016: "SI 2015/2041 reg 2(3)-(5); premiums and child as in SI 2014/3312",
    2017: "SI 2016/1262 reg 2(3)-(5)",
    2018: "SI 2017/1305 regs 8, 12, 13; table 2 of reg 12(a) from 6 December 2018",
    2019: "SI 2018/1346 regs 3-5",
    2020: "SI 2020/23 regs 7-10",
    2021: "SI 2021/29 regs 6-8; bands and Sch 3 as in SI 2020/23",
    2022: "SI 2022/25 regs 5-8",
    2023: "SI 2023/16 regs 6-9",
    2024: "SI 2024/29 regs 5-8",
    2025: "SI 2025/39 regs 5-9",
    2026: "SI 2026/27 regs 5-9",
}


class Sixty_five(NamedTuple):
    """PR Sch 2 para 1 to 5 December 2018: under 65, or 65 and over (one or both of a couple)."""

    single_under: Fraction
    single_over: Fraction
    couple_under: Fraction
    couple_over: Fraction
    spouse_under: Fraction
    spouse_over: Fraction


class One_rate(NamedTuple):
    """PR Sch 2 para 1 from 6 December 2018 to 31 March 2021."""

    single: Fraction
    couple: Fraction
    spouse: Fraction


class Two_rates(NamedTuple):
    """PR Sch 2 para 1 from 1 April 2021: pensionable age before that day (one or both of a couple), or on or after it."""

    single_before: Fraction
    single_after: Fraction
    couple_before: Fraction
    couple_after: Fraction
    spouse_before: Fraction
    spouse_after: Fraction


class Additions(NamedTuple):
    """PR Sch 2 paras 2 and 3 and Part 4."""

    child: Fraction
    family: Fraction
    severe_one: Fraction
    severe_two: Fraction
    enhanced_child: Fraction
    disabled_child: Fraction
    carer: Fraction


class Bands(NamedTuple):
    """PR Sch 1 para 8(1)-(2): low, second, third and top deduction and the incomes at which the last three begin;
    Sch 3 para 1: the incomes below which the alternative maximum is 15 and 7.5 per cent."""

    low: Fraction
    second: Fraction
    third: Fraction
    top: Fraction
    second_from: Fraction
    third_from: Fraction
    top_from: Fraction
    fifteen_below: Fraction
    seven_and_a_half_below: Fraction


class Working(NamedTuple):
    """DS Sch 3 with the figures of the Housing Benefit Regulations; 0 for the component that was not found in print."""

    single_under_25: Fraction
    single: Fraction
    lone_parent: Fraction
    couple: Fraction
    child: Fraction
    family: Fraction
    family_lone_parent: Fraction
    disability_single: Fraction
    disability_couple: Fraction
    enhanced_single: Fraction
    enhanced_couple: Fraction
    enhanced_child: Fraction
    severe_one: Fraction
    severe_two: Fraction
    disabled_child: Fraction
    carer: Fraction
    work_related: Fraction
    support: Fraction


def _figures(text: str) -> tuple[Fraction, ...]:
    return tuple(Fraction(figure) for figure in text.split())


def _rows(table: Mapping[int, str]) -> dict[int, tuple[Fraction, ...]]:
    return {year: _figures(text) for year, text in table.items()}


_SIXTY_FIVE = {
    2013: "145.40 163.50 222.05 244.95 76.65 81.45",
    2014: "148.35 165.15 226.50 247.20 78.15 82.05",
    2015: "151.20 166.05 230.85 248.28 79.65 82.26",
    2016: "155.60 168.70 237.55 252.30 81.95 83.60",
    2017: "159.35 172.55 243.25 258.15 83.90 85.60",
    2018: "163.00 176.40 248.80 263.80 85.80 87.40",
}
_ONE_RATE = {
    2018: "176.40 263.80 87.40",
    2019: "181.00 270.60 89.60",
    2020: "187.75 280.85 93.10",
}
_TWO_RATES = {
    2021: "191.15 177.10 286.05 270.30 94.90 93.20",
    2022: "197.10 182.60 294.90 278.70 97.80 96.10",
    2023: "217.00 201.05 324.70 306.85 107.70 105.80",
    2024: "235.20 218.15 352.00 332.95 116.80 114.80",
    2025: "244.40 227.10 366.00 346.60 121.60 119.50",
    2026: "256.00 238.00 383.35 363.25 127.35 125.25",
}
_ADDITIONS = {
    2013: "65.62 17.40 59.50 119.00 23.45 57.89 33.30",
    2014: "66.33 17.45 61.10 122.20 24.08 59.50 34.20",
    2015: "66.90 17.45 61.85 123.70 24.43 60.06 34.60",
    2016: "66.90 17.45 61.85 123.70 24.43 60.06 34.60",
    2017: "66.90 17.45 62.45 124.90 24.78 60.90 34.95",
    2018: "66.90 17.45 64.30 128.60 25.48 62.86 36.00",
    2019: "66.90 17.45 65.85 131.70 26.04 64.19 36.85",
    2020: "68.27 17.45 66.95 133.90 26.60 65.52 37.50",
    2021: "68.60 17.65 67.30 134.60 26.67 65.94 37.70",
    2022: "70.80 17.85 69.40 138.80 27.44 68.04 38.85",
    2023: "77.78 18.53 76.40 152.80 30.17 74.69 42.75",
    2024: "83.24 19.15 81.50 163.00 32.20 80.01 45.60",
    2025: "84.66 19.48 82.90 165.80 32.75 81.37 46.40",
    2026: "87.88 20.22 86.05 172.10 33.99 84.46 48.15",
}
_BANDS = {
    2013: "3.65 7.25 9.15 10.95 186.00 322.00 401.00 183.00 239.00",
    2014: "3.70 7.45 9.40 11.25 188.00 326.00 406.00 185.00 241.00",
    2015: "3.74 7.52 9.49 11.36 189.00 328.00 408.00 187.00 243.00",
    2016: "3.77 7.58 9.56 11.45 195.00 338.00 420.00 193.00 250.00",
    2017: "3.80 7.65 9.65 11.55 196.95 341.40 424.20 194.95 252.50",
    2018: "3.90 7.90 9.95 11.90 202.85 351.65 436.90 201.00 260.00",
    2019: "4.00 8.10 10.20 12.20 207.70 360.10 447.40 206.00 266.00",
    2020: "4.05 8.25 10.35 12.40 217.00 377.00 469.00 215.00 279.00",
    2021: "4.05 8.30 10.40 12.45 217.00 377.00 469.00 215.00 279.00",
    2022: "4.20 8.55 10.70 12.85 224.00 389.00 484.00 222.00 288.00",
    2023: "4.60 9.40 11.80 14.15 236.00 410.00 511.00 244.00 317.00",
    2024: "4.90 10.05 12.60 15.10 256.00 445.00 554.00 265.00 344.00",
    2025: "5.00 10.20 12.80 15.35 266.00 463.00 577.00 276.00 358.00",
    2026: "5.20 10.60 13.30 15.95 279.00 485.00 605.00 289.00 375.00",
}
_WORKING = {
    2013: "56.80 71.70 71.70 112.55 65.62 17.40 22.20 31.00 44.20 15.15 21.75 23.45 59.50 119.00 57.89 33.30 28.45 34.80",
    2014: "57.35 72.40 72.40 113.70 66.33 17.45 22.20 31.85 45.40 15.55 22.35 24.08 61.10 122.20 59.50 34.20 28.75 35.75",
    2015: "57.90 73.10 73.10 114.85 66.90 17.45 22.20 32.25 45.95 15.75 22.60 24.43 61.85 123.70 60.06 34.60 29.05 36.20",
    2016: "57.90 73.10 73.10 114.85 66.90 17.45 22.20 32.25 45.95 15.75 22.60 24.43 61.85 123.70 60.06 34.60 29.05 36.20",
    2017: "57.90 73.10 73.10 114.85 66.90 17.45 22.20 32.55 46.40 15.90 22.85 24.78 62.45 124.90 60.90 34.95 0 36.55",
    2018: "57.90 73.10 73.10 114.85 66.90 17.45 22.20 33.55 47.80 16.40 23.55 25.48 64.30 128.60 62.86 36.00 0 37.65",
    2019: "57.90 73.10 73.10 114.85 66.90 17.45 22.20 34.35 48.95 16.80 24.10 26.04 65.85 131.70 64.19 36.85 0 38.55",
    2020: "58.90 74.35 74.35 116.80 68.27 17.60 22.20 34.95 49.80 17.10 24.50 26.60 66.95 133.90 65.52 37.50 0 39.20",
    2021: "59.20 74.70 74.70 117.40 68.60 17.65 22.20 35.10 50.05 17.20 24.60 26.67 67.30 134.60 65.94 37.70 29.70 39.40",
    2022: "61.05 77.00 77.00 121.05 70.80 17.85 22.20 36.20 51.60 17.75 25.35 27.44 69.40 138.80 68.04 38.85 30.60 40.60",
    2023: "67.20 84.80 84.80 133.30 77.78 18.53 22.20 39.85 56.80 19.55 27.90 30.17 76.40 152.80 74.69 42.75 33.70 44.70",
    2024: "71.70 90.50 90.50 142.25 83.24 19.15 22.20 42.50 60.60 20.85 29.75 32.20 81.50 163.00 80.01 45.60 35.95 47.70",
    2025: "72.90 92.05 92.05 144.65 84.66 19.48 22.20 43.20 61.65 21.20 30.25 32.75 82.90 165.80 81.37 46.40 36.55 48.50",
    2026: "75.65 95.55 95.55 150.15 87.88 20.22 22.20 44.85 64.00 22.00 31.40 33.99 86.05 172.10 84.46 48.15 37.95 50.35",
}

_STUDENT = "56.80 57.35 57.90 57.90 57.90 57.90 57.90 58.90 59.20 61.05 67.20 71.70 72.90 75.65"
STUDENT = dict(zip(range(2013, 2027), _figures(_STUDENT), strict=True))  # PR Sch 5 para 19(2)(b)

SIXTY_FIVE = {year: Sixty_five(*row) for year, row in _rows(_SIXTY_FIVE).items()}
ONE_RATE = {year: One_rate(*row) for year, row in _rows(_ONE_RATE).items()}
TWO_RATES = {year: Two_rates(*row) for year, row in _rows(_TWO_RATES).items()}
ADDITIONS = {year: Additions(*row) for year, row in _rows(_ADDITIONS).items()}
BANDS = {year: Bands(*row) for year, row in _rows(_BANDS).items()}
WORKING = {year: Working(*row) for year, row in _rows(_WORKING).items()}

SIXTY_FIVE_ENDS = date(2018, 12, 6)  # SI 2017/1305 reg 12(a), table 2
FAMILY_PREMIUM_ENDS = date(2016, 5, 2)  # PR Sch 2 para 3(b): weeks that begin after 1 May 2016
TWO_CHILDREN_YEARS = range(2018, 2025)  # SI 2017/1305 reg 7 to SI 2025/39 reg 5(2)

CAPITAL_LIMIT = Fraction(16000)  # PR reg 11(2), DS para 23
CHILD_CARE_ONE, CHILD_CARE_MORE = Fraction(175), Fraction(300)  # PR Sch 1 para 24(3), DS para 57(3)
ADDITIONAL = Fraction("17.10")  # PR Sch 4 para 10(1), Sch 5 para 21


def year_of(day: date) -> int:
    """The financial year in which a day lies."""
    return day.year - ((day.month, day.day) < (4, 1))


def days_in_year(day: date) -> int:
    """B of PR Sch 1 para 7(1)(b)."""
    year = year_of(day)
    return (date(year + 1, 4, 1) - date(year, 4, 1)).days
