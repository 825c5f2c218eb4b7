"""Transitional arrangements: SI 2009/3343, SI 2016/1265, SI 2022/1403 (as amended by SI 2023/1357 and SI 2024/246), and 2026.

The regulations of 2026 could not be read: that scheme follows gov.uk, the answers to questions 104166, 95961 and 95329, and notes
on a surveyors' workbook.  BL, AF, NCA, X, Q, J, N and U are the letters of the regulations.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from independent.rates.charge import SMALL, full_value
from independent.rates.days import days_in_year, three_places
from independent.rates.facts import Day

SUPPLEMENT_2026 = Fraction(1, 100)


def _hundredths(*percent: str) -> tuple[Fraction, ...]:
    return tuple(Fraction(item) for item in percent)


@dataclass(frozen=True)
class Scheme:
    """X by year for each size, upwards and downwards; years after `last_year` belong to an extension by s. 47 relief."""

    first_year: int
    last_year: int
    first_q: Fraction
    up: dict[str, tuple[Fraction, ...]]
    down: dict[str, tuple[Fraction, ...]] | None
    extension_years: tuple[int, ...] = ()
    extension_limit: int = 0


_SMALL_UP = ("105", "107.5", "110", "115", "115")
_GREATER_UP = ("112.5", "117.5", "120", "125", "125")
_SMALL_DOWN = ("80", "70", "65", "45", "45")
SCHEMES = (
    Scheme(
        2010,
        2014,
        Fraction("0.986"),
        {"small": _hundredths(*_SMALL_UP, "115", "115"), "large": _hundredths(*_GREATER_UP, "125", "125")},
        {"small": _hundredths(*_SMALL_DOWN), "large": _hundredths("95.4", "93.3", "93", "87", "87")},
        (2015, 2016),
        50_000,
    ),
    Scheme(
        2017,
        2021,
        Fraction("1.02"),
        {
            "small": _hundredths(*_SMALL_UP, "115"),
            "medium": _hundredths(*_GREATER_UP, "125"),
            "large": _hundredths("142", "132", "149", "116", "106"),
        },
        {
            "small": _hundredths(*_SMALL_DOWN),
            "medium": _hundredths("90", "85", "80", "75", "75"),
            "large": _hundredths("95.9", "95.4", "94.1", "94.2", "95.2"),
        },
        (2022,),
        100_000,
    ),
    Scheme(
        2023,
        2025,
        Fraction(1),
        {"small": _hundredths("105", "110", "125"), "medium": _hundredths("115", "125", "140"), "large": _hundredths("130", "140", "155")},
        None,
    ),
)
X_2026 = {"small": Fraction(105), "medium": Fraction(115), "large": Fraction(130)}


def scheme_of(year: int) -> Scheme | None:
    return next((scheme for scheme in SCHEMES if scheme.first_year <= year <= scheme.last_year or year in scheme.extension_years), None)


def size_of(first_year: int, value_at_start: int, in_greater_london: bool) -> str:
    """2010: below 18,000 (25,500) is small; from 2017: up to 20,000 (28,000), and up to 100,000 is medium."""
    if first_year == 2010:
        return "small" if value_at_start < (25_500 if in_greater_london else 18_000) else "large"
    if value_at_start <= (28_000 if in_greater_london else 20_000):
        return "small"
    return "medium" if value_at_start <= 100_000 else "large"


def q_of(scheme: Scheme, year: int) -> Fraction:
    return scheme.first_q if year == scheme.first_year else three_places(SMALL[year] / SMALL[year - 1])


def appropriate_fraction(scheme: Scheme, year: int, size: str, side: str) -> Fraction:
    """AF = X x Q / 100, not rounded."""
    table = scheme.up if side == "up" else scheme.down
    if table is None or year - scheme.first_year >= len(table[size]):
        return Fraction(1)  # no X is prescribed: the regulations do not apply on this side
    return table[size][year - scheme.first_year] * q_of(scheme, year) / 100


@lru_cache(maxsize=4096)
def limit(before: int, at_start: int, in_greater_london: bool, year: int) -> tuple[str, Fraction] | None:
    """The side on which the limit holds and BL x AF for the year, or None where the notional charge is due.

    BL goes on as BL x AF whether or not the limit held.  A change of side ends the scheme (SI 2009/3343 reg. 9(5), (6)).
    """
    scheme = scheme_of(year)
    if scheme is None:
        return None
    size = size_of(scheme.first_year, at_start, in_greater_london)
    base = before * SMALL[scheme.first_year - 1]
    sides: set[str] = set()
    for running in range(scheme.first_year, year + 1):
        notional = at_start * SMALL[running]
        side = "up" if notional > base else "down"
        fraction = appropriate_fraction(scheme, running, size, side)
        sides.add(side)
        if running == year:
            limited = base * fraction
            if len(sides) > 1:
                return None
            if side == "up":
                return ("up", limited) if notional > limited else None
            return ("down", limited) if scheme.down is not None and notional < base and notional < limited else None
        base *= fraction
    return None


def _daily(facts: Day, limited: Fraction, at_start: int, rise_at: Fraction, added: Fraction) -> Fraction:
    """Regs 10 to 13: the limited amount for the day, a rise of value since charged in full and a fall in proportion, and U."""
    value = full_value(facts)
    if value > at_start:  # and Sch. para. 6 of SI 2022/1403 for splits and mergers, which comes to the same without U
        limited += (value - at_start) * rise_at
    elif value < at_start:
        limited = limited * value / at_start
    return (limited + added) / days_in_year(facts.year)


def _values(facts: Day) -> tuple[int, int] | None:
    values = facts.values
    if values is None or values.new_in_list or values.value_before is None or values.value_at_start is None:
        return None
    return values.value_before, values.value_at_start


def _recorded(facts: Day) -> tuple[int, Fraction] | None:
    """The value on the creation day of a hereditament that was split or merged, and the limit of the year."""
    values = facts.values
    if values is None or values.recorded_limit is None or values.value_at_start is None:
        return None
    return values.value_at_start, values.recorded_limit


def _rise_of_altered(facts: Day, side: str) -> bool:
    """SI 2009/3343 and SI 2016/1265, Sch 1 para. 5: no limit on a rise of an altered hereditament; there is no such rule later."""
    return side == "up" and facts.year < 2023 and facts.values is not None and facts.values.altered_hereditament


def charge_with_transition(facts: Day, rate: Fraction, *, nothing_due: bool) -> tuple[Fraction, Fraction] | None:
    """The daily charge under the scheme of the year and the supplement of 2026-27, or None where neither plays a part.

    From 2023 there is no limit where the chargeable amount is nothing in any case (SI 2022/1403 reg. 11(3)).
    """
    if facts.year == 2026:
        return _charge_2026(facts, rate, nothing_due=nothing_due)
    if nothing_due and facts.year >= 2023:
        return None
    scheme, pair = scheme_of(facts.year), _values(facts)
    recorded = _recorded(facts)
    if scheme is not None and recorded is not None and facts.year <= scheme.last_year:
        small = SMALL[facts.year]
        return _daily(facts, recorded[1], recorded[0], small, (rate - small) * full_value(facts)), Fraction(0)
    if scheme is None or pair is None or facts.year > scheme.last_year:
        return None
    found = limit(*pair, facts.entry.in_greater_london, facts.year)
    if found is None or _rise_of_altered(facts, found[0]):
        return None
    small = SMALL[facts.year]
    return _daily(facts, found[1], pair[1], small, (rate - small) * full_value(facts)), Fraction(0)


def extended_charge(facts: Day, rate: Fraction) -> Fraction | None:
    """2015-17 and 2022-23: the daily charge if the scheme had gone on, for increases of small and medium values only."""
    scheme, pair = scheme_of(facts.year), _values(facts)
    if scheme is None or pair is None or facts.year not in scheme.extension_years or pair[1] > scheme.extension_limit:
        return None
    found = limit(*pair, facts.entry.in_greater_london, facts.year)
    if found is None or found[0] != "up" or _rise_of_altered(facts, found[0]):
        return None
    small = SMALL[facts.year]
    return _daily(facts, found[1], pair[1], small, (rate - small) * full_value(facts))


def base_2026(before: int) -> Fraction:
    """The value on 31 March 2026 at the multiplier that applied to it in 2025-26, before all reliefs."""
    return before * (Fraction("0.499") if before <= 50_999 else Fraction("0.555"))


def _charge_2026(facts: Day, rate: Fraction, *, nothing_due: bool) -> tuple[Fraction, Fraction]:
    """2026-27: the test takes the supplement in; a limited charge bears none, nor do support and entries new to the list."""
    days = days_in_year(facts.year)
    pair, recorded = _values(facts), _recorded(facts)
    if recorded is not None and not nothing_due:
        return _daily(facts, recorded[1], recorded[0], rate, Fraction(0)), Fraction(0)
    if pair is not None:
        before, at_start = pair
        base = base_2026(before)
        limited = base * X_2026[size_of(2026, at_start, facts.entry.in_greater_london)] / 100
        notional = at_start * (rate + SUPPLEMENT_2026)
        if not nothing_due and notional > base and notional > limited:
            return _daily(facts, limited, at_start, rate, Fraction(0)), Fraction(0)
    value = full_value(facts)
    new = facts.values is not None and facts.values.new_in_list
    supported = facts.occupation.supported_by in {"scheme_2026", "extension_of_2023"}
    supported = supported and facts.occupied and facts.occupation.ratepayer_kind == "ordinary"  # the others leave the scheme
    supplement = Fraction(0) if new or supported else value * SUPPLEMENT_2026 / days
    return value * rate / days, supplement
